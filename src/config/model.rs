//! The second stage: what the program believes. Strong types only, every problem already reported.
//!
//! Made from the raw tables by [`super::load`] alone; the running snapshot is built from it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    net::SocketAddr,
    num::NonZeroU32,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use http::{HeaderName, HeaderValue, Method, StatusCode, Uri};
use ipnet::IpNet;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{clock::UnixMs, verify};

/// A whole configuration, its includes merged, its secrets, certificates and schemas read.
#[derive(Debug)]
pub struct Config {
    /// SHA-256 over every file that was read, in order: names the configuration in audit lines.
    pub digest: [u8; 32],
    /// `[server]`.
    pub server: Server,
    /// `[admin]`, if there is one.
    pub admin: Option<Admin>,
    /// `[log]`.
    pub log: Log,
    /// `[replay]`.
    pub replay: ReplayStore,
    /// `[policy]`.
    pub policy: Policy,
    /// `[routes.*]`, sorted by name.
    pub routes: Vec<Route>,
    /// Every file whose content is part of the running state, for `--watch`.
    pub files: BTreeSet<PathBuf>,
}

/// `[server]`.
#[derive(Debug, Clone)]
pub struct Server {
    /// Addresses to listen on; at least one.
    pub listen: Vec<SocketAddr>,
    /// Certificates; with at least one, every listener speaks TLS.
    pub tls: Vec<Certificate>,
    /// Whether refusals of authentication are told apart to the sender.
    pub answers: Answers,
    /// Whose forwarding headers and PROXY announcements are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether a PROXY header is expected.
    pub proxy_protocol: ProxyProtocol,
    /// Bounds.
    pub limits: Limits,
}

/// A certificate chain with its key, PEM contents already read.
#[derive(Clone)]
pub struct Certificate {
    /// The chain, leaf first, PEM.
    pub chain_pem: Vec<u8>,
    /// The private key, PEM; wiped when dropped.
    pub key_pem: zeroize::Zeroizing<Vec<u8>>,
    /// The file of the chain, for messages.
    pub chain_file: PathBuf,
    /// The file of the key, for messages.
    pub key_file: PathBuf,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("chain_file", &self.chain_file).finish_non_exhaustive()
    }
}

/// `server.answers`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Answers {
    /// With the code that names the cause.
    Codes,
    /// Every 401 like every other 401, every 403 like every other 403.
    #[default]
    Uniform,
}

/// `server.proxy_protocol`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ProxyProtocol {
    /// A PROXY header is not HTTP and is refused as such.
    #[default]
    Off,
    /// Taken from trusted proxies if there.
    Optional,
    /// Every connection must begin with one.
    Required,
}

/// `[server.limits]`.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Open connections altogether.
    pub connections: usize,
    /// Open connections of one source (IPv6: one /64); trusted proxies are exempt.
    pub connections_per_source: usize,
    /// A request head, in bytes.
    pub header_bytes: usize,
    /// Accept or first byte to complete head, PROXY header and TLS handshake included.
    pub header_timeout: Duration,
    /// Complete head to last body byte.
    pub body_timeout: Duration,
    /// Between requests of one connection.
    pub idle_timeout: Duration,
    /// All buffered bodies together, in bytes.
    pub body_memory: usize,
    /// How long a drain waits for requests in flight.
    pub shutdown_grace: Duration,
}

/// `[admin]`.
#[derive(Clone, Debug)]
pub struct Admin {
    /// The read-only admin listener, if any.
    pub listen: Option<SocketAddr>,
    /// Host names accepted besides loopback ones.
    pub hosts: Vec<String>,
    /// Listeners that serve `/healthz`, `/readyz` and `/metrics` alone.
    pub probes: Vec<SocketAddr>,
}

/// `[log]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// How log lines are written.
    pub format: LogFormat,
    /// A level name, or `tracing` directives.
    pub level: String,
    /// Where decisions are written, if anywhere.
    pub audit: Option<AuditSink>,
}

/// `log.format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object a line.
    #[default]
    Json,
    /// For people.
    Text,
}

/// `log.audit`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditSink {
    /// A file, appended to, mode 0600.
    File(PathBuf),
    /// Standard output.
    Stdout,
}

/// `[replay]`: the store that all routes share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayStore {
    /// Entries of all routes together.
    pub max_entries: usize,
    /// What happens when a route's share is full.
    pub on_full: OnFull,
    /// What happens when the store fails.
    pub on_error: OnError,
}

/// `replay.on_full`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnFull {
    /// Drop the route's own oldest entries, never reservations; counted.
    Evict,
    /// 503 `store_unavailable`.
    #[default]
    Reject,
}

/// `replay.on_error`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnError {
    /// Forward without replay protection; counted.
    Allow,
    /// 503 `store_unavailable`.
    #[default]
    Reject,
}

/// `[policy]`: the floor under every route. `None` and empty set no floor.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// HTTPS on the wire, or said so by a trusted proxy.
    pub require_https: bool,
    /// The whole body covered by an allowed algorithm.
    pub require_signature: bool,
    /// A covered timestamp.
    pub require_timestamp: bool,
    /// Replay protection enabled, enforced and without the exceptions.
    pub require_replay_protection: bool,
    /// A source list that does not cover a /1 or more.
    pub require_allow_from: bool,
    /// Algorithm names that no route may accept; removed from the candidates too.
    pub forbid_algorithms: BTreeSet<verify::Algorithm>,
    /// The largest tolerance.
    pub max_tolerance: Option<Duration>,
    /// The shortest replay window.
    pub min_window: Option<Duration>,
    /// The shortest secret, in bytes after decoding.
    pub min_secret_bytes: Option<usize>,
    /// Which checks may be monitored; `None` is any.
    pub may_monitor: Option<BTreeSet<Check>>,
    /// `[policy.exceptions.*]`, by route name.
    pub exceptions: BTreeMap<String, Exception>,
}

/// `[policy.exceptions.ROUTE]`.
#[derive(Clone, Debug)]
pub struct Exception {
    /// What is allowed to this route: an algorithm name, or a `[policy]` key without its `require_`.
    pub allow: BTreeSet<String>,
    /// When it ends.
    pub until: Option<UnixMs>,
    /// Who answers for it.
    pub owner: String,
    /// Why it is there.
    pub reason: String,
}

/// The checks that have a name in `monitor`, in `Hookward-Monitored` and in audit lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Check {
    /// Host, path and method.
    Route,
    /// HTTPS.
    Transport,
    /// The source list.
    Source,
    /// The rate limits.
    RateLimit,
    /// What the head says of signature, timestamp and id; monitored as `signature`.
    Claim,
    /// Size, media type and arrival of the body.
    Body,
    /// The signature.
    Signature,
    /// Freshness.
    Timestamp,
    /// Replay.
    Replay,
    /// Event list and filters.
    Events,
    /// JSON and schema.
    Schema,
}

impl Check {
    /// Every check, in drawing order.
    pub const ALL: &'static [Self] = &[
        Self::Route,
        Self::Transport,
        Self::Source,
        Self::RateLimit,
        Self::Claim,
        Self::Body,
        Self::Signature,
        Self::Timestamp,
        Self::Replay,
        Self::Events,
        Self::Schema,
    ];
    /// Those that a route may put into `monitor`.
    pub const MONITORABLE: &'static [Self] =
        &[Self::Source, Self::Signature, Self::Timestamp, Self::Replay, Self::Events, Self::Schema];

    /// The name under which a route monitors this check.
    pub const fn monitored_as(self) -> Self {
        match self {
            Self::Claim => Self::Signature,
            other => other,
        }
    }

    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Route => "route",
            Self::Transport => "transport",
            Self::Source => "source",
            Self::RateLimit => "rate_limit",
            Self::Claim => "claim",
            Self::Body => "body",
            Self::Signature => "signature",
            Self::Timestamp => "timestamp",
            Self::Replay => "replay",
            Self::Events => "events",
            Self::Schema => "schema",
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

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
    /// `[routes.X.expect]`.
    pub expect: BTreeMap<String, String>,
    /// The source list; `None`: any source.
    pub allow_from: Option<Vec<IpNet>>,
    /// The policy's `require_https`, unless excepted.
    pub require_https: bool,
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

/// `[routes.X.replay]` with the shared settings applied.
#[derive(Clone, Debug)]
pub struct Replay {
    /// How long an event id, or a content key without a signed time, is remembered.
    pub window: Duration,
    /// This route's share of the store, in entries.
    pub max_entries: usize,
    /// What happens when that is full.
    pub on_full: OnFull,
    /// What happens when the store fails.
    pub on_error: OnError,
    /// The same signed bytes again.
    pub on_replay: OnReplay,
    /// Other signed bytes, an event id already delivered.
    pub on_duplicate: OnDuplicate,
    /// Upstream statuses that commit.
    pub commit_on: StatusSet,
}

/// `on_replay`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnReplay {
    /// 200 `duplicate`, not forwarded.
    Acknowledge,
    /// 409 `replayed`.
    #[default]
    Reject,
}

/// `on_duplicate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnDuplicate {
    /// 200 `duplicate`, not forwarded.
    #[default]
    Acknowledge,
    /// Forwarded again.
    Forward,
    /// 409 `replayed`.
    Reject,
}

/// A set of HTTP statuses, written as `"2xx"` or `"204"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusSet(Vec<(u16, u16)>);

impl StatusSet {
    /// Reads patterns such as `"2xx"`, `"4xx"` or `"410"`; `None` for anything else.
    pub fn parse<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        patterns.into_iter().map(status_range).collect::<Option<Vec<_>>>().map(Self)
    }

    /// Whether the status is in the set.
    pub fn contains(&self, status: u16) -> bool {
        self.0.iter().any(|(low, high)| (*low..=*high).contains(&status))
    }

    /// Whether every 2xx status is in the set.
    pub fn contains_all_success(&self) -> bool {
        (200..300).all(|status| self.contains(status))
    }
}

fn status_range(pattern: &str) -> Option<(u16, u16)> {
    if let Some(class) = pattern.strip_suffix("xx") {
        let class = class.parse::<u16>().ok().filter(|c| (1..=5).contains(c))?;
        return Some((class * 100, class * 100 + 99));
    }
    let status = pattern.parse::<u16>().ok().filter(|s| (100..600).contains(s))?;
    (pattern.len() == 3).then_some((status, status))
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

/// `upstream`, in either form.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// Where to send, in order of preference.
    pub targets: Vec<Target>,
    /// To the last body byte of the answer's head: the whole exchange.
    pub timeout: Duration,
    /// To an established connection, TLS included.
    pub connect_timeout: Duration,
    /// How long an unused connection is kept.
    pub idle_timeout: Duration,
    /// Active health checks.
    pub health: Option<Health>,
    /// Headers set on every request.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// What the sender sees for an upstream's status.
    pub map_status: BTreeMap<u16, StatusCode>,
    /// Re-signing for the receiver; the first secret signs first.
    pub sign: Vec<Arc<SigningKey>>,
    /// Extra certificate authorities, PEM; `None`: the system's.
    pub ca_pem: Option<Vec<u8>>,
}

/// Where an upstream is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// `builtin:echo`.
    Echo,
    /// `http://` or `https://`.
    Url(Uri),
}

/// `upstream.health`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// The path asked with GET.
    pub path: String,
    /// How often.
    pub interval: Duration,
}

/// A secret that the gateway signs with, its bytes already decoded; wiped when dropped.
pub struct SigningKey(pub zeroize::Zeroizing<Vec<u8>>);

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_patterns() {
        let set = StatusSet::parse(["2xx", "410"]).unwrap();
        assert!(set.contains(299) && set.contains(410) && !set.contains(411));
        assert!(set.contains_all_success());
        for bad in ["", "xx", "6xx", "0xx", "99", "20", "2x", "abc", "2000"] {
            assert_eq!(StatusSet::parse([bad]), None, "{bad}");
        }
    }
}
