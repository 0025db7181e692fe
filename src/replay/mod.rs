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
//! | `spread` | a map that grows piece by piece |
//! | `flight` | what is being forwarded right now, sharded |
//! | `key` | 16 bytes, mixed with a secret of the process |
//!
//! # Shape
//!
//! Keys are put into *time slots* by when they expire. A slot is one entry of a moka cache and holds
//! its whole set of keys, 20 bytes each; moka lets go of it as a whole. One cache entry per key was
//! measured: it costs several times the time and memory, and its maintenance pauses. Which slots
//! count is decided by the time handed in, not by moka's clock: moka only reclaims. A key lives for
//! its lifetime and at most one slot longer (a quarter of the window; half the lifetime where
//! lifetimes vary), never shorter.
//!
//! What is being forwarded stands in maps beside the slots, where nothing is ever evicted.
//!
//! # Example
//!
//! ```
//! use std::time::Duration;
//!
//! use hookward::{
//!     config::model::{OnDuplicate, OnError, OnFull, OnReplay, Replay, StatusSet},
//!     replay::{Claimed, ContentClaim, Duplicates, Registry, Taken},
//! };
//!
//! let window = Duration::from_secs(24 * 60 * 60);
//! let route = Registry::new().route("github", &Replay {
//!     window,
//!     max_entries: 100_000,
//!     on_full: OnFull::Reject,
//!     on_error: OnError::Reject,
//!     on_replay: OnReplay::Reject,
//!     on_duplicate: OnDuplicate::Acknowledge,
//!     commit_on: StatusSet::parse(["2xx"]).expect("a pattern"),
//! });
//! let claimed = Claimed {
//!     content: Some(ContentClaim { key: 0x1234, body: None, lifetime: window }),
//!     ids: &[],
//!     id_body: None,
//!     duplicates: Duplicates::Tell,
//!     window,
//! };
//! let (now, lease) = (Duration::from_secs(1), Duration::from_secs(30));
//!
//! let first = route.reserve(&claimed, lease, now)?;
//! assert_eq!(route.reserve(&claimed, lease, now).unwrap_err(), Taken::InFlight);
//! drop(first); // The upstream did not take it: the sender may try again.
//!
//! route.reserve(&claimed, lease, now)?.commit(now);
//! let replayed = Taken::Replayed { first_seen: now };
//! assert_eq!(route.reserve(&claimed, lease, now).unwrap_err(), replayed);
//! # Ok::<(), Taken>(())
//! ```

mod flight;
mod key;
mod registry;
mod reservation;
mod route;
mod slot;
mod spread;
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
