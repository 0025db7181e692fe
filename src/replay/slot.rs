//! One time slot: the keys that expire together.

use std::{
    sync::{
        Mutex, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use super::{
    key::{Key, Kind, SHARDS},
    lock,
    spread::Spread,
    windows::Windows,
};
use crate::clock::Mono;

/// Names a slot among those of all routes: the key of its entry in the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct SlotId {
    pub(super) route: u64,
    pub(super) kind: Kind,
    /// How long the slot is, in milliseconds.
    pub(super) grain_ms: u64,
    /// When it expires, in slots of that length.
    pub(super) index: u64,
}

impl SlotId {
    /// From when on the slot's keys no longer count.
    pub(super) const fn expires(&self) -> Mono {
        Duration::from_millis(self.grain_ms.saturating_mul(self.index))
    }
}

/// The keys of one time slot.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) id: SlotId,
    pub(super) expires: Mono,
    /// After how much of its own time moka may let go of the slot.
    pub(super) cache_for: Duration,
    home: Weak<Windows>,
    retired: AtomicBool,
    sets: Box<[Mutex<Set>]>,
}

/// One shard of a slot's keys. Times are milliseconds from first sight to the slot's expiry.
#[derive(Debug, Default)]
struct Set {
    /// Committed keys whose body is covered.
    plain: Spread<u32>,
    /// Keys that are tied to one body, committed or released.
    bound: Spread<Bound>,
}

#[derive(Clone, Copy, Debug)]
struct Bound {
    body: [u32; 4],
    age: u32,
    committed: bool,
}

/// What a slot knows of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Delivered; else only tied to a body.
    pub(super) committed: bool,
    /// The body it is tied to.
    pub(super) body: Option<u128>,
    /// When it was first seen.
    pub(super) first_seen: Mono,
}

impl Slot {
    pub(super) fn new(id: SlotId, cache_for: Duration, home: Weak<Windows>) -> Self {
        let sets = (0..SHARDS).map(|_| Mutex::default()).collect();
        let expires = id.expires();
        Self { id, expires, cache_for, home, retired: AtomicBool::new(false), sets }
    }

    /// The route's windows that the slot belongs to, while there are any.
    pub(super) fn home(&self) -> Option<std::sync::Arc<Windows>> {
        self.home.upgrade()
    }

    /// Looks a key up.
    pub(super) fn find(&self, key: Key) -> Option<Found> {
        let set = lock(self.sets.get(key.shard())?);
        if let Some(age) = set.plain.get(key) {
            return Some(Found { committed: true, body: None, first_seen: self.seen(*age) });
        }
        let bound = set.bound.get(key)?;
        Some(Found {
            committed: bound.committed,
            body: Some(u128_of(bound.body)),
            first_seen: self.seen(bound.age),
        })
    }

    /// Puts a key in; `false` if the slot has expired meanwhile or the key is there, so that the
    /// caller gives its count back.
    pub(super) fn insert(&self, key: Key, found: Found) -> bool {
        let Some(set) = self.sets.get(key.shard()) else { return false };
        let mut set = lock(set);
        // Read under the lock: retiring sets the flag first and then empties every set.
        if self.retired.load(Ordering::SeqCst) {
            return false;
        }
        let age = self.age(found.first_seen);
        match found.body {
            None => set.plain.insert(key, age),
            Some(body) => {
                let bound = Bound { body: words(body), age, committed: found.committed };
                set.bound.insert(key, bound)
            }
        }
    }

    /// Takes the binding of a released key out.
    pub(super) fn take_released(&self, key: Key) -> bool {
        let Some(set) = self.sets.get(key.shard()) else { return false };
        lock(set).bound.remove_if(key, |bound| !bound.committed)
    }

    /// Ends the slot and says how many keys it held; zero if it had ended before.
    pub(super) fn retire(&self) -> usize {
        self.retired.store(true, Ordering::SeqCst);
        let empty = |set: &Mutex<Set>| {
            let set = std::mem::take(&mut *lock(set));
            set.plain.len() + set.bound.len()
        };
        self.sets.iter().map(empty).sum()
    }

    /// Drops the older half of the keys in one piece of one shard, and says how many that were;
    /// none only if the shard is empty. Turn after turn goes through all pieces.
    pub(super) fn evict(&self, turn: usize) -> usize {
        let Some(set) = self.sets.get(turn % SHARDS) else { return 0 };
        let mut set = lock(set);
        let pieces = set.plain.parts().max(set.bound.parts());
        let first = turn / SHARDS;
        (first..first + pieces).map(|piece| set.evict(piece)).find(|gone| *gone > 0).unwrap_or(0)
    }

    fn age(&self, seen: Mono) -> u32 {
        u32::try_from(self.expires.saturating_sub(seen).as_millis()).unwrap_or(u32::MAX)
    }

    fn seen(&self, age: u32) -> Mono {
        self.expires.saturating_sub(Duration::from_millis(age.into()))
    }
}

impl Set {
    fn evict(&mut self, piece: usize) -> usize {
        let ages = || self.plain.part(piece).copied().chain(self.bound.part(piece).map(|b| b.age));
        let (Some(oldest), Some(youngest)) = (ages().max(), ages().min()) else { return 0 };
        let middle = youngest + (oldest - youngest) / 2;
        // With all of the same age everything goes; with two ages the older ones.
        let keep = |age: u32| age < middle || (age == middle && oldest != youngest);
        self.plain.retain_in_part(piece, |age| keep(*age))
            + self.bound.retain_in_part(piece, |bound| keep(bound.age))
    }
}

const fn words(digest: u128) -> [u32; 4] {
    [digest as u32, (digest >> 32) as u32, (digest >> 64) as u32, (digest >> 96) as u32]
}

fn u128_of(words: [u32; 4]) -> u128 {
    words.iter().rev().fold(0, |digest, word| digest << 32 | u128::from(*word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::key::Mixer;

    fn slot() -> Slot {
        let id = SlotId { route: 0, kind: Kind::Id, grain_ms: 1000, index: 10 };
        Slot::new(id, Duration::from_secs(10), Weak::new())
    }

    fn found(committed: bool, body: Option<u128>, secs: u64) -> Found {
        Found { committed, body, first_seen: Duration::from_secs(secs) }
    }

    #[test]
    fn what_is_put_in_is_found_as_it_was() {
        let (slot, mixer) = (slot(), Mixer::new());
        let (a, b) = (mixer.key(Kind::Id, 1), mixer.key(Kind::Id, 2));
        let body = 0x0123_4567_89ab_cdef_0011_2233_4455_6677;
        assert!(slot.insert(a, found(true, None, 3)));
        assert!(slot.insert(b, found(false, Some(body), 4)));
        assert_eq!(slot.find(a), Some(found(true, None, 3)));
        assert_eq!(slot.find(b), Some(found(false, Some(body), 4)));
        assert!(!slot.take_released(a) && slot.take_released(b));
        assert_eq!(slot.find(b), None);
    }

    #[test]
    fn a_retired_slot_counts_once_and_takes_nothing() {
        let (slot, mixer) = (slot(), Mixer::new());
        for digest in 0..100 {
            assert!(slot.insert(mixer.key(Kind::Id, digest), found(true, None, 1)));
        }
        assert_eq!(slot.retire(), 100);
        assert_eq!(slot.retire(), 0);
        assert!(!slot.insert(mixer.key(Kind::Id, 1), found(true, None, 1)));
    }

    #[test]
    fn eviction_prefers_the_old() {
        let (slot, mixer) = (slot(), Mixer::new());
        let mut random = fastrand::Rng::with_seed(1);
        let keys: Vec<_> = (0..4000).map(|_| mixer.key(Kind::Id, random.u128(..))).collect();
        for (n, key) in keys.iter().enumerate() {
            let secs = if n < 2000 { 1 } else { 9 };
            assert!(slot.insert(*key, found(true, None, secs)));
        }
        let gone: usize = (0..SHARDS).map(|shard| slot.evict(shard)).sum();
        assert_eq!(gone, 2000);
        let alive = |keys: &[Key]| keys.iter().filter(|key| slot.find(**key).is_some()).count();
        assert_eq!((alive(&keys[..2000]), alive(&keys[2000..])), (0, 2000));
        // With nothing older left, one pass takes what is there.
        assert_eq!((0..SHARDS).map(|shard| slot.evict(shard)).sum::<usize>(), 2000);
    }
}
