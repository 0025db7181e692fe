//! Replay protection: what was delivered already, and what is being delivered right now.
//!
//! Pure of HTTP and of clocks: time is handed in. A route has one [`RouteStore`], got by name from
//! the [`Registry`], which outlives reloads. A delivery is [`RouteStore::reserve`]d before it is
//! forwarded; the [`Reservation`] is committed when the upstream took it, and released when it is
//! dropped without that, so that whatever ends a request early lets the sender's retry through.
//!
//! | file | idea |
//! |---|---|
//! | `registry` | stores by route name, and the cache that owns all slots |
//! | `route` | the law: which claim is refused, and how |
//! | `reservation` | committing and releasing what was reserved |
//! | `windows` | a route's live time slots, and its exact count of entries |
//! | `slot` | one time slot's keys |
//! | `flight` | what is being forwarded right now, sharded |
//! | `key` | 16 bytes, mixed with a secret of the process |
//!
//! # Shape
//!
//! Keys are put into *time slots* by when they expire. A slot is one entry of a moka cache and holds
//! its whole set of keys, 20 bytes each; moka lets go of it as a whole. One cache entry per key was
//! measured: it costs several times the time and memory, and its maintenance pauses. Which slots
//! count is decided by the time handed in, not by moka's clock: moka only reclaims. A key lives for
//! its lifetime and at most one slot longer (an eighth of the window; half the lifetime where
//! lifetimes vary), never shorter.
//!
//! What is being forwarded stands in maps beside the slots, where nothing is ever evicted.

mod flight;
mod key;
mod registry;
mod reservation;
mod route;
mod slot;
mod windows;

#[cfg(test)]
mod law_tests;
#[cfg(test)]
mod tests;

pub use registry::Registry;
pub use reservation::Reservation;
pub use route::{Claimed, ContentClaim, Duplicates, RouteStore, Taken};

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks, also after a panic elsewhere: every critical section here leaves its map whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
