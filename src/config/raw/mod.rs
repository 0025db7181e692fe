//! The first stage: the tables as they are written, one file each, no logic.
//!
//! Every field is an `Option`: what is required is the second stage's business. Scalars with a
//! unit (`"5m"`, `"1MiB"`, `"100/1m"`) are read here, so that their errors point at them.

mod admin;
mod fetch;
mod ip_list;
mod log;
mod policy;
mod public_key;
mod replay;
mod route;
mod scalar;
mod secret;
mod server;
mod upstream;

use std::collections::BTreeMap;

use schemars::JsonSchema;

pub use self::{
    admin::Admin,
    fetch::Fetch,
    ip_list::{IpList, ListFilter},
    log::Log,
    policy::{Exception, Policy},
    public_key::PublicKey,
    replay::{RouteReplay, SharedReplay},
    route::{Body, ClientCertificate, Filter, Quota, RateLimit, Route},
    scalar::{OneOrMany, Rate, Scalar, Size, Store, Time, When},
    secret::{Inline, Secret},
    server::{Limits, Server, Tls},
    upstream::{Health, Sign, Table as UpstreamTable, Upstream},
};

pub use crate::verify::definition::RawDefinition as Provider;

/// A configuration of Hookward, a verification gateway for webhooks.
#[derive(Clone, Debug, Default, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Raw {
    /// Files to read besides this one, relative to it; `*` and `?` match, the result is sorted.
    /// They may add routes, providers and IP lists only.
    pub include: Option<Vec<String>>,
    /// Listeners and their bounds.
    pub server: Option<Server>,
    /// The listener for health, metrics and pairing.
    pub admin: Option<Admin>,
    /// Logs and the audit file.
    pub log: Option<Log>,
    /// How key sets, certificates and address lists are fetched.
    pub fetch: Option<Fetch>,
    /// The replay store that all routes share.
    pub replay: Option<SharedReplay>,
    /// The floor that no route may fall below; a key that is left out sets none.
    pub policy: Option<Policy>,
    /// What is received, and where it goes.
    #[schemars(with = "Option<BTreeMap<String, Route>>")]
    pub routes: BTreeMap<String, Route>,
    /// Named lists of addresses, for `allow_from = ["@NAME"]`.
    #[schemars(with = "Option<BTreeMap<String, IpList>>")]
    pub ip_lists: BTreeMap<String, IpList>,
    /// Schemes of your own; the names of built-in providers are reserved.
    #[schemars(with = "Option<BTreeMap<String, Provider>>")]
    pub providers: BTreeMap<String, Provider>,
}
