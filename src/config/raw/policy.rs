use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Time, When};

/// `[policy]`: the floor under every route.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// HTTPS on the wire, or said so by a trusted proxy.
    pub require_https: Option<bool>,
    /// The whole body covered by an allowed algorithm; a token does not satisfy it.
    pub require_signature: Option<bool>,
    /// A timestamp that the signature covers.
    pub require_timestamp: Option<bool>,
    /// Replay protection enabled, enforced, and without its exceptions.
    pub require_replay_protection: Option<bool>,
    /// A source list that does not cover a /1 or more.
    pub require_allow_from: Option<bool>,
    /// Algorithms that no route may accept.
    pub forbid_algorithms: Option<Vec<String>>,
    /// The largest tolerance of a route.
    pub max_tolerance: Option<Time>,
    /// The shortest replay window of a route.
    pub min_window: Option<Time>,
    /// The shortest secret, in bytes.
    pub min_secret_bytes: Option<u32>,
    /// The checks that a route may monitor; left out: any; `[]`: none.
    pub may_monitor: Option<Vec<String>>,
    /// By route, what it may do nevertheless.
    pub exceptions: Option<BTreeMap<String, Exception>>,
}

/// `[policy.exceptions.ROUTE]`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// What is allowed: an algorithm's name, or a key of `[policy]` (without its `require_`).
    pub allow: Option<Vec<String>>,
    /// When the exception ends; from then on it is an error.
    pub until: Option<When>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Why it is there.
    pub reason: Option<String>,
}
