//! `[[handshake]]`: what a request must match, and what is answered.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Many, RawCondition};

/// One `[[handshake]]`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawHandshake {
    /// What it is called in audit lines.
    pub name: Option<String>,
    /// The methods it comes with; those of deliveries if absent.
    pub methods: Option<Vec<String>>,
    /// What tells it from a delivery; all must hold.
    pub when: Option<Many<RawCondition>>,
    /// true: answered only once signature and timestamp hold. false (default): judged before them,
    /// by the head alone.
    pub signed: Option<bool>,
    /// Sources that must be equal to a text (or one of several), such as a verify token.
    #[serde(rename = "match")]
    pub matches: Option<BTreeMap<String, Many<String>>>,
    /// The same, but left out where the route expects nothing under an optional key.
    pub narrow: Option<BTreeMap<String, Many<String>>>,
    /// What the answer repeats or authenticates.
    pub challenge: Option<RawChallenge>,
    /// `{mac}` in the answer: the challenge under the route's key.
    pub mac: Option<RawMac>,
    /// The answer; an empty 200 if absent.
    pub reply: Option<RawReply>,
    /// A URL that is called before the answer.
    pub call: Option<RawCall>,
    /// The challenge is a new key: taken only while an operator has armed the route.
    pub capture: Option<bool>,
}

/// `challenge`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawChallenge {
    /// The source, such as "query:challenge".
    pub from: Option<String>,
    /// "digits", "hex" (lower case), "uuid" or "word" (letters, digits and `-._~+/=`); anything
    /// if absent.
    pub grammar: Option<String>,
    /// The fewest bytes; 1 if absent.
    pub min: Option<usize>,
    /// The most bytes; 1024 if absent.
    pub max: Option<usize>,
}

/// `mac`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawMac {
    /// An HMAC that one of the signatures uses; that of the first signature if absent.
    pub algorithm: Option<String>,
    /// "hex" (default), "base64" or "base64url".
    pub encoding: Option<String>,
}

/// `call`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawCall {
    /// The source of the URL, such as "json:/SubscribeURL".
    pub url: Option<String>,
    /// The hosts that it may name; `*` stands for one label.
    pub hosts: Option<Vec<String>>,
}

/// `reply`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawReply {
    /// 200 (default) or 204.
    pub status: Option<u16>,
    /// "text/plain" (default) or "application/json".
    pub content_type: Option<String>,
    /// A text with `{challenge}`, `{mac}`, `{key_id}` and `{expect:KEY}`; `|json` quotes a value.
    pub body: Option<String>,
    /// Headers whose values are such texts.
    pub headers: Option<BTreeMap<String, String>>,
}
