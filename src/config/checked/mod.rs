//! The second stage: from raw tables and what they name to what the program believes.
//!
//! Pure: no file, no variable, no clock. Every problem is collected; where one was found the
//! result is `None` and nobody sees it.

mod address;
mod body;
mod certificate;
mod credentials;
mod fetch;
mod filters;
mod in_force;
mod ip_lists;
mod keys;
mod limits;
mod memory;
mod pairing;
mod path;
mod policy;
mod provider;
mod rates;
mod replay;
mod route;
mod server;
mod upstream;

use super::{
    Problem,
    disk::Disk,
    material::Material,
    model::{Config, Route, Server},
    problems::Problems,
    quoted,
    raw::{Raw, Size},
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

/// A body that is larger than all bodies together may be is always refused.
fn bodies_fit(cx: &Context<'_>, server: &Server, routes: &[Route]) {
    let room = server.limits.body_memory;
    for route in routes.iter().filter(|route| route.body.max_size > room) {
        let key = format!("routes.{}.body.max_size", quoted(&route.name));
        let (size, room) = (Size::show(route.body.max_size as u64), Size::show(room as u64));
        let text = format!("{key} is {size}, and server.limits.body_memory is {room}");
        let problem = Problem::warning(text).detail("larger bodies are always refused (503)");
        cx.problems.push(problem, format_args!("{key}"));
    }
}

/// Makes the configuration; `None` only if a problem was reported.
pub(super) fn config(raw: &Raw, mut material: Material, cx: &Context<'_>) -> Option<Config> {
    let certificates = std::mem::take(&mut material.certificates);
    let server = server::server(cx, raw.server.as_ref(), certificates);
    let admin = raw.admin.as_ref().map(|admin| server::admin(cx, admin));
    server::no_address_twice(cx, raw.server.as_ref(), raw.admin.as_ref());
    let log = server::log(cx, raw.log.as_ref());
    let fetch = fetch::fetch(cx, raw.fetch.as_ref(), material.fetch_ca_pem.take());
    let policy = policy::policy(cx, raw);
    let store = replay::store(cx, raw.replay.as_ref());
    let providers = provider::Providers::check(cx, &raw.providers);
    if raw.routes.is_empty() {
        cx.problems.missing(format_args!("routes"), "there is nothing to serve", "[routes.github]");
    }
    let lists = ip_lists::IpLists::check(cx, &raw.ip_lists, std::mem::take(&mut material.lists));
    let remotes = std::mem::take(&mut material.remotes);
    let mut checker = route::Checker::new(cx, raw, &policy, &providers, &store, &lists, remotes);
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
    if let Some(server) = &server {
        bodies_fit(cx, server, &routes);
    }
    Some(Config {
        digest: cx.digest,
        server: server?,
        admin,
        log,
        fetch,
        replay: store,
        policy,
        routes,
        files: Default::default(),
    })
}
