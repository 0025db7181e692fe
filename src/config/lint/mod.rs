//! What will hurt at three in the morning, and what an attacker would look for first.
//!
//! `check`, start and reload run the same code: [`load_and_lint`]. Each lint is a function over a
//! loaded configuration in a file named after what it looks at.

mod deliveries;
pub(crate) mod facts;
mod fetched;
mod handshakes;
mod listeners;
mod overlap;
mod placeholder;
mod public_keys;
mod routes;
mod scheme;
mod secrets;
mod table;

use std::path::Path;

pub(crate) use self::listeners::is_same;
pub(in crate::config) use self::table::Finding;
pub use self::table::TABLE;
use super::{
    LoadOptions, Loaded, Place, Problem, load::load_what_can_be, model::Route, policy,
    problems::finish, quoted,
};

/// Loads a configuration and lints it.
///
/// The second part of the result holds warnings and notes, of loading too, in the order of
/// [`sort`].
///
/// # Errors
///
/// All problems at once, sorted the same way; at least one of them is an error.
pub fn load_and_lint(
    path: &Path,
    options: &LoadOptions,
) -> Result<(Loaded, Vec<Problem>), Vec<Problem>> {
    let mut loaded = match load_what_can_be(path, options) {
        Ok(loaded) => loaded,
        Err(mut problems) => {
            sort(&mut problems);
            return Err(problems);
        }
    };
    let found = lint(&loaded);
    loaded.problems.extend(found);
    if loaded.has_errors() {
        let mut problems = finish(loaded.problems, &loaded.map);
        sort(&mut problems);
        return Err(problems);
    }
    let mut problems = std::mem::take(&mut loaded.problems);
    sort(&mut problems);
    Ok((loaded, problems))
}

/// Holds a configuration against its policy and all lints.
pub fn lint(loaded: &Loaded) -> Vec<Problem> {
    let mut found = policy::judge(loaded);
    let mut cx = Context { loaded, found: Vec::new() };
    listeners::lint(&mut cx);
    routes::lint(&mut cx);
    secrets::lint(&mut cx);
    public_keys::lint(&mut cx);
    scheme::lint(&mut cx);
    handshakes::lint(&mut cx);
    deliveries::lint(&mut cx);
    fetched::lint(&mut cx);
    found.append(&mut cx.found);
    found
}

/// Errors first, then by file and line; equal ones once.
pub fn sort(problems: &mut Vec<Problem>) {
    let position = |place: &Place| (place.file.clone(), place.line, place.column);
    problems.sort_by_cached_key(|p| (p.severity, p.at.as_ref().map(position), p.message.clone()));
    problems.dedup();
}

/// What a lint sees, and where it puts what it finds.
struct Context<'a> {
    loaded: &'a Loaded,
    found: Vec<Problem>,
}

impl<'a> Context<'a> {
    fn routes(&self) -> &'a [Route] {
        &self.loaded.config.routes
    }

    /// A finding at a key; of a key that is not written, at its nearest table.
    fn problem(&self, finding: Finding, key: &str, message: impl Into<String>) -> Problem {
        Problem::new(finding.severity(), message).at(self.loaded.map.key(key))
    }
}

/// The path of a route's key.
pub(in crate::config) fn route_key(route: &Route, key: &str) -> String {
    format!("routes.{}.{key}", quoted(&route.name))
}

#[cfg(test)]
pub(in crate::config) mod tests;
