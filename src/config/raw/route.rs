use std::{collections::BTreeMap, path::PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use super::{OneOrMany, PublicKey, Rate, RouteReplay, Scalar, Secret, Size, Time, Upstream};
use crate::config::model::OnUnlisted;

/// `[routes.NAME]`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Host names, without port. Left out: any.
    pub host: Option<OneOrMany>,
    /// `"/exact"`, `"/x/{name}"` or `"/x/*"`.
    pub path: Option<OneOrMany>,
    /// Default: what the provider uses.
    pub methods: Option<Vec<String>>,
    /// A built-in provider, or one from `[providers.*]`.
    pub provider: Option<String>,
    /// Any of them verifies.
    pub secrets: Option<Vec<Secret>>,
    /// Of schemes with public keys: any of them verifies. Default: what the provider publishes.
    pub public_keys: Option<Vec<PublicKey>>,
    /// Networks, and `"@NAME"` for a list from `[ip_lists.*]`. Left out: any source.
    pub allow_from: Option<Vec<String>>,
    /// What the connection's client certificate must be. Left out: none is needed.
    pub client_certificate: Option<ClientCertificate>,
    /// How far a signed time may be away, to either side. Default: the provider's.
    pub tolerance: Option<Time>,
    /// Event types that are wanted; `*` matches anything, dots too. Left out: all.
    pub events: Option<Vec<String>>,
    /// Finer than events; all must hold.
    pub filters: Option<Vec<Filter>>,
    /// What happens to what is not wanted: `"acknowledge"` (204, not forwarded) or `"reject"`
    /// (422). Default `"acknowledge"`.
    pub on_unlisted_event: Option<OnUnlisted>,
    /// Checks that only report: `"source"`, `"signature"`, `"timestamp"`, `"replay"`, `"events"`,
    /// `"schema"`.
    pub monitor: Option<Vec<String>>,
    /// Replay protection.
    pub replay: Option<RouteReplay>,
    /// Bounds and schemas of the body.
    pub body: Option<Body>,
    /// Rate limits.
    pub rate_limit: Option<RateLimit>,
    /// What the provider's scheme must be told.
    pub expect: Option<BTreeMap<String, String>>,
    /// A URL, `"builtin:echo"`, or the table form.
    pub upstream: Option<Upstream>,
}

/// `[routes.NAME.client_certificate]`: all that is given must hold, of each one value.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientCertificate {
    /// Parts of the subject, such as `"CN=hooks.example.com,O=Example"`, or its common name.
    pub subject: Option<OneOrMany>,
    /// A host, which may begin with `*.` for one label; an address; an email address; a URI.
    pub san: Option<OneOrMany>,
    /// The fingerprint: SHA-256 of the certificate, hexadecimal.
    pub sha256: Option<OneOrMany>,
}

/// One element of `filters`: one subject and one test.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// Looks at a JSON pointer into the body.
    pub json: Option<String>,
    /// Looks at a header.
    pub header: Option<String>,
    /// Looks at a query parameter.
    pub query: Option<String>,
    /// The same value.
    pub equals: Option<Scalar>,
    /// Any other value, or none.
    pub not: Option<Scalar>,
    /// One of these values.
    #[serde(rename = "in")]
    pub any_of: Option<Vec<Scalar>>,
    /// A text that the pattern matches; `*` stands for any characters.
    pub glob: Option<String>,
    /// There, or not there.
    pub exists: Option<bool>,
}

/// `[routes.NAME.body]`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Body {
    /// Default: the provider's, else `"1MiB"`.
    pub max_size: Option<Size>,
    /// Media types taken. Left out: any.
    pub content_types: Option<Vec<String>>,
    /// A JSON Schema for every event without one of its own; relative to the configuration.
    pub schema: Option<PathBuf>,
    /// JSON Schemas by event type.
    pub schemas: Option<BTreeMap<String, PathBuf>>,
}

/// `[routes.NAME.rate_limit]`. Left out: none.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// Every request of a source, before anything is known of it.
    pub per_source: Option<Quota>,
    /// Failed authentications of a source.
    pub failures: Option<Quota>,
    /// What was authenticated and is no replay.
    pub per_route: Option<Quota>,
}

/// `{ rate = "100/1m", burst = 50 }`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// How many in which time.
    pub rate: Option<Rate>,
    /// How many at once. Default: as many as in the rate.
    pub burst: Option<u32>,
}
