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

pub use handshake::{RawCall, RawChallenge, RawHandshake, RawMac, RawReply};

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
    /// What the provider publishes its keys as; a route's own replace them.
    pub public_keys: Option<Vec<RawPublicKey>>,
    /// Where JSON or XML stands when the body is a form.
    pub document: Option<RawDocument>,
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
}

/// One element of `signature`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawSignature {
    /// Such as "hmac-sha256", "ed25519", "jws", "rfc9421", "token" or "none".
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
    /// "hex", "hex-any", "base64", "base64-any", "base64-percent" or "base64url".
    pub encoding: Option<String>,
    /// How the configured secret becomes the key.
    pub key: Option<RawKey>,
    /// Only the n-th configured secret, counted from 1.
    pub key_slot: Option<u32>,
    /// The source in which the message names its key.
    pub key_id: Option<String>,
    /// The template of what is signed; several: each is tried.
    pub signed: Option<Many<String>>,
    /// The candidate applies only if this holds; several: all of them.
    pub when: Option<Many<RawCondition>>,
    /// Where the message says which certificate its signature is verified with.
    pub certificate: Option<RawCertificate>,
    /// What must be equal: from a source to the template, or templates, that it must equal.
    #[serde(rename = "match")]
    pub matches: Option<BTreeMap<String, Many<RawExpected>>>,
    /// Of "jws": names of RFC 7518. Of "rfc9421": names of algorithms of this language.
    pub algorithms: Option<Vec<String>>,
    /// Of "jws": the template of the payload, where the token leaves it out.
    pub payload: Option<String>,
    /// Of "jws": claims that must be there; ["exp"] if absent.
    pub required: Option<Vec<String>>,
    /// Of "jws": the token only says who calls, and comes again with other messages.
    pub reusable: Option<bool>,
    /// Of "rfc9421": components that must be covered; an inner array is one of several sets, of
    /// which one must be covered.
    pub components: Option<Vec<RawComponents>>,
    /// The array of which every element is signed by itself; `item:` sources are inside it.
    pub each: Option<String>,
    /// How an ECDSA signature is written: "der" (default) or "raw".
    pub ecdsa: Option<String>,
}

/// `certificate`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawCertificate {
    /// The source of the URL.
    pub from: Option<String>,
    /// Hosts that the URL may name; `*` stands for one label.
    pub hosts: Option<Vec<String>>,
    /// What the URL's path must look like; `*` stands for anything.
    pub path: Option<String>,
}

/// One element of `components`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RawComponents {
    /// `"@method"`.
    One(String),
    /// `["@authority", "@path"]`.
    Set(Vec<String>),
}

/// What a source must be equal to: a template, or the digest of one.
#[derive(Clone, Debug)]
pub enum RawExpected {
    /// `"{header:ce-id}"`.
    Template(String),
    /// `{ of = "…", digest = "sha256" }`.
    Digest(RawDigest),
}

/// The table form of an expected value.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawDigest {
    /// The template that is hashed.
    pub of: Option<String>,
    /// "sha256" (default), "sha384" or "sha512".
    pub digest: Option<String>,
    /// "hex" (default), "base64" or "base64url".
    pub encoding: Option<String>,
    /// Instead of the others: the source must not be there.
    pub absent: Option<bool>,
}

/// One of a definition's `public_keys`: what the provider publishes.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawPublicKey {
    /// The key itself.
    pub value: Option<String>,
    /// Where the provider publishes its keys as a JSON Web Key Set.
    pub jwks_url: Option<String>,
    /// Its name in records.
    pub id: Option<String>,
}

/// `document`: where JSON or XML stands when the body is a form.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawDocument {
    /// The field's name.
    pub form: Option<String>,
    /// "base64" where the field's value is encoded.
    pub encoding: Option<String>,
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
    /// "sha1": the key is this digest of the secret.
    pub derive: Option<String>,
}

/// `timestamp`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawTimestamp {
    /// The source; several: each signature candidate must cover exactly one.
    pub from: Option<Many<String>>,
    /// "seconds", "milliseconds", "rfc3339" or "rfc3339-utc".
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
    /// A form field's name.
    pub form: Option<String>,
    /// An element of a structured header, as in "X-Settings/algorithm".
    pub pair: Option<String>,
    /// The method must be this; without `exists` and `equals`.
    pub method: Option<String>,
    /// The part must be there, or must not.
    pub exists: Option<bool>,
    /// The part's text must be this.
    pub equals: Option<Scalar>,
}

/// A string, number or boolean, taken as its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scalar(pub String);

/// One value, or an array of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Many<T>(pub Vec<T>);

#[cfg(test)]
mod tests;
