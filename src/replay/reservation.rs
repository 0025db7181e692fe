//! What was reserved, until it is committed or released.

use std::{fmt, sync::Arc, time::Duration};

use smallvec::SmallVec;

use super::{
    key::{Key, Kind},
    route::RouteStore,
    slot::Found,
    windows::Life,
};
use crate::clock::Mono;

/// The keys of one delivery, held while it is forwarded.
///
/// Dropping it releases them: whatever ends a request before it was delivered, a panic too, lets
/// the sender's retry through. Only the owner's own keys are ever touched, and a committed key is
/// never released.
#[must_use = "dropping a reservation releases it"]
pub struct Reservation {
    store: Arc<RouteStore>,
    owner: u64,
    held: SmallVec<[Held; 2]>,
    window: Duration,
    reserved_at: Mono,
}

/// One key that is held.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) kind: Kind,
    pub(super) key: Key,
    pub(super) body: Option<u128>,
    pub(super) lifetime: Duration,
}

impl Reservation {
    pub(super) fn new(
        store: &Arc<RouteStore>,
        owner: u64,
        held: SmallVec<[Held; 2]>,
        window: Duration,
        reserved_at: Mono,
    ) -> Self {
        Self { store: Arc::clone(store), owner, held, window, reserved_at }
    }

    /// Marks the delivery as made. Written also if the lease was lost meanwhile, and if the store
    /// is full: what was delivered must be known.
    pub fn commit(mut self, now: Mono) {
        for held in std::mem::take(&mut self.held) {
            self.commit_one(held, now);
        }
    }

    /// Gives the keys up, so that the sender may try again. The same as dropping.
    pub fn release(self) {}

    fn commit_one(&self, held: Held, now: Mono) {
        let windows = &self.store.windows;
        let from = match held.kind {
            // What was signed stops verifying at its own time, however long forwarding took.
            Kind::Content => self.reserved_at,
            Kind::Id => now,
        };
        let life = self.life(held, now, from);
        let found = Found { committed: true, body: held.body, first_seen: self.reserved_at };
        let mut locked = self.store.flights.lock_one(held.key);
        let Some(map) = locked.map(held.kind, held.key) else { return };
        let known = || windows.find(held.kind, held.key, now);
        let delivered = || known().is_some_and(|found| found.committed);
        match map.get_mut(&held.key) {
            Some(flight) if flight.owner == self.owner => {
                let already = flight.committed && delivered();
                map.remove(&held.key);
                if already {
                    return windows.give_back(1);
                }
            }
            // The lease was lost to somebody who is forwarding the same.
            Some(flight) => {
                flight.committed = true;
                if delivered() {
                    return;
                }
                windows.charge_anyway();
            }
            None => match known() {
                Some(found) if found.committed => return,
                Some(_) if windows.take_released(held.kind, held.key) => {}
                _ => windows.charge_anyway(),
            },
        }
        windows.write(held.kind, held.key, found, life);
    }

    fn release_one(&self, held: Held) {
        let windows = &self.store.windows;
        let mut locked = self.store.flights.lock_one(held.key);
        let Some(map) = locked.map(held.kind, held.key) else { return };
        let Some(flight) = map.get(&held.key).filter(|flight| flight.owner == self.owner) else {
            return;
        };
        let committed = flight.committed;
        map.remove(&held.key);
        if committed || held.body.is_none() {
            windows.give_back(1);
        } else {
            // The same token or id with another body stays refused, the same body may come again.
            let found = Found { committed: false, body: held.body, first_seen: self.reserved_at };
            let life = self.life(held, self.reserved_at, self.reserved_at);
            windows.write(held.kind, held.key, found, life);
        }
    }

    fn life(&self, held: Held, now: Mono, from: Mono) -> Life {
        Life::new(now, from, held.lifetime, self.window)
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        for held in std::mem::take(&mut self.held) {
            self.release_one(held);
        }
    }
}

impl fmt::Debug for Reservation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reservation")
            .field("route", self.store.name())
            .field("keys", &self.held.len())
            .finish_non_exhaustive()
    }
}
