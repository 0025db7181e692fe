//! `[policy]`: the floor that no route may fall below.
//!
//! The same rules are read here by `check`, at start and at reload; what has to hold at run time
//! too (HTTPS, forbidden algorithms) asks [`is_excepted`] as well.

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
