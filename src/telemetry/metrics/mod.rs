//! Metrics: counted with atomics where things happen, put into words when somebody asks.
//!
//! Exactly those that DESIGN.md section 4 names. Labels come from the configuration and from closed
//! enums, never from a sender. Requests without a route have `route=""`.

mod collect;
mod histogram;
mod route;

pub(super) use route::KeyMetrics;
pub use route::RouteMetrics;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, OnceLock, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use crate::{clock::Mono, fetch::Fetching, replay};

/// Where values come from that others own; read at every scrape.
pub struct Gauges {
    /// Replay entries, capacities and evictions.
    pub replay: Arc<replay::Registry>,
    /// Age and health of what is fetched.
    pub fetching: Arc<Fetching>,
    /// Open connections.
    pub connections: Box<dyn Fn() -> u64 + Send + Sync>,
    /// Bytes held by buffered bodies.
    pub body_memory_bytes: Box<dyn Fn() -> u64 + Send + Sync>,
    /// What HTTP/2 itself refused: bad requests of which no more is known than that.
    pub http2_errors: Box<dyn Fn() -> u64 + Send + Sync>,
}

/// All metrics of the process.
#[derive(Default)]
pub struct Metrics(Arc<Inner>);

#[derive(Default)]
struct Inner {
    routes: RwLock<BTreeMap<Arc<str>, Arc<RouteMetrics>>>,
    unrouted: Arc<RouteMetrics>,
    reloads_succeeded: AtomicU64,
    reloads_failed: AtomicU64,
    last_reload_failed: AtomicBool,
    audit_dropped: Arc<AtomicU64>,
    gauges: OnceLock<Gauges>,
}

impl Metrics {
    /// Nothing counted yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says where the values of others are read; the first call counts.
    pub fn read_from(&self, gauges: Gauges) {
        let _first: Result<(), Gauges> = self.0.gauges.set(gauges);
    }

    /// The metrics of a route, made if the name is new; they outlive a reload.
    pub fn route(&self, name: &str) -> Arc<RouteMetrics> {
        let mut routes = self.0.routes.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(route) = routes.get(name) {
            return Arc::clone(route);
        }
        let route = Arc::new(RouteMetrics::new(name));
        routes.insert(name.into(), Arc::clone(&route));
        route
    }

    /// Forgets routes that are no more.
    pub fn retain(&self, there: impl Fn(&str) -> bool) {
        let mut routes = self.0.routes.write().unwrap_or_else(PoisonError::into_inner);
        routes.retain(|name, _| there(name));
    }

    /// The metrics of requests without a route.
    pub fn unrouted(&self) -> &RouteMetrics {
        &self.0.unrouted
    }

    /// Counts a reload of the configuration.
    pub fn reloaded(&self, success: bool) {
        let counter = if success { &self.0.reloads_succeeded } else { &self.0.reloads_failed };
        counter.fetch_add(1, Ordering::Relaxed);
        self.0.last_reload_failed.store(!success, Ordering::Relaxed);
    }

    /// Counts audit lines that were lost.
    pub(super) fn audit_dropped(&self) -> &Arc<AtomicU64> {
        &self.0.audit_dropped
    }

    /// Every route's metrics, those of requests without a route first.
    pub(super) fn all(&self) -> Vec<Arc<RouteMetrics>> {
        self.0.all()
    }

    /// Drops replay entries that have expired.
    pub(super) fn sweep(&self, now: Mono) {
        if let Some(gauges) = self.0.gauges.get() {
            gauges.replay.sweep(now);
        }
    }

    /// The exposition text, in OpenMetrics.
    pub fn text(&self) -> String {
        let mut registry = prometheus_client::registry::Registry::default();
        registry.register_collector(Box::new(collect::Everything(Arc::clone(&self.0))));
        let mut text = String::new();
        match prometheus_client::encoding::text::encode(&mut text, &registry) {
            Ok(()) => text,
            // Writing to a string does not fail.
            Err(fmt::Error) => String::new(),
        }
    }
}

impl Inner {
    fn all(&self) -> Vec<Arc<RouteMetrics>> {
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        std::iter::once(&self.unrouted).chain(routes.values()).map(Arc::clone).collect()
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
