//! The running snapshot: routes with their schemes, keys, limiters and upstreams; and what
//! outlives it.

mod allow;
mod budget;
mod build;
mod keys;
mod pair;
mod route;
mod router;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use arc_swap::{ArcSwap, Guard};
use tokio_util::task::TaskTracker;

use crate::{
    clock::Clock, fetch::Fetching, limit, net::Sources, pairing, replay, telemetry::Telemetry,
    upstream::Origins,
};

pub use allow::{AllowFrom, Standing};
pub use budget::{BodyBudget, Charge};
pub use build::{BuildError, Surroundings};
pub use keys::RouteKeys;
pub use route::Route;
pub use router::{Found, Router};

/// Everything that a stack needs. One a process; shared by all cores.
#[derive(Debug)]
pub struct Gateway {
    snapshot: ArcSwap<Snapshot>,
    shared: Arc<Shared>,
    // What outlives a reload, by route name.
    replay: Arc<replay::Registry>,
    limits: limit::Registry,
    pairings: pairing::Registry,
    // What outlives one, by address.
    origins: Origins,
}

/// One configuration in force. Requests keep the route they found in it.
#[derive(Debug)]
pub struct Snapshot {
    /// From host and path to an index of `routes`.
    pub router: Router,
    /// Every route.
    pub routes: Vec<Arc<Route>>,
    /// Whose forwarding headers are believed.
    pub trusted_proxies: Sources,
}

/// What all requests share, whatever the configuration.
#[derive(Debug)]
pub struct Shared {
    /// Both times.
    pub clock: Clock,
    /// The memory for bodies.
    pub bodies: Arc<BodyBudget>,
    /// Exchanges that outlived their sender; a drain waits for them.
    pub exchanges: TaskTracker,
    /// Where decisions are made known.
    pub telemetry: Arc<Telemetry>,
    /// Keys and address lists from elsewhere.
    pub fetching: Arc<Fetching>,
    body_timeout_ms: AtomicU64,
}

impl Gateway {
    /// The snapshot that is in force at this moment.
    pub fn snapshot(&self) -> Guard<Arc<Snapshot>> {
        self.snapshot.load()
    }

    /// Every route's replay entries.
    pub const fn replay(&self) -> &Arc<replay::Registry> {
        &self.replay
    }

    /// Starts the health checks of every upstream that has one and where they do not run yet.
    pub fn spawn_health(&self, runtime: &tokio::runtime::Handle) {
        for route in &self.snapshot().routes {
            route.upstream.spawn_health(runtime);
        }
    }

    /// Begins to fetch what routes need, and keeps it fresh; further calls change nothing.
    pub fn spawn_fetching(&self, runtime: &tokio::runtime::Handle) {
        self.shared.fetching.spawn(runtime);
    }

    /// What is fetched.
    pub fn fetching(&self) -> &Arc<Fetching> {
        &self.shared.fetching
    }

    /// What all requests share.
    pub const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

impl Shared {
    pub(crate) fn new(around: Surroundings) -> Self {
        let Surroundings { clock, telemetry, exchanges, resolver } = around;
        let bodies = Arc::new(BodyBudget::default());
        let fetching = Fetching::new(clock.clone(), resolver);
        let body_timeout_ms = AtomicU64::new(0);
        Self { clock, bodies, exchanges, telemetry, fetching, body_timeout_ms }
    }

    /// From a complete head to the last byte of the body.
    pub fn body_timeout(&self) -> std::time::Duration {
        std::time::Duration::from_millis(self.body_timeout_ms.load(Ordering::Relaxed))
    }
}
