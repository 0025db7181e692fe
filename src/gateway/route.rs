//! A running route: everything that its requests are judged by.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use http::{HeaderValue, Method};

use crate::{
    clock::UnixMs,
    config::model::{self, Answers, Body, Check, Filter, OnUnlisted},
    limit,
    net::CertificateRule,
    replay::RouteStore,
    telemetry::RouteTelemetry,
    upstream::Upstream,
    verify::{Definition, PublicKey, Scheme, Secret},
};

use super::{AllowFrom, RouteKeys, Shared};

/// One route in force.
#[derive(Debug)]
pub struct Route {
    /// The table's name in the configuration.
    pub name: Arc<str>,
    /// The provider's name.
    pub provider: Arc<str>,
    /// What all requests share.
    pub shared: Arc<Shared>,
    /// Methods taken.
    pub methods: Vec<Method>,
    /// The same as an `Allow` header.
    pub allow: HeaderValue,
    /// Whether plain HTTP is refused.
    pub require_https: bool,
    /// When the policy's exception for this route ends, and with it the route.
    pub excepted_until: Option<UnixMs>,
    /// The source list.
    pub allow_from: Option<AllowFrom>,
    /// What the connection's client certificate must be.
    pub client_certificate: Option<Arc<CertificateRule>>,
    /// Rate limits.
    pub limits: limit::RouteLimits,
    /// The provider's definition.
    pub definition: Arc<Definition>,
    /// The definition compiled for this route.
    pub scheme: Arc<Scheme>,
    /// The active keys.
    pub keys: RouteKeys,
    /// The secrets as configured, for near misses.
    pub secrets: Vec<Secret>,
    /// The public keys as configured or published, for near misses.
    pub public_keys: Vec<PublicKey>,
    /// `[routes.X.expect]`, for near misses.
    pub expect: BTreeMap<String, String>,
    /// Checks that only report.
    pub monitor: BTreeSet<Check>,
    /// Rules and store of replay protection, if it is enabled.
    pub replay: Option<(model::Replay, Arc<RouteStore>)>,
    /// Event patterns; empty: all.
    pub events: Vec<String>,
    /// All must hold.
    pub filters: Vec<Filter>,
    /// What happens to an event that is not wanted.
    pub on_unlisted_event: OnUnlisted,
    /// Size, media types, schemas.
    pub body: Arc<Body>,
    /// Where it goes.
    pub upstream: Arc<Upstream>,
    /// The longest that one exchange can take: how long a reservation holds.
    pub lease: Duration,
    /// Whether refusals of authentication are told apart to the sender.
    pub answers: Answers,
    /// When a near miss was last looked for, in seconds of the monotonic clock, plus one.
    pub(super) explained: AtomicU64,
    /// What is counted and told of this route.
    pub telemetry: RouteTelemetry,
}

impl Route {
    /// Whether a mismatch is worth explaining now: only where an audit line will say it, and once
    /// a second, because strangers decide how often there is one.
    pub fn explains_now(&self) -> bool {
        let second = self.shared.clock.mono().as_secs() + 1;
        self.shared.telemetry.audits()
            && self.explained.fetch_max(second, Ordering::Relaxed) < second
    }

    /// Whether a failure of this check is only recorded.
    pub fn monitors(&self, check: Check) -> bool {
        !self.monitor.is_empty() && self.monitor.contains(&check.monitored_as())
    }
}
