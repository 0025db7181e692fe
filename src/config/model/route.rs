//! `[routes.*]`.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU32,
    sync::Arc,
    time::Duration,
};

use http::{HeaderName, Method};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{AllowFrom, Check, Replay, Upstream};
use crate::{clock::UnixMs, net::CertificateRule, pairing, verify};

/// One `[routes.*]` with its provider's definition applied.
#[derive(Debug)]
pub struct Route {
    /// The table's name.
    pub name: Arc<str>,
    /// Hosts, lower case, without port; empty: any.
    pub hosts: Vec<String>,
    /// Path patterns, at least one.
    pub paths: Vec<String>,
    /// Methods taken.
    pub methods: Vec<Method>,
    /// The provider's name.
    pub provider: Arc<str>,
    /// The provider's definition.
    pub definition: Arc<verify::Definition>,
    /// The definition compiled for this route: expectations filled in, forbidden algorithms removed.
    pub scheme: Arc<verify::Scheme>,
    /// The active secrets and keys.
    pub keys: Arc<verify::KeyRing>,
    /// The secrets as configured, for `sign` and `verify`'s near misses.
    pub secrets: Vec<verify::Secret>,
    /// The public keys as configured, else those that the provider publishes.
    pub public_keys: Vec<verify::PublicKey>,
    /// Where the key goes that the provider hands over; `None`: it hands none over, or did.
    pub pairing: Option<pairing::Target>,
    /// `[routes.X.expect]`.
    pub expect: BTreeMap<String, String>,
    /// The source list; `None`: any source.
    pub allow_from: Option<AllowFrom>,
    /// What the connection's client certificate must be; `None`: none is needed.
    pub client_certificate: Option<Arc<CertificateRule>>,
    /// The policy's `require_https`, unless excepted.
    pub require_https: bool,
    /// When the policy's exception for this route ends, if it has one.
    pub excepted_until: Option<UnixMs>,
    /// Event patterns; empty: all.
    pub events: Vec<String>,
    /// All must hold.
    pub filters: Vec<Filter>,
    /// What happens to an event that is not wanted.
    pub on_unlisted_event: OnUnlisted,
    /// Checks that only report.
    pub monitor: BTreeSet<Check>,
    /// Replay rules; `None`: disabled, or the scheme has nothing to key on.
    pub replay: Option<Replay>,
    /// Body rules.
    pub body: Arc<Body>,
    /// Rate limits.
    pub rate_limit: RateLimits,
    /// Where it goes.
    pub upstream: Upstream,
    /// Every value that is in force with where it comes from, for `hookward routes`.
    pub in_force: Vec<InForce>,
}

/// One row of `hookward routes`.
#[derive(Clone, Debug)]
pub struct InForce {
    /// The key as it is written in a route, such as `replay.window`.
    pub key: &'static str,
    /// The value as it would be written in TOML; never a secret.
    pub value: String,
    /// Where it comes from.
    pub origin: Origin,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Built in.
    Default,
    /// The policy's floor.
    Policy,
    /// The provider's definition.
    Provider,
    /// The route's own table.
    Route,
    /// A table of the main file that all routes share, such as `[replay]`.
    Shared,
}

/// One element of `filters`.
#[derive(Clone, Debug)]
pub struct Filter {
    /// What is looked at.
    pub subject: FilterSubject,
    /// What must hold of it.
    pub test: FilterTest,
}

/// What a filter looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FilterSubject {
    /// A header's value.
    Header(HeaderName),
    /// A JSON pointer into the body.
    Json(String),
    /// A query parameter's decoded value.
    Query(String),
}

/// What must hold of a filter's subject.
#[derive(Clone, Debug)]
pub enum FilterTest {
    /// The same JSON value (a header or parameter: the same text).
    Equals(serde_json::Value),
    /// There, or not there.
    Exists(bool),
    /// A text that the pattern matches; `*` stands for any characters.
    Glob(String),
    /// One of these.
    In(Vec<serde_json::Value>),
    /// Anything but this; an absent subject passes.
    Not(serde_json::Value),
}

/// `on_unlisted_event`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnUnlisted {
    /// 204 `event_ignored`, not forwarded.
    #[default]
    Acknowledge,
    /// 422 `event_not_allowed`.
    Reject,
}

/// `[routes.X.body]`.
#[derive(Debug)]
pub struct Body {
    /// In bytes.
    pub max_size: usize,
    /// Media types taken, lower case, without parameters; empty: any.
    pub content_types: Vec<String>,
    /// The schema of every event without one of its own.
    pub schema: Option<Arc<crate::schema::Schema>>,
    /// Schemas by event type.
    pub schemas: BTreeMap<String, Arc<crate::schema::Schema>>,
}

/// `[routes.X.rate_limit]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RateLimits {
    /// Every request of a source, before anything is known of it.
    pub per_source: Option<Quota>,
    /// Failed authentications of a source.
    pub failures: Option<Quota>,
    /// What was authenticated and is no replay.
    pub per_route: Option<Quota>,
}

/// `{ rate = "100/1m", burst = 50 }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// How many in `per`.
    pub count: NonZeroU32,
    /// The period.
    pub per: Duration,
    /// How many at once.
    pub burst: NonZeroU32,
}
