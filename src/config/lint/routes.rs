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
    let problem = cx
        .problem(
            Finding::RouteOverlap,
            &route_key(route, "path"),
            match found.kind {
                overlap::Kind::Same => {
                    format!("routes {} and {} claim the same requests", other.name, route.name)
                }
                overlap::Kind::Ambiguous => format!(
                    "routes {} and {} both match some requests, and neither is more specific",
                    other.name, route.name
                ),
                overlap::Kind::OtherFile => {
                    format!("routes {} and {} of different files overlap", other.name, route.name)
                }
            },
        )
        .detail(format!("{ours:?} here, {theirs:?} in {there}"));
    cx.found.push(problem);
}
