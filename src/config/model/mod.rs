//! The second stage: what the program believes. Strong types only, every problem already reported.
//!
//! Made from the raw tables by [`super::load`] alone; the running snapshot is built from it.

mod check;
mod fetch;
mod policy;
mod replay;
mod route;
mod server;
mod statuses;
mod upstream;

pub use check::Check;
pub use fetch::{AllowFrom, Fetch, IpList};
pub use policy::{Exception, Policy};
pub use replay::{OnDuplicate, OnError, OnFull, OnReplay, Replay, ReplayStore};
pub use route::{
    Body, Filter, FilterSubject, FilterTest, InForce, OnUnlisted, Origin, Quota, RateLimits, Route,
};
pub use server::{
    Admin, Answers, AuditSink, Authorities, Certificate, Limits, Log, LogFormat, ProxyProtocol,
    Server,
};
pub use statuses::StatusSet;
pub use upstream::{Health, SigningKey, Target, Upstream};

use std::{collections::BTreeSet, path::PathBuf};

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
    /// `[fetch]`.
    pub fetch: Fetch,
    /// `[replay]`.
    pub replay: ReplayStore,
    /// `[policy]`.
    pub policy: Policy,
    /// `[routes.*]`, sorted by name.
    pub routes: Vec<Route>,
    /// Every file whose content is part of the running state, for `--watch`.
    pub files: BTreeSet<PathBuf>,
}
