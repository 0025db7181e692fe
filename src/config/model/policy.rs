//! `[policy]`.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::Check;
use crate::{clock::UnixMs, verify};

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
