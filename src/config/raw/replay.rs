use schemars::JsonSchema;
use serde::Deserialize;

use super::{Store, Time};
use crate::config::model::{OnDuplicate, OnError, OnFull, OnReplay};

/// `[replay]`: the store that all routes share.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SharedReplay {
    /// Where entries are kept. Default `"memory"`.
    pub store: Option<Store>,
    /// Entries of all routes together. Default 1000000.
    pub max_entries: Option<u64>,
    /// What happens when a route's share is full: `"reject"` answers 503, `"evict"` drops the
    /// route's own oldest entries. Default `"reject"`.
    pub on_full: Option<OnFull>,
    /// What happens when the store fails: `"reject"` answers 503, `"allow"` forwards unprotected.
    /// Default `"reject"`.
    pub on_error: Option<OnError>,
}

/// `[routes.NAME.replay]`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RouteReplay {
    /// Default: wherever the scheme allows it.
    pub enabled: Option<bool>,
    /// How long an event id, or content without a signed time, is remembered. Default `"24h"`.
    pub window: Option<Time>,
    /// This route's share of the store. Default: an equal one.
    pub max_entries: Option<u64>,
    /// The same signed bytes again: `"reject"` (409) or `"acknowledge"` (200, not forwarded).
    /// Default `"reject"`, unless the provider's own retries are byte for byte the same.
    pub on_replay: Option<OnReplay>,
    /// New bytes with an event id already delivered: `"acknowledge"` (200, not forwarded),
    /// `"reject"` (409) or `"forward"`. Default `"acknowledge"`.
    pub on_duplicate: Option<OnDuplicate>,
    /// Upstream statuses after which the delivery counts as made. Default `["2xx"]`.
    pub commit_on: Option<Vec<String>>,
}
