//! Near misses: what would have matched where a signature did not.
//!
//! For people who set a route up, and for one audit line a second at most: nothing here decides
//! anything. At most one thing about the message or the configuration is varied at a time, so the
//! work is bounded by the number of secrets.

mod body;
mod miss;
mod public;
mod search;
mod spelling;

use std::sync::Arc;

pub use body::Reshaped;
pub use miss::{KeyChange, NearMiss};

use super::{Definition, Head, PublicKey, SchemeOptions, Secret};
use crate::clock::UnixMs;
use search::Search;

/// More secrets than this are not tried.
const MAX_SECRETS: usize = 8;
/// More findings than this are not worth reading.
const MAX_MISSES: usize = 8;
/// Larger bodies are not looked at: every trial reads the whole of it.
const MAX_BODY: usize = 4 * 1024 * 1024;
/// Larger bodies are not reshaped.
const MAX_RESHAPED: usize = 256 * 1024;

/// What is tried on a message.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tried<'k> {
    /// Secrets, expired ones too.
    pub secrets: &'k [Secret],
    /// Public keys, expired ones too.
    pub public_keys: &'k [PublicKey],
}

/// Finds what would have matched; the likeliest cause first, none twice.
///
/// Empty where the signature matches as it is, or nothing near does. No finding shows a secret.
pub fn explain(
    definition: &Arc<Definition>,
    options: &SchemeOptions,
    tried: Tried<'_>,
    head: Head<'_>,
    body: &[u8],
    now: UnixMs,
) -> Vec<NearMiss> {
    if body.len() > MAX_BODY {
        return Vec::new();
    }
    let Some(mut search) = Search::new(definition, options, tried, head, body, now) else {
        return Vec::new();
    };
    search.run();
    search.misses.truncate(MAX_MISSES);
    search.misses
}

#[cfg(test)]
mod tests;
