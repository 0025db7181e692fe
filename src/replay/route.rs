//! The law: which claim is refused, and how.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use smallvec::SmallVec;

use super::{
    flight::{Flight, Flights, Locked},
    key::{Key, Kind, Mixer},
    reservation::{Held, Reservation},
    windows::{SlotCache, Windows},
};
use crate::{
    clock::Mono,
    config::model::{OnFull, Replay},
};

/// What a delivery claims to be, in digests.
#[derive(Clone, Copy, Debug)]
pub struct Claimed<'a> {
    /// The content key, unless what was signed legitimately recurs.
    pub content: Option<ContentClaim>,
    /// Digests of the event ids: those covered by the signature, or vouched for by a token.
    pub ids: &'a [u128],
    /// The body's digest, where the signature covers the ids but not the body. Such a body may be
    /// anybody's, so this has to be a cryptographic digest cut to 128 bits, or a keyed one: with
    /// a plain fast hash, a second body of the same digest could be made.
    pub id_body: Option<u128>,
    /// What committed ids mean.
    pub duplicates: Duplicates,
    /// How long event ids are remembered: the route's `replay.window`.
    pub window: Duration,
}

/// A content key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentClaim {
    /// The digest of the exact signed bytes.
    pub key: u128,
    /// The body's digest, where the signature leaves the body out; like [`Claimed::id_body`].
    pub body: Option<u128>,
    /// How long the same bytes can still verify, or the route's window.
    pub lifetime: Duration,
}

/// What it means that all event ids of a claim are committed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Duplicates {
    /// They make the claim go through all the same (`on_duplicate = "forward"`).
    Ignore,
    /// They make it [`Taken::Duplicate`].
    #[default]
    Tell,
}

/// Why a claim was not reserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Taken {
    /// Other signed bytes, but every event id was delivered.
    #[error("every event id was delivered")]
    Duplicate {
        /// When the first of them was first seen.
        first_seen: Mono,
    },
    /// The route's share of the store is full.
    #[error("the route's share of the replay store is full")]
    Full,
    /// A copy is being forwarded right now.
    #[error("a copy is in flight")]
    InFlight,
    /// A token or id that covers no body came with another body before.
    #[error("the same token or id came with another body before")]
    OtherBody {
        /// When it was first seen.
        first_seen: Mono,
    },
    /// The same signed bytes were delivered.
    #[error("the same signed bytes were seen before")]
    Replayed {
        /// When they were first seen.
        first_seen: Mono,
    },
}

/// The replay state of one route. Survives reloads.
#[derive(Debug)]
pub struct RouteStore {
    name: Arc<str>,
    pub(super) windows: Arc<Windows>,
    pub(super) flights: Flights,
    mixer: Mixer,
    max_entries: AtomicUsize,
    evict: AtomicBool,
    evictions: AtomicU64,
}

impl RouteStore {
    pub(super) fn new(name: Arc<str>, number: u64, cache: SlotCache, settings: &Replay) -> Self {
        let store = Self {
            name,
            windows: Arc::new(Windows::new(number, cache)),
            flights: Flights::new(),
            mixer: Mixer::new(),
            max_entries: AtomicUsize::new(0),
            evict: AtomicBool::new(false),
            evictions: AtomicU64::new(0),
        };
        store.configure(settings);
        store
    }

    /// Takes over changed settings. A smaller share drops nothing: entries leave as they expire.
    pub(super) fn configure(&self, settings: &Replay) {
        self.max_entries.store(settings.max_entries, Ordering::Relaxed);
        self.evict.store(settings.on_full == OnFull::Evict, Ordering::Relaxed);
    }

    /// The route's name.
    pub const fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Keys that are remembered or reserved.
    pub fn entries(&self) -> usize {
        self.windows.entries()
    }

    /// The most that there may be.
    pub fn capacity(&self) -> usize {
        self.max_entries.load(Ordering::Relaxed)
    }

    /// How many were dropped before their time because the store was full.
    pub fn evictions(&self) -> u64 {
        self.evictions.load(Ordering::Relaxed)
    }

    /// Drops what has expired.
    pub fn sweep(&self, now: Mono) {
        self.windows.purge(now);
        self.windows.give_back(self.flights.sweep(now));
    }

    /// Reserves all keys of a claim in one step, for `lease` at most.
    ///
    /// # Errors
    ///
    /// The first of these that holds. For the content key: seen with another body
    /// ([`Taken::OtherBody`]), delivered ([`Taken::Replayed`]), or reserved ([`Taken::InFlight`]).
    /// For the ids: one seen with another body (`OtherBody`); one reserved (`InFlight`); all
    /// delivered ([`Taken::Duplicate`]); a set that is delivered in part goes through. Last
    /// [`Taken::Full`]; with `on_full = "evict"` only if everything is reserved.
    pub fn reserve(
        self: &Arc<Self>,
        claimed: &Claimed<'_>,
        lease: Duration,
        now: Mono,
    ) -> Result<Reservation, Taken> {
        self.windows.purge(now);
        let wants = self.wants(claimed);
        // Making room happens without a lock, so another delivery may take the room: try again.
        for _ in 0..ATTEMPTS {
            match self.try_reserve(claimed, &wants, lease, now)? {
                Ok(reservation) => return Ok(reservation),
                Err(NoRoom { needed }) if !self.make_room(needed, now) => break,
                Err(NoRoom { .. }) => {}
            }
        }
        Err(Taken::Full)
    }

    #[cfg(test)]
    pub(super) const fn mixer(&self) -> &Mixer {
        &self.mixer
    }

    fn wants(&self, claimed: &Claimed<'_>) -> SmallVec<[Want; 2]> {
        let mut wants: SmallVec<[Want; 2]> = SmallVec::new();
        wants.extend(claimed.ids.iter().map(|id| Want {
            kind: Kind::Id,
            key: self.mixer.key(Kind::Id, *id),
            body: claimed.id_body,
            lifetime: claimed.window,
        }));
        // An id that is sent twice in one delivery is one id.
        wants.sort_unstable_by_key(|want| want.key);
        wants.dedup_by_key(|want| want.key);
        if let Some(content) = claimed.content {
            let key = self.mixer.key(Kind::Content, content.key);
            let (body, lifetime) = (content.body, content.lifetime);
            wants.push(Want { kind: Kind::Content, key, body, lifetime });
        }
        wants
    }

    fn try_reserve(
        self: &Arc<Self>,
        claimed: &Claimed<'_>,
        wants: &SmallVec<[Want; 2]>,
        lease: Duration,
        now: Mono,
    ) -> Result<Result<Reservation, NoRoom>, Taken> {
        let mut locked = self.flights.lock(wants.iter().map(|want| want.key));
        let states = self.judge(claimed.duplicates, wants, &mut locked, now)?;
        let needed = states.iter().filter(|state| **state == State::Free).count();
        if !self.windows.charge(needed, self.capacity()) {
            return Ok(Err(NoRoom { needed }));
        }
        let owner = fastrand::u64(..);
        let mut held = SmallVec::new();
        for (want, state) in wants.iter().zip(states) {
            match state {
                State::Committed => continue,
                // The released binding becomes a reservation: one entry before, one after.
                State::Released if !self.windows.take_released(want.kind, want.key) => {
                    self.windows.charge_anyway();
                }
                State::Abandoned | State::Free | State::Released => {}
            }
            let flight = Flight {
                owner,
                lease_until: now.saturating_add(lease),
                body: want.body,
                body_until: now.saturating_add(want.lifetime),
                first_seen: now,
                committed: false,
            };
            if let Some(map) = locked.map(want.kind, want.key) {
                map.insert(want.key, flight);
            }
            let Want { kind, key, body, lifetime } = *want;
            held.push(Held { kind, key, body, lifetime });
        }
        drop(locked);
        Ok(Ok(Reservation::new(self, owner, held, claimed.window, now)))
    }

    /// What stands in the way of each key; refuses as [`Self::reserve`] documents.
    fn judge(
        &self,
        duplicates: Duplicates,
        wants: &[Want],
        locked: &mut Locked<'_>,
        now: Mono,
    ) -> Result<SmallVec<[State; 2]>, Taken> {
        let mut states = SmallVec::with_capacity(wants.len());
        let (content, ids): (Option<&Want>, &[Want]) = match wants.split_last() {
            Some((last, ids)) if last.kind == Kind::Content => (Some(last), ids),
            _ => (None, wants),
        };
        let content_state = match content.map(|want| self.look(want, locked, now)).transpose()? {
            Some(Sight::Delivered { first_seen }) => return Err(Taken::Replayed { first_seen }),
            Some(Sight::InFlight) => return Err(Taken::InFlight),
            Some(Sight::Open(state)) => Some(state),
            None => None,
        };
        let mut in_flight = false;
        let mut delivered: Option<Mono> = None;
        for want in ids {
            match self.look(want, locked, now)? {
                Sight::Delivered { first_seen } => {
                    delivered = Some(delivered.map_or(first_seen, |seen| seen.min(first_seen)));
                    states.push(State::Committed);
                }
                Sight::InFlight => in_flight = true,
                Sight::Open(state) => states.push(state),
            }
        }
        if in_flight {
            return Err(Taken::InFlight);
        }
        let all = states.iter().all(|state| *state == State::Committed);
        match delivered {
            Some(first_seen) if all && duplicates == Duplicates::Tell => {
                Err(Taken::Duplicate { first_seen })
            }
            _ => {
                states.extend(content_state);
                Ok(states)
            }
        }
    }

    /// What is known of one key; a body other than the one it is tied to is a replay.
    fn look(&self, want: &Want, locked: &mut Locked<'_>, now: Mono) -> Result<Sight, Taken> {
        let other = |body: Option<u128>| body.is_some() && want.body.is_some() && body != want.body;
        let found = self.windows.find(want.kind, want.key, now);
        if let Some(found) = found {
            if other(found.body) {
                return Err(Taken::OtherBody { first_seen: found.first_seen });
            }
            if found.committed {
                return Ok(Sight::Delivered { first_seen: found.first_seen });
            }
        }
        let flight = locked.map(want.kind, want.key).and_then(|map| map.get(&want.key));
        Ok(match flight {
            Some(f) if other(f.body) && now < f.body_until.max(f.lease_until) => {
                return Err(Taken::OtherBody { first_seen: f.first_seen });
            }
            Some(f) if now < f.lease_until => Sight::InFlight,
            Some(_) => Sight::Open(State::Abandoned),
            None if found.is_some() => Sight::Open(State::Released),
            None => Sight::Open(State::Free),
        })
    }

    /// Tries to free `needed` entries; `false` if there is no point in trying again.
    fn make_room(&self, needed: usize, now: Mono) -> bool {
        self.sweep(now);
        if self.entries().saturating_add(needed) <= self.capacity() {
            return true;
        }
        if !self.evict.load(Ordering::Relaxed) || needed > self.capacity() {
            return false;
        }
        let missing = self.entries().saturating_add(needed).saturating_sub(self.capacity());
        let gone = self.windows.evict(missing);
        self.evictions.fetch_add(gone as u64, Ordering::Relaxed);
        gone > 0
    }
}

/// One key of a claim.
#[derive(Clone, Copy, Debug)]
struct Want {
    kind: Kind,
    key: Key,
    body: Option<u128>,
    lifetime: Duration,
}

/// What is known of a key.
enum Sight {
    Delivered { first_seen: Mono },
    InFlight,
    Open(State),
}

/// Why a key may be had, and so whether it counts as an entry already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Reserved by an owner whose lease ran out.
    Abandoned,
    /// Delivered, but not all of its set were.
    Committed,
    /// Never seen.
    Free,
    /// Tied to this body, and free.
    Released,
}

/// So many entries more are needed than there is room for.
struct NoRoom {
    needed: usize,
}

/// How often room is made for one claim before it is refused.
const ATTEMPTS: usize = 4;
