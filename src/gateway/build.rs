//! From a checked configuration to a running snapshot, at start and at reload.

use std::{collections::HashMap, path::Path, sync::Arc};

use arc_swap::ArcSwap;
use http::{HeaderName, HeaderValue};
use tokio_util::task::TaskTracker;

use crate::{
    clock::Clock,
    config::{
        self, LoadOptions, Problem,
        model::{self, Config, FilterSubject},
    },
    fetch::Resolver,
    limit,
    net::Sources,
    pairing, replay,
    telemetry::Telemetry,
    upstream::{self, Origins, TlsContext, Upstream},
};

use super::{AllowFrom, Gateway, Route, RouteKeys, Router, Shared, Snapshot};

/// What a gateway is put into.
#[derive(Debug)]
pub struct Surroundings {
    /// Both times.
    pub clock: Clock,
    /// Where decisions are made known.
    pub telemetry: Arc<Telemetry>,
    /// Exchanges that outlived their sender.
    pub exchanges: TaskTracker,
    /// How names are looked up of what is fetched.
    pub resolver: Resolver,
}

impl Surroundings {
    /// With the system's resolver.
    pub fn new(clock: Clock, telemetry: Arc<Telemetry>, exchanges: TaskTracker) -> Self {
        Self { clock, telemetry, exchanges, resolver: Resolver::system() }
    }
}

/// How many sources each rate limit keeps account of. A source that is forgotten begins anew.
const MAX_SOURCES: u64 = 100_000;

/// A reservation holds for the longest exchange and this much more.
const LEASE_MARGIN: std::time::Duration = std::time::Duration::from_secs(5);

/// Why a configuration cannot run.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The configuration has errors; each says where.
    #[error("{}", config::listed(.0))]
    Config(Vec<Problem>),
    /// A route's upstream cannot run.
    #[error("routes.{route}.upstream: {error}")]
    Upstream {
        /// The route's name.
        route: Arc<str>,
        /// What is wrong.
        error: upstream::BuildError,
    },
}

impl Gateway {
    /// Builds the gateway of a checked configuration.
    ///
    /// # Errors
    ///
    /// If an upstream cannot run as configured.
    pub fn new(config: &Config, around: Surroundings) -> Result<Arc<Self>, BuildError> {
        let gateway = Self {
            snapshot: ArcSwap::from_pointee(Snapshot::empty()),
            shared: Arc::new(Shared::new(around)),
            replay: Arc::new(replay::Registry::new()),
            limits: limit::Registry::new(MAX_SOURCES),
            pairings: pairing::Registry::default(),
            origins: Origins::default(),
        };
        gateway.apply(config)?;
        Ok(Arc::new(gateway))
    }

    /// Reads a configuration and builds its gateway, for embedding; see
    /// [`crate::layer::VerifyLayer`].
    ///
    /// # Errors
    ///
    /// Every problem of the configuration, or an upstream that cannot run.
    pub fn from_file(path: &Path) -> Result<Arc<Self>, BuildError> {
        let clock = Clock::system();
        let options = LoadOptions::new(clock.unix());
        let (loaded, _) =
            config::lint::load_and_lint(path, &options).map_err(BuildError::Config)?;
        let telemetry = Arc::new(Telemetry::new(clock.clone(), None));
        Self::new(&loaded.config, Surroundings::new(clock, telemetry, TaskTracker::new()))
    }

    /// Puts another configuration into force. It is built whole before it is swapped in; requests
    /// in flight keep the route they found. Replay entries and rate-limit budgets stay.
    ///
    /// # Errors
    ///
    /// If an upstream cannot run as configured; then the old configuration stays.
    pub fn apply(&self, config: &Config) -> Result<(), BuildError> {
        let snapshot = self.build(config)?;
        let limits = &config.server.limits;
        self.shared.bodies.resize(limits.body_memory);
        let patience = u64::try_from(limits.body_timeout.as_millis()).unwrap_or(u64::MAX);
        self.shared.body_timeout_ms.store(patience, std::sync::atomic::Ordering::Relaxed);
        self.shared.telemetry.configured(&config.digest);
        let routes = by_name(&snapshot);
        self.limits.retain(|name| routes.contains_key(name));
        self.pairings.retain(|name| routes.get(name).is_some_and(|r| r.keys.pairing().is_some()));
        self.shared.telemetry.metrics().retain(|name| routes.contains_key(name));
        drop(routes);
        let_go(self.snapshot.swap(Arc::new(snapshot)));
        Ok(())
    }

    fn build(&self, config: &Config) -> Result<Snapshot, BuildError> {
        let before = self.snapshot();
        let previous = by_name(&before);
        let tls = TlsContext::new();
        let build = |checked: &model::Route| {
            let previous = previous.get(&*checked.name).map(|route| &*route.upstream);
            Upstream::build(upstream::Build {
                settings: &checked.upstream,
                route: &checked.name,
                provider: &checked.provider,
                protected: protected(checked),
                tls: &tls,
                origins: &self.origins,
                previous,
            })
            .map_err(|error| BuildError::Upstream { route: Arc::clone(&checked.name), error })
        };
        // What can fail comes first: from here on, state that outlives reloads takes over settings.
        let upstreams = config.routes.iter().map(build).collect::<Result<Vec<_>, _>>()?;
        self.shared.fetching.configure(config);
        let mut router = Router::default();
        let mut routes = Vec::with_capacity(config.routes.len());
        for (index, (checked, upstream)) in config.routes.iter().zip(upstreams).enumerate() {
            insert(&mut router, checked, index);
            routes.push(Arc::new(self.route(config, checked, upstream)));
        }
        let trusted_proxies = Sources::new(&config.server.trusted_proxies);
        Ok(Snapshot { router, routes, trusted_proxies })
    }

    fn route(&self, config: &Config, checked: &model::Route, upstream: Upstream) -> Route {
        let target = checked.pairing.as_ref();
        let pairing = target.map(|target| self.pairings.route(&checked.name, target));
        let methods: Vec<&str> = checked.methods.iter().map(http::Method::as_str).collect();
        let ids = checked.secrets.iter().map(|secret| &*secret.id);
        let ids = ids.chain(checked.public_keys.iter().map(|key| &*key.id));
        Route {
            name: Arc::clone(&checked.name),
            provider: Arc::clone(&checked.provider),
            shared: Arc::clone(&self.shared),
            allow: HeaderValue::from_str(&methods.join(", "))
                .unwrap_or_else(|_| HeaderValue::from_static("")),
            methods: checked.methods.clone(),
            require_https: checked.require_https,
            excepted_until: checked.excepted_until,
            allow_from: checked
                .allow_from
                .as_ref()
                .map(|from| AllowFrom::new(from, self.shared.fetching.lists())),
            client_certificate: checked.client_certificate.clone(),
            limits: self.limits.route(&checked.name, &checked.rate_limit),
            definition: Arc::clone(&checked.definition),
            scheme: Arc::clone(&checked.scheme),
            keys: RouteKeys::new(checked, pairing),
            secrets: checked.secrets.clone(),
            public_keys: checked.public_keys.clone(),
            expect: checked.expect.clone(),
            monitor: checked.monitor.clone(),
            replay: checked.replay.clone().map(|rules| {
                let store = self.replay.route(&checked.name, &rules);
                (rules, store)
            }),
            events: checked.events.clone(),
            filters: checked.filters.clone(),
            on_unlisted_event: checked.on_unlisted_event,
            body: Arc::clone(&checked.body),
            lease: checked.upstream.timeout + LEASE_MARGIN,
            upstream: Arc::new(upstream),
            answers: config.server.answers,
            explained: 0.into(),
            telemetry: self.shared.telemetry.route(
                &checked.name,
                &checked.provider,
                ids.chain(target.map(|target| &*target.id)),
                &config.digest,
            ),
        }
    }
}

impl Snapshot {
    fn empty() -> Self {
        Self { router: Router::default(), routes: Vec::new(), trusted_proxies: Sources::new(&[]) }
    }
}

/// Whoever holds a snapshot last pays for dropping it, which takes tens of milliseconds where there
/// are thousands of routes: that should be nobody who serves a request.
fn let_go(old: Arc<Snapshot>) {
    // A request looks at it for microseconds, and keeps no more than its own route.
    for _ in 0..100 {
        if Arc::strong_count(&old) == 1 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    drop(old);
}

fn by_name(snapshot: &Snapshot) -> HashMap<&str, &Route> {
    snapshot.routes.iter().map(|route| (&*route.name, &**route)).collect()
}

fn insert(router: &mut Router, route: &model::Route, index: usize) {
    for path in &route.paths {
        if route.hosts.is_empty() {
            router.insert(None, path, index);
        }
        for host in &route.hosts {
            router.insert(Some(host), path, index);
        }
    }
}

/// The headers that the route's checks look at: a sender's `Connection` cannot name them away.
fn protected(route: &model::Route) -> Vec<HeaderName> {
    let filters = route.filters.iter().filter_map(|filter| match &filter.subject {
        FilterSubject::Header(name) => Some(name.clone()),
        FilterSubject::Json(_) | FilterSubject::Query(_) => None,
    });
    route.scheme.headers().into_iter().chain(filters).collect()
}
