//! How a request ended, told once to everybody who wants to know.

use std::{
    fmt,
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::{ArcSwap, ArcSwapOption};

use super::{
    audit::{AuditEvent, AuditWriter},
    metrics::{KeyMetrics, Metrics, RouteMetrics},
};
use crate::{
    clock::Clock,
    decision::{Code, Refusal},
    delivery::Record,
};

/// Is told of every decision and how long it took, on the request's own path.
pub type Observer = Arc<dyn Fn(&Conclusion<'_>, Duration) + Send + Sync>;

/// Counts, audits and logs. One for the life of the process.
pub struct Telemetry {
    clock: Clock,
    metrics: Metrics,
    audit: ArcSwapOption<AuditWriter>,
    /// Whose configuration requests without a route are judged by.
    unrouted: ArcSwap<Identity>,
    observer: Option<Observer>,
    told_second: AtomicU64,
}

/// What is needed of a running route; made anew with each configuration, while what it counts
/// into stays.
#[derive(Debug)]
pub struct RouteTelemetry {
    identity: Arc<Identity>,
    metrics: Arc<RouteMetrics>,
    keys: Vec<(Arc<str>, Arc<KeyMetrics>)>,
}

/// Which configuration and which route of it.
#[derive(Debug, Default)]
pub(super) struct Identity {
    /// Twelve hexadecimal digits of the configuration's digest.
    pub(super) config: String,
    route: Option<(Arc<str>, Arc<str>)>,
}

impl Identity {
    fn new(config: &[u8; 32], route: Option<(Arc<str>, Arc<str>)>) -> Self {
        let config = hex::encode(config).chars().take(12).collect();
        Self { config, route }
    }

    pub(super) fn name(&self) -> Option<&str> {
        self.route.as_ref().map(|(name, _)| &**name)
    }

    pub(super) fn provider(&self) -> Option<&str> {
        self.route.as_ref().map(|(_, provider)| &**provider)
    }
}

/// How one request ended.
#[derive(Clone, Copy, Debug)]
pub struct Conclusion<'a> {
    /// The route's telemetry, once there is a route.
    pub route: Option<&'a RouteTelemetry>,
    /// What is known of the request.
    pub record: &'a Record,
    /// The decision.
    pub code: Code,
    /// What the sender was answered.
    pub status: u16,
    /// Why it was refused, if it was.
    pub refusal: Option<&'a Refusal>,
}

impl Telemetry {
    /// Counts from zero, without an audit trail. An observer is told of every decision.
    pub fn new(clock: Clock, observer: Option<Observer>) -> Self {
        Self {
            clock,
            metrics: Metrics::new(),
            audit: ArcSwapOption::empty(),
            unrouted: ArcSwap::default(),
            observer,
            told_second: AtomicU64::new(0),
        }
    }

    /// The metrics.
    pub const fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The metrics as text. What has expired is dropped first, so that idle routes give their
    /// memory back and the numbers are right.
    pub fn scrape(&self) -> String {
        self.metrics.sweep(self.clock.mono());
        self.metrics.text()
    }

    /// Says which configuration is in force, by its digest.
    pub fn configured(&self, config: &[u8; 32]) {
        self.unrouted.store(Arc::new(Identity::new(config, None)));
    }

    /// What a running route needs; `keys` are the ids of its active keys.
    pub fn route<'a>(
        &self,
        name: &Arc<str>,
        provider: &Arc<str>,
        keys: impl IntoIterator<Item = &'a str>,
        config: &[u8; 32],
    ) -> RouteTelemetry {
        let metrics = self.metrics.route(name);
        let keys = keys.into_iter().map(|id| (Arc::from(id), metrics.key(id))).collect();
        let route = Some((Arc::clone(name), Arc::clone(provider)));
        RouteTelemetry { identity: Arc::new(Identity::new(config, route)), metrics, keys }
    }

    /// Writes audit lines to `sink` from now on, as [`super::audit::open`] gave it, or nowhere.
    /// What was queued for the place before is still written there; reopening the same file after
    /// a rotation is the same call.
    ///
    /// # Errors
    ///
    /// If the writing thread cannot be started. The trail then stays where it was.
    pub fn audit_to(&self, sink: Option<Box<dyn Write + Send>>) -> std::io::Result<()> {
        let dropped = self.metrics.audit_dropped();
        let start = |sink| AuditWriter::start(sink, Arc::clone(dropped)).map(Arc::new);
        self.audit.store(sink.map(start).transpose()?);
        Ok(())
    }

    /// Whether audit lines are written, so that a body's digest is worth computing.
    pub fn audits(&self) -> bool {
        self.audit.load().is_some()
    }

    /// Tells how a request ended: counted always, written to the audit trail if there is one, and
    /// logged if there is none and it was refused.
    pub fn conclude(&self, conclusion: &Conclusion<'_>) {
        let record = conclusion.record;
        let now = self.clock.mono();
        let took = now.saturating_sub(record.started);
        self.measure(conclusion, took);
        if let Some(observer) = &self.observer {
            observer(conclusion, took);
        }
        let audit = self.audit.load();
        if let Some(audit) = &*audit {
            let identity = conclusion
                .route
                .map_or_else(|| self.unrouted.load_full(), |route| Arc::clone(&route.identity));
            let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
            audit.record(AuditEvent::new(conclusion, identity, took_us));
        } else if let Some(refusal) = conclusion.refusal
            && !is_acknowledged(conclusion.code)
            && self.observer.is_none()
        {
            self.log(conclusion, refusal, now);
        }
    }

    /// Logs what is left to tell, and waits for the audit trail to be written, but no longer than
    /// `patience`. `false` if that was not enough.
    pub fn close(&self, patience: Duration) -> bool {
        self.tell_suppressed(Duration::MAX);
        self.audit.swap(None).is_none_or(|writer| AuditWriter::close(writer, patience))
    }

    fn measure(&self, conclusion: &Conclusion<'_>, took: Duration) {
        let record = conclusion.record;
        let metrics = conclusion.metrics(&self.metrics);
        metrics.decided(conclusion.code);
        let upstream = record.upstream_us.map(Duration::from_micros);
        metrics.took(took.saturating_sub(upstream.unwrap_or_default()), upstream);
        for (check, refusal) in record.checks.waived() {
            metrics.would_have(check, refusal.code);
        }
        // An old capture that is sent again must not make a retired key look used.
        let stale = matches!(conclusion.code, Code::TimestampExpired | Code::TimestampInFuture);
        if let (false, Some((route, id))) = (stale, conclusion.route.zip(record.key_id.as_ref())) {
            match route.keys.iter().find(|(known, _)| known == id) {
                Some((_, key)) => key.use_at(record.time),
                None => route.metrics.key(id).use_at(record.time),
            }
        }
    }

    fn log(&self, conclusion: &Conclusion<'_>, refusal: &Refusal, now: Duration) {
        let second = now.as_secs() + 1;
        if self.told_second.fetch_max(second, Ordering::Relaxed) < second {
            self.tell_suppressed(now);
        }
        let metrics = conclusion.metrics(&self.metrics);
        let Some(suppressed) = metrics.refusals().admit(conclusion.code, now) else { return };
        let detail = refusal.detail.to_string();
        tracing::warn!(
            route = &**metrics.name(),
            code = conclusion.code.as_str(),
            status = conclusion.status,
            source = %conclusion.record.source,
            request_id = conclusion.record.request_id.as_str(),
            detail = detail.as_str(),
            remark = conclusion.record.remark.map(tracing::field::display),
            suppressed = (suppressed > 0).then_some(suppressed),
            "refused"
        );
    }

    fn tell_suppressed(&self, now: Duration) {
        for metrics in self.metrics.all() {
            for (code, suppressed) in metrics.refusals().overdue(now) {
                let route = &**metrics.name();
                tracing::warn!(route, code = code.as_str(), suppressed, "refused more of the same");
            }
        }
    }
}

impl RouteTelemetry {
    /// The metrics of the route.
    pub const fn metrics(&self) -> &Arc<RouteMetrics> {
        &self.metrics
    }

    #[cfg(test)]
    pub(super) const fn identity(&self) -> &Arc<Identity> {
        &self.identity
    }
}

impl Conclusion<'_> {
    fn metrics<'a>(&'a self, all: &'a Metrics) -> &'a RouteMetrics {
        self.route.map_or_else(|| all.unrouted(), |route| &route.metrics)
    }
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telemetry").field("audits", &self.audits()).finish_non_exhaustive()
    }
}

/// Whether a request that was not forwarded was dealt with all the same: nothing to be warned of.
const fn is_acknowledged(code: Code) -> bool {
    matches!(code, Code::Duplicate | Code::EventIgnored | Code::Handshake)
}

/// One line for a person who watches, as `run --dev` prints it.
pub fn readable(conclusion: &Conclusion<'_>, took: Duration) -> String {
    let mark = match conclusion.code {
        Code::Forwarded => '✓',
        code if is_acknowledged(code) => '=',
        _ => '✗',
    };
    let route = conclusion.route.and_then(|route| route.identity.name()).unwrap_or("-");
    let why = match conclusion.refusal {
        Some(refusal) => refusal.detail.to_string(),
        None => conclusion.record.event_type.as_deref().unwrap_or_default().to_owned(),
    };
    let (status, code, took_us) = (conclusion.status, conclusion.code, took.as_micros());
    // What a sender wrote must not act on the terminal.
    let why = why.escape_debug();
    format!("{mark} {route:<16} {status} {code:<20} {took_us:>7} µs  {why}").trim_end().to_owned()
}

#[cfg(test)]
mod tests;
