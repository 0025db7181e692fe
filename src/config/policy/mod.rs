//! `[policy]`: the floor that no route may fall below.
//!
//! `check`, start and reload ask here. What has to hold at run time too is part of each route:
//! `require_https`, and forbidden algorithms are no candidates of its scheme.

mod exceptions;
mod floor;

pub use self::exceptions::{Rule, is_excepted};
use super::{Loaded, Problem};

/// Finds every route that falls below the policy.
pub fn judge(loaded: &Loaded) -> Vec<Problem> {
    floor::judge(loaded)
}

#[cfg(test)]
mod tests;
