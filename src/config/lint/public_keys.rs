//! Public keys: from where they come.

use std::collections::BTreeSet;

use super::{Context, Finding, route_key};
use crate::{
    config::model::Route,
    verify::{Origin, PublicKeys, definition::PublishedAs},
};

pub(super) fn lint(cx: &mut Context<'_>) {
    for route in cx.routes() {
        foreign(cx, route);
    }
}

/// Keys that are fetched from elsewhere than where the provider publishes its own.
fn foreign(cx: &mut Context<'_>, route: &Route) {
    let published: BTreeSet<_> = (route.definition.public_keys.iter())
        .filter_map(|key| match &key.keys {
            PublishedAs::Jwks(url) => host(url),
            PublishedAs::Value(_) => None,
        })
        .collect();
    if published.is_empty() {
        return;
    }
    for (at, key) in route.public_keys.iter().enumerate() {
        let PublicKeys::Remote(remote) = &key.keys else { continue };
        let Origin::Jwks { url } = remote.origin() else { continue };
        let Some(host) = host(url).filter(|host| !published.contains(host)) else { continue };
        let own: Vec<_> = published.iter().map(String::as_str).collect();
        let problem = cx
            .problem(
                Finding::ForeignKeys,
                &route_key(route, &format!("public_keys[{at}].jwks_url")),
                format!("route {} takes its keys from {host}", route.name),
            )
            .detail(format!("{} publishes its keys at {}", route.provider, own.join(", ")));
        cx.found.push(problem);
    }
}

fn host(url: &str) -> Option<String> {
    let uri: http::Uri = url.parse().ok()?;
    uri.host().map(str::to_ascii_lowercase)
}
