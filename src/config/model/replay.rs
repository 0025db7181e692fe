//! `[replay]` and `[routes.X.replay]`.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::StatusSet;

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
