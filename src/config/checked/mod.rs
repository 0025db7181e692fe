//! The second stage: from raw tables and what they name to what the program believes.
//!
//! Pure: no file, no variable, no clock. Every problem is collected; where one was found the
//! result is `None` and nobody sees it.

mod address;
mod filters;
mod in_force;
mod keys;
mod limits;
mod memory;
mod path;
mod policy;
mod provider;
mod rates;
mod replay;
mod route;
mod server;
mod upstream;

use super::{
    disk::Disk,
    material::Material,
    model::{Config, Route},
    problems::Problems,
    quoted,
    raw::Raw,
};
use crate::clock::UnixMs;

/// What every check is given.
pub(super) struct Context<'a> {
    pub(super) problems: &'a Problems<'a>,
    /// Only resolves paths here.
    pub(super) disk: &'a Disk,
    pub(super) now: UnixMs,
    pub(super) digest: [u8; 32],
}

/// Makes the configuration; `None` only if a problem was reported.
pub(super) fn config(raw: &Raw, mut material: Material, cx: &Context<'_>) -> Option<Config> {
    let certificates = std::mem::take(&mut material.certificates);
    let server = server::server(cx, raw.server.as_ref(), certificates);
    let admin = raw.admin.as_ref().map(|admin| server::admin(cx, admin));
    server::no_address_twice(cx, raw.server.as_ref(), raw.admin.as_ref());
    let log = server::log(cx, raw.log.as_ref());
    let policy = policy::policy(cx, raw);
    let store = replay::store(cx, raw.replay.as_ref());
    let providers = provider::Providers::check(cx, &raw.providers);
    if raw.routes.is_empty() {
        cx.problems.missing(format_args!("routes"), "there is nothing to serve", "[routes.github]");
    }
    let mut checker = route::Checker::new(cx, raw, &policy, &providers, &store, &material.lists);
    let mut routes: Vec<Route> = Vec::with_capacity(raw.routes.len());
    for (name, table) in &raw.routes {
        keys::name(cx, format_args!("routes.{}", quoted(name)), name, "route");
        let own = material.routes.remove(name).unwrap_or_default();
        routes.extend(checker.route(name, table, own));
    }
    replay::share(cx, &store, &mut routes);
    for route in &mut routes {
        in_force::fill(route, raw);
    }
    Some(Config {
        digest: cx.digest,
        server: server?,
        admin,
        log,
        replay: store,
        policy,
        routes,
        files: Default::default(),
    })
}
