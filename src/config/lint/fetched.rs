//! What will be fetched, and from where: `check` itself fetches nothing.

use std::collections::BTreeSet;

use super::{Context, Finding, route_key};
use crate::{
    config::{
        model::{IpList, Route},
        quoted,
        raw::Time,
    },
    net::Target,
    verify::Origin,
};

pub(super) fn lint(cx: &mut Context<'_>) {
    let mut told = BTreeSet::new();
    for route in cx.routes() {
        for list in route.allow_from.iter().flat_map(|from| &from.lists) {
            if told.insert(list.name.to_string()) {
                self::list(cx, route, list);
            }
        }
        for remote in route.keys.remotes() {
            match remote.origin() {
                Origin::Certificates if told.insert(format!("@{}", route.provider)) => {
                    certificates(cx, route);
                }
                Origin::Jwks { url } if told.insert(url.to_string()) => keys(cx, route, url),
                Origin::Certificates | Origin::Jwks { .. } => {}
            }
        }
    }
}

fn list(cx: &mut Context<'_>, route: &Route, list: &IpList) {
    let section = format!("ip_lists.{}.url", quoted(&list.name));
    let is_written = cx.loaded.map.contains(&section);
    let key = if is_written { section } else { route_key(route, "allow_from") };
    let (name, url, every) = (&list.name, &list.url, Time::show(list.refresh));
    let message = format!("the addresses @{name} will be fetched from {url} every {every}");
    let until = match list.file {
        Some(_) => "until the first answer its file counts",
        None => "until the first answer who is on no other list gets 503",
    };
    cx.found.push(cx.problem(Finding::ToBeFetched, &key, message).detail(until));
}

fn keys(cx: &mut Context<'_>, route: &Route, url: &str) {
    let Ok(url) = Target::configured(url) else { return };
    let message = format!("the keys of {} will be fetched from {url}", route.name);
    let until = "until the first answer its deliveries get 503";
    let key = route_key(route, "public_keys");
    cx.found.push(cx.problem(Finding::ToBeFetched, &key, message).detail(until));
}

fn certificates(cx: &mut Context<'_>, route: &Route) {
    let message = format!(
        "certificates that messages of {} name will be fetched, from the provider's hosts alone",
        route.provider
    );
    let key = route_key(route, "provider");
    cx.found.push(cx.problem(Finding::ToBeFetched, &key, message));
}
