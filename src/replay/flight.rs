//! What is being forwarded right now: maps beside the slots, from which nothing is evicted.

use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicU64, Ordering},
};

use smallvec::SmallVec;

use super::{
    key::{Key, KeyMap, Kind, SHARDS},
    lock,
};
use crate::clock::Mono;

/// One key that is being forwarded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flight {
    /// Who may commit and release it.
    pub(super) owner: u64,
    /// Until when it is held against others.
    pub(super) lease_until: Mono,
    /// The body that the key is tied to.
    pub(super) body: Option<u128>,
    /// How long that tie has to last at least.
    pub(super) body_until: Mono,
    pub(super) first_seen: Mono,
    /// An owner that had lost its lease has delivered the key meanwhile.
    pub(super) committed: bool,
}

/// One shard.
#[derive(Debug, Default)]
pub(super) struct Shard {
    content: KeyMap<Flight>,
    ids: KeyMap<Flight>,
}

impl Shard {
    pub(super) const fn of(&mut self, kind: Kind) -> &mut KeyMap<Flight> {
        match kind {
            Kind::Content => &mut self.content,
            Kind::Id => &mut self.ids,
        }
    }
}

/// The shards of one route.
#[derive(Debug)]
pub(super) struct Flights {
    shards: Box<[Mutex<Shard>]>,
    /// When abandoned leases are looked for again, in nanoseconds.
    next_sweep_ns: AtomicU64,
}

impl Flights {
    pub(super) fn new() -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { shards, next_sweep_ns: AtomicU64::new(0) }
    }

    /// Locks the shard of one key.
    pub(super) fn lock_one(&self, key: Key) -> Locked<'_> {
        self.lock([key].into_iter())
    }

    /// Locks the shards of all keys, always in the same order, so that two callers cannot wait for
    /// each other.
    pub(super) fn lock(&self, keys: impl Iterator<Item = Key>) -> Locked<'_> {
        let mut numbers: SmallVec<[usize; 4]> = keys.map(Key::shard).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let locked = |number| Some((number, lock(self.shards.get(number)?)));
        Locked(numbers.into_iter().filter_map(locked).collect())
    }

    /// Drops reservations whose lease ran out without their owner saying anything; at most once a
    /// second. A tie to a body stays as long as it must.
    pub(super) fn sweep(&self, now: Mono) -> usize {
        let now_ns = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
        let due = |next: u64| (next <= now_ns).then_some(now_ns.saturating_add(1_000_000_000));
        let order = Ordering::Relaxed;
        if self.next_sweep_ns.fetch_update(order, order, due).is_err() {
            return 0;
        }
        let held = |f: &Flight| now < f.lease_until || (f.body.is_some() && now < f.body_until);
        let mut gone = 0;
        for shard in &self.shards {
            let mut shard = lock(shard);
            for kind in [Kind::Content, Kind::Id] {
                let map = shard.of(kind);
                let before = map.len();
                map.retain(|_, flight| held(flight));
                gone += before - map.len();
            }
        }
        gone
    }
}

/// Some shards, locked.
pub(super) struct Locked<'a>(SmallVec<[(usize, MutexGuard<'a, Shard>); 2]>);

impl Locked<'_> {
    /// The map that a key of this kind lives in; `None` only for a key that was not locked.
    pub(super) fn map(&mut self, kind: Kind, key: Key) -> Option<&mut KeyMap<Flight>> {
        let (_, shard) = self.0.iter_mut().find(|(number, _)| *number == key.shard())?;
        Some(shard.of(kind))
    }
}
