//! What is counted of one route.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, OnceLock, PoisonError, RwLock,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use super::histogram::Histogram;
use crate::{clock::UnixMs, config::model::Check, decision::Code};

/// The metrics of one route. Outlives reloads; counting is an atomic addition.
#[derive(Debug)]
pub struct RouteMetrics {
    name: Arc<str>,
    /// By code, in the order of [`Code::ALL`].
    decisions: Box<[AtomicU64]>,
    /// By check and code; most routes monitor nothing.
    monitored: OnceLock<Box<[AtomicU64]>>,
    added: Histogram,
    upstream: Histogram,
    keys: RwLock<BTreeMap<Arc<str>, Arc<KeyMetrics>>>,
    refusals: Refusals,
}

/// How often a key verified, and when last.
#[derive(Debug, Default)]
pub(in crate::telemetry) struct KeyMetrics {
    used: AtomicU64,
    last_used_secs: AtomicI64,
}

impl KeyMetrics {
    pub(in crate::telemetry) fn use_at(&self, time: UnixMs) {
        self.used.fetch_add(1, Ordering::Relaxed);
        self.last_used_secs.fetch_max(time.secs(), Ordering::Relaxed);
    }

    /// How often it was used, and when last, if ever.
    pub(super) fn read(&self) -> (u64, Option<i64>) {
        let last = self.last_used_secs.load(Ordering::Relaxed);
        (self.used.load(Ordering::Relaxed), (last > 0).then_some(last))
    }
}

impl Default for RouteMetrics {
    fn default() -> Self {
        Self::new("")
    }
}

impl RouteMetrics {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            decisions: zeros(Code::ALL.len()),
            monitored: OnceLock::new(),
            added: Histogram::new(ADDED_US),
            upstream: Histogram::new(UPSTREAM_US),
            keys: RwLock::default(),
            refusals: Refusals::new(),
        }
    }

    /// The route's name; empty for requests without a route.
    pub const fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Counts a decision.
    pub fn decided(&self, code: Code) {
        if let Some(count) = self.decisions.get(code as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts a decision that a monitored check would have made.
    pub fn would_have(&self, check: Check, code: Code) {
        let monitored = self.monitored.get_or_init(|| zeros(Check::ALL.len() * Code::ALL.len()));
        if let Some(count) = monitored.get(check as usize * Code::ALL.len() + code as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Notes how long a request took here, and at the upstream if it got that far.
    pub fn took(&self, added: Duration, upstream: Option<Duration>) {
        self.added.observe(added);
        if let Some(upstream) = upstream {
            self.upstream.observe(upstream);
        }
    }

    /// The metrics of one key of the route.
    pub(in crate::telemetry) fn key(&self, id: &str) -> Arc<KeyMetrics> {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = keys.get(id) {
            return Arc::clone(key);
        }
        // Ids are configured, or come from a set of keys that the route trusts; still bounded.
        let id = if keys.len() < MAX_KEYS { id } else { "other" };
        Arc::clone(keys.entry(id.into()).or_default())
    }

    /// Which refusals were logged when.
    pub(in crate::telemetry) const fn refusals(&self) -> &Refusals {
        &self.refusals
    }

    pub(super) fn read_decisions(&self) -> impl Iterator<Item = (Code, u64)> {
        Code::ALL.iter().copied().zip(self.decisions.iter().map(|n| n.load(Ordering::Relaxed)))
    }

    pub(super) fn read_monitored(&self) -> impl Iterator<Item = (Check, Code, u64)> {
        let pairs =
            Check::ALL.iter().flat_map(|check| Code::ALL.iter().map(move |code| (*check, *code)));
        let counts = self.monitored.get().into_iter().flatten().map(|n| n.load(Ordering::Relaxed));
        pairs.zip(counts).map(|((check, code), n)| (check, code, n)).filter(|(_, _, n)| *n > 0)
    }

    pub(super) fn read_keys(&self) -> Vec<(Arc<str>, Arc<KeyMetrics>)> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.iter().map(|(id, key)| (Arc::clone(id), Arc::clone(key))).collect()
    }

    pub(super) const fn added(&self) -> &Histogram {
        &self.added
    }

    pub(super) const fn upstream(&self) -> &Histogram {
        &self.upstream
    }
}

/// When each code of a route was last logged, so that a flood of refusals is one line a second.
#[derive(Debug)]
pub(in crate::telemetry) struct Refusals(OnceLock<Box<[Refused]>>);

#[derive(Debug, Default)]
struct Refused {
    second: AtomicU64,
    suppressed: AtomicU64,
}

impl Refusals {
    const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// Whether a refusal is the first of its code in this second, and how many were left out
    /// since the last that was logged.
    pub(in crate::telemetry) fn admit(&self, code: Code, now: Duration) -> Option<u64> {
        let each = || Code::ALL.iter().map(|_| Refused::default()).collect();
        let refused = self.0.get_or_init(each).get(code as usize)?;
        // Zero stands for never.
        let second = now.as_secs() + 1;
        let first = |before: u64| (before < second).then_some(second);
        let order = Ordering::Relaxed;
        if refused.second.fetch_update(order, order, first).is_ok() {
            return Some(refused.suppressed.swap(0, order));
        }
        refused.suppressed.fetch_add(1, order);
        None
    }

    /// What was left out in seconds that are over, and not told yet.
    pub(in crate::telemetry) fn overdue(&self, now: Duration) -> impl Iterator<Item = (Code, u64)> {
        let over = move |refused: &Refused| {
            let past = refused.second.load(Ordering::Relaxed) <= now.as_secs();
            if past { refused.suppressed.swap(0, Ordering::Relaxed) } else { 0 }
        };
        Code::ALL
            .iter()
            .copied()
            .zip(self.0.get().into_iter().flatten().map(over))
            .filter(|(_, n)| *n > 0)
    }
}

fn zeros(n: usize) -> Box<[AtomicU64]> {
    (0..n).map(|_| AtomicU64::new(0)).collect()
}

/// More keys than a rotation ever has.
const MAX_KEYS: usize = 256;

/// Bounds of added latency: what the gateway itself takes is tens of microseconds, a slow sender's
/// body takes seconds.
const ADDED_US: &[u64] = &[
    25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 100_000, 500_000, 2_500_000,
    10_000_000,
];

/// Bounds of an upstream's time to its status line.
const UPSTREAM_US: &[u64] = &[
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    2_500_000, 5_000_000, 10_000_000, 30_000_000,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_owns_only_what_it_needs() {
        // Ten thousand routes have one each: what few of them count is there once it is counted.
        let metrics = RouteMetrics::new("r");
        assert!(metrics.monitored.get().is_none() && metrics.refusals.0.get().is_none());
        assert_eq!(metrics.read_monitored().count(), 0);
        assert_eq!(metrics.refusals().overdue(Duration::MAX).count(), 0);
        metrics.would_have(Check::Schema, Code::SchemaViolation);
        let monitored: Vec<_> = metrics.read_monitored().collect();
        assert_eq!(monitored, [(Check::Schema, Code::SchemaViolation, 1)]);
    }
}
