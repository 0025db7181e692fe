//! Routes that claim each other's requests.

use std::{collections::HashMap, path::PathBuf};

use super::{Context, Finding, overlap, route_key};
use crate::config::{model::Route, quoted};

pub(super) fn lint(cx: &mut Context<'_>) {
    let mut files: HashMap<PathBuf, usize> = HashMap::new();
    let claims: Vec<_> = cx
        .routes()
        .iter()
        .map(|route| {
            let place = cx.loaded.map.key(&format!("routes.{}", quoted(&route.name)));
            let file = place.map(|place| place.file).unwrap_or_default();
            let next = files.len();
            let file = *files.entry(file).or_insert(next);
            overlap::Claim { file, hosts: &route.hosts, paths: &route.paths }
        })
        .collect();
    for found in overlap::find(&claims) {
        let (Some(route), Some(other)) =
            (cx.routes().get(found.route), cx.routes().get(found.other))
        else {
            continue;
        };
        report(cx, found, route, other);
    }
}

fn report(cx: &mut Context<'_>, found: overlap::Overlap, route: &Route, other: &Route) {
    let path = |route: &Route, at: usize| route.paths.get(at).cloned().unwrap_or_default();
    let (ours, theirs) = (path(route, found.path), path(other, found.other_path));
    let key = format!("routes.{}", quoted(&other.name));
    let there = match cx.loaded.map.key(&key) {
        Some(place) => format!("{}:{}", place.file.display(), place.line),
        None => key,
    };
    let names = format!("routes {} and {}", other.name, route.name);
    let (finding, message) = match found.kind {
        overlap::Kind::Same => (Finding::RouteOverlap, format!("{names} claim the same requests")),
        overlap::Kind::OtherFile => {
            (Finding::RouteOverlap, format!("{names} of different files overlap"))
        }
        overlap::Kind::Ambiguous => (
            Finding::AmbiguousRoutes,
            format!("{names} both match some requests, and neither is more specific"),
        ),
    };
    let problem = cx
        .problem(finding, &route_key(route, "path"), message)
        .detail(format!("{ours:?} here, {theirs:?} in {there}"));
    cx.found.push(problem);
}
