//! The definition language as it is written: serde tables without logic.
//!
//! What is required, and what the words mean, is [`super::Definition::check`]'s business. Both
//! built-in files and `[providers.*]` deserialize into [`RawDefinition`].

mod handshake;
mod read;
mod schema;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

pub use handshake::{RawChallenge, RawHandshake, RawMac, RawReply};

/// One provider's scheme, in the language of `docs/definitions.md`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawDefinition {
    /// The provider's own name for itself.
    pub title: Option<String>,
    /// Where the scheme is documented.
    pub docs: Option<String>,
    /// How sure the definition is: "sdk", "docs" or "third-party".
    pub evidence: Option<String>,
    /// Details that stay unverified; `check` notes them.
    pub open: Option<Vec<String>>,
    /// Further names, `provider` or `provider/variant`, under which vector files know the scheme.
    pub aliases: Option<Vec<String>>,
    /// Methods that the provider uses; POST if absent.
    pub methods: Option<Vec<String>>,
    /// Media types that the provider sends.
    pub content_types: Option<Vec<String>>,
    /// The largest body that the provider sends, such as "25MiB".
    pub max_size: Option<String>,
    /// How long the provider waits for an answer, such as "10s".
    pub deadline: Option<String>,
    /// What a retry looks like: "fresh", "identical" or "none".
    pub retries: Option<String>,
    /// Statuses after which the provider never tries again, such as "4xx".
    #[serde(rename = "final")]
    pub final_statuses: Option<Vec<String>>,
    /// Statuses after which the provider gives up the subscription itself, such as "410".
    pub destructive: Option<Vec<String>>,
    /// What our own 2xx answers must look like.
    pub acknowledgement: Option<RawAcknowledgement>,
    /// Deliveries that legitimately recur byte for byte: true, or a condition on covered content.
    pub repeats: Option<RawRepeats>,
    /// Where the signature is and what it covers; several: any that verifies suffices.
    pub signature: Option<Many<RawSignature>>,
    /// Where the signed time is.
    pub timestamp: Option<RawTimestamp>,
    /// Where event id and type are.
    pub event: Option<RawEvent>,
    /// What a route may or must say in its `expect` table.
    pub expect: Option<BTreeMap<String, RawExpect>>,
    /// What `hookward sign` makes when it is given no body.
    pub sample: Option<RawSample>,
    /// Requests by which the provider makes sure of the receiver, and how they are answered.
    pub handshake: Option<Many<RawHandshake>>,
}

/// `acknowledgement`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawAcknowledgement {
    /// The status; 200 if absent.
    pub status: Option<u16>,
    /// The answer's media type.
    pub content_type: Option<String>,
    /// The answer's body.
    pub body: Option<String>,
    /// true: it takes the place of an upstream's 2xx answer too. false (default): that is passed on.
    pub replace: Option<bool>,
}

/// One element of `signature`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawSignature {
    /// "hmac-sha256", "hmac-sha1", "hmac-sha384", "hmac-sha512" or "token".
    pub algorithm: Option<String>,
    /// The source that holds the signature, such as "header:X-Hub-Signature-256".
    pub from: Option<String>,
    /// "bare" (default), "list" or "pairs".
    pub format: Option<String>,
    /// What stands between elements of a list or between pairs; "," if absent.
    pub separator: Option<String>,
    /// What stands between key and value of a pair; "=" if absent.
    pub assign: Option<String>,
    /// The pair keys that hold signatures.
    pub value: Option<Many<String>>,
    /// What the value begins with.
    pub prefix: Option<String>,
    /// The shape of a list's elements where they carry a key id, with `{key_id}` and `{value}`.
    pub element: Option<String>,
    /// "hex", "hex-any", "base64", "base64-any" or "base64url".
    pub encoding: Option<String>,
    /// How the configured secret becomes the key.
    pub key: Option<RawKey>,
    /// Only the n-th configured secret, counted from 1.
    pub key_slot: Option<u32>,
    /// The source in which the message names its key.
    pub key_id: Option<String>,
    /// The template of what is signed.
    pub signed: Option<String>,
    /// The candidate applies only if this holds.
    pub when: Option<RawCondition>,
    /// Built by a later version.
    #[schemars(skip)]
    pub public_keys: Option<Later>,
    /// Built by a later version.
    #[schemars(skip)]
    pub certificate: Option<Later>,
    /// Built by a later version.
    #[schemars(skip)]
    pub claims: Option<Later>,
    /// Built by a later version.
    #[schemars(skip)]
    pub algorithms: Option<Later>,
    /// Built by a later version.
    #[schemars(skip)]
    pub components: Option<Later>,
    /// Built by a later version.
    #[schemars(skip)]
    pub each: Option<Later>,
}

/// `key`: the name of an encoding, or a table.
#[derive(Clone, Debug)]
pub enum RawKey {
    /// `key = "base64"`.
    Encoding(String),
    /// `key = { … }`.
    Table(RawKeyTable),
}

/// The table form of `key`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawKeyTable {
    /// "utf8", "hex" or "base64".
    pub encoding: Option<String>,
    /// Stripped from the secret if it is there.
    pub prefix: Option<String>,
    /// The shortest key after decoding, in bytes.
    pub min_bytes: Option<usize>,
    /// Built by a later version.
    #[schemars(skip)]
    pub derive: Option<Later>,
}

/// `timestamp`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawTimestamp {
    /// The source; several: each signature candidate must cover exactly one.
    pub from: Option<Many<String>>,
    /// "seconds", "milliseconds" or "rfc3339".
    pub unit: Option<String>,
    /// How far the signed time may be from now; "5m" if absent.
    pub tolerance: Option<String>,
}

/// `event`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawEvent {
    /// The sources of event ids.
    pub id: Option<Many<String>>,
    /// The sources of the event type, in order: the first that is there counts.
    #[serde(rename = "type")]
    pub kind: Option<Many<String>>,
}

/// One `[expect.KEY]`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawExpect {
    /// What the value is.
    pub about: Option<String>,
    /// What is taken if the route says nothing; absent: the route must say it.
    pub default: Option<String>,
    /// The route need not say it; handshakes that need it are refused then.
    pub optional: Option<bool>,
}

impl RawExpect {
    /// Whether a route has to say it.
    pub fn is_required(&self) -> bool {
        self.default.is_none() && self.optional != Some(true)
    }
}

/// `sample`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawSample {
    /// The body.
    pub body: Option<String>,
    /// Headers besides signature, timestamp and id.
    pub headers: Option<BTreeMap<String, String>>,
    /// Query parameters.
    pub query: Option<BTreeMap<String, String>>,
}

/// `repeats`.
#[derive(Clone, Debug)]
pub enum RawRepeats {
    /// All deliveries, or none.
    Always(bool),
    /// Those for which this holds.
    When(RawCondition),
}

/// A condition on one part of a message.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawCondition {
    /// A header's name.
    pub header: Option<String>,
    /// A JSON pointer into the body.
    pub json: Option<String>,
    /// A query parameter's name.
    pub query: Option<String>,
    /// The part must be there, or must not.
    pub exists: Option<bool>,
    /// The part's text must be this.
    pub equals: Option<Scalar>,
}

/// A string, number or boolean, taken as its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scalar(pub String);

/// Anything at all, under a key whose meaning a later version brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Later;

/// One value, or an array of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Many<T>(pub Vec<T>);

#[cfg(test)]
mod tests;
