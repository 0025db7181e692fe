//! Routes whose key is handed over by the provider, and that do not have it yet.

use super::Context;
use crate::{
    config::{Problem, material::RouteMaterial, model::Policy},
    pairing::Target,
};

/// Where the next key of a route goes, if one of its secrets is not there yet.
pub(super) fn target(
    cx: &Context<'_>,
    at: &str,
    name: &str,
    policy: &Policy,
    own: &RouteMaterial,
) -> Option<Target> {
    let vacant = own.vacant.first()?;
    let key = format_args!("routes.{at}.secrets[{}]", vacant.number).to_string();
    let until = format!("until `hookward pair {name}`");
    let text = if own.secrets.is_empty() {
        format!("{key}: no key yet: every delivery is refused {until}")
    } else {
        format!("{key}: no key yet: what is signed with it is refused {until}")
    };
    let problem = Problem::note(text).detail(format!("its file is {}", vacant.file.display()));
    cx.problems.push(problem, format_args!("{key}"));
    let excepted = policy.exceptions.get(name);
    let excepted = excepted.is_some_and(|exception| exception.allow.contains("min_secret_bytes"));
    Some(Target {
        file: vacant.file.clone(),
        id: vacant.id.clone(),
        id_is_explicit: vacant.id_is_explicit,
        expires: vacant.expires,
        position: vacant.number,
        min_bytes: policy.min_secret_bytes.filter(|_| !excepted).unwrap_or(0),
    })
}
