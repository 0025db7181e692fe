//! A route's live time slots, and its exact count of entries.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use moka::{Expiry, sync::Cache};

use super::{
    key::{Key, Kind, SHARDS},
    slot::{Found, Slot, SlotId},
};
use crate::clock::Mono;

/// All slots of all routes: moka owns them, and lets each go as a whole.
pub(super) type SlotCache = Cache<SlotId, Arc<Slot>>;

/// Makes the cache. It has no size of its own: routes bound their entries exactly, and a route has
/// about ten slots of a kind.
pub(super) fn slot_cache() -> SlotCache {
    Cache::builder()
        .expire_after(SlotExpiry)
        .eviction_listener(|_, slot: Arc<Slot>, _| {
            if let Some(windows) = slot.home() {
                windows.forget(&slot);
            }
        })
        .build()
}

struct SlotExpiry;

impl Expiry<SlotId, Arc<Slot>> for SlotExpiry {
    fn expire_after_create(&self, _: &SlotId, slot: &Arc<Slot>, _: Instant) -> Option<Duration> {
        Some(slot.cache_for)
    }
}

/// One route's slots, beside moka's ownership of them, and how many entries they and the
/// reservations hold together.
#[derive(Debug)]
pub(super) struct Windows {
    route: u64,
    cache: SlotCache,
    live: ArcSwap<Live>,
    /// The first moment, in milliseconds, at which some slot will have expired.
    next_expiry_ms: AtomicU64,
    entries: AtomicUsize,
    evict_next: AtomicUsize,
}

#[derive(Clone, Debug, Default)]
struct Live {
    content: Vec<Arc<Slot>>,
    ids: Vec<Arc<Slot>>,
}

impl Live {
    const fn of(&self, kind: Kind) -> &Vec<Arc<Slot>> {
        match kind {
            Kind::Content => &self.content,
            Kind::Id => &self.ids,
        }
    }

    fn all(&self) -> impl Iterator<Item = &Arc<Slot>> {
        self.content.iter().chain(&self.ids)
    }
}

impl Windows {
    pub(super) fn new(route: u64, cache: SlotCache) -> Self {
        Self {
            route,
            cache,
            live: ArcSwap::default(),
            next_expiry_ms: AtomicU64::new(u64::MAX),
            entries: AtomicUsize::new(0),
            evict_next: AtomicUsize::new(0),
        }
    }

    pub(super) fn entries(&self) -> usize {
        self.entries.load(Ordering::Relaxed)
    }

    /// Counts `n` entries more, if that stays within `max`.
    pub(super) fn charge(&self, n: usize, max: usize) -> bool {
        let more = |entries: usize| entries.checked_add(n).filter(|sum| *sum <= max);
        n == 0 || self.entries.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    /// Counts one entry more in any case: a delivered key is written even when the store is full.
    pub(super) fn charge_anyway(&self) {
        self.entries.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn give_back(&self, n: usize) {
        if n > 0 {
            self.entries.fetch_sub(n, Ordering::Relaxed);
        }
    }

    /// What the live slots know of a key; a delivered one outweighs a released one.
    pub(super) fn find(&self, kind: Kind, key: Key, now: Mono) -> Option<Found> {
        let live = self.live.load();
        let mut released = None;
        for slot in live.of(kind).iter().filter(|slot| now < slot.expires) {
            match slot.find(key) {
                Some(found) if found.committed => return Some(found),
                Some(found) => released = Some(found),
                None => {}
            }
        }
        released
    }

    /// Takes the binding of a released key out of whichever slot has it.
    pub(super) fn take_released(&self, kind: Kind, key: Key) -> bool {
        self.live.load().of(kind).iter().any(|slot| slot.take_released(key))
    }

    /// Writes an entry that is already counted; one that has outlived its slot is counted off.
    pub(super) fn write(self: &Arc<Self>, kind: Kind, key: Key, found: Found, life: Life) {
        if !self.slot(kind, life).insert(key, found) {
            self.give_back(1);
        }
    }

    /// Drops the slots that have expired.
    pub(super) fn purge(&self, now: Mono) {
        if millis(now) < self.next_expiry_ms.load(Ordering::Relaxed) {
            return;
        }
        for slot in self.live.load_full().all().filter(|slot| slot.expires <= now) {
            self.cache.invalidate(&slot.id);
            self.forget(slot);
        }
        self.cache.run_pending_tasks();
        // Slots are added to the list before their expiry is noted, so none can be missed here.
        self.next_expiry_ms.store(u64::MAX, Ordering::SeqCst);
        for slot in self.live.load().all() {
            self.note_expiry(slot);
        }
    }

    /// Takes a slot off the list and its keys off the count; does nothing the second time.
    pub(super) fn forget(&self, slot: &Arc<Slot>) {
        self.live.rcu(|live| {
            let without = |slots: &Vec<Arc<Slot>>| {
                slots.iter().filter(|s| !Arc::ptr_eq(s, slot)).map(Arc::clone).collect()
            };
            Live { content: without(&live.content), ids: without(&live.ids) }
        });
        self.give_back(slot.retire());
    }

    /// Drops at least `wanted` of the oldest entries if there are as many, and says how many.
    ///
    /// Goes by slot, the first to expire first, and within one piece by piece, the older half of
    /// each, so that no single call walks through everything.
    pub(super) fn evict(&self, wanted: usize) -> usize {
        let live = self.live.load_full();
        let mut slots: Vec<_> = live.all().collect();
        slots.sort_by_key(|slot| slot.expires);
        let mut gone = 0;
        for slot in slots {
            let mut before = usize::MAX;
            while before != gone {
                before = gone;
                for _ in 0..SHARDS {
                    if gone >= wanted {
                        return gone;
                    }
                    let shard = self.evict_next.fetch_add(1, Ordering::Relaxed);
                    let evicted = slot.evict(shard);
                    self.give_back(evicted);
                    gone += evicted;
                }
            }
        }
        gone
    }

    /// The slot for a key of this life, made if there is none.
    fn slot(self: &Arc<Self>, kind: Kind, life: Life) -> Arc<Slot> {
        let id = SlotId {
            route: self.route,
            kind,
            grain_ms: life.grain_ms,
            index: millis(life.expires.saturating_add(Duration::from_nanos(999_999)))
                / life.grain_ms
                + 1,
        };
        if let Some(slot) = self.live.load().of(kind).iter().find(|slot| slot.id == id) {
            return Arc::clone(slot);
        }
        let slot = self.cache.get_with(id, || {
            // moka's clock is not ours: some more makes sure that it is never the earlier one.
            let left = id.expires().saturating_sub(life.now);
            let cache_for = left + left / 64 + Duration::from_secs(1);
            Arc::new(Slot::new(id, cache_for, Arc::downgrade(self)))
        });
        self.live.rcu(|live| {
            let mut live = Live::clone(live);
            let slots = match kind {
                Kind::Content => &mut live.content,
                Kind::Id => &mut live.ids,
            };
            if !slots.iter().any(|s| Arc::ptr_eq(s, &slot)) {
                slots.insert(0, Arc::clone(&slot));
            }
            live
        });
        self.note_expiry(&slot);
        slot
    }

    fn note_expiry(&self, slot: &Slot) {
        self.next_expiry_ms.fetch_min(millis(slot.expires), Ordering::SeqCst);
    }
}

/// How long an entry is to live, and so which slot it goes to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Life {
    now: Mono,
    expires: Mono,
    grain_ms: u64,
}

impl Life {
    /// A life of `lifetime` from `from` on, for a route with this window.
    pub(super) fn new(now: Mono, from: Mono, lifetime: Duration, window: Duration) -> Self {
        let lifetime = lifetime.min(LONGEST);
        // A window has four slots, so that a key has to be looked for in five: each is a cache miss.
        // Lifetimes that depend on what was signed are sorted into classes by powers of four.
        let grain_ms = if lifetime == window {
            millis(window) / 4
        } else {
            let class = (lifetime.as_millis().max(1).ilog2() / 2 + 1) * 2;
            1_u64.checked_shl(class).unwrap_or(u64::MAX) / 8
        };
        let expires = from.saturating_add(lifetime).max(now);
        Self { now, expires, grain_ms: grain_ms.max(1) }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// No entry is kept longer; a token that says it is valid for a century still needs a bound.
const LONGEST: Duration = Duration::from_secs(10 * 366 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::key::Mixer;

    const DAY: Duration = Duration::from_secs(86_400);

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn a_key_lives_its_lifetime_and_at_most_one_slot_longer() {
        for (lifetime, window) in [
            (DAY, DAY),
            (secs(1), secs(1)),
            (secs(320), DAY),
            (secs(20), DAY),
            (Duration::from_millis(1), DAY),
            (secs(40 * 86_400), DAY),
            (Duration::ZERO, DAY),
        ] {
            for now in [Duration::ZERO, secs(7), secs(100_000) + Duration::from_nanos(1)] {
                let windows = Arc::new(Windows::new(1, slot_cache()));
                let life = Life::new(now, now, lifetime, window);
                let slot = windows.slot(Kind::Id, life);
                let longest =
                    lifetime + (lifetime.max(Duration::from_millis(4)) / 2).max(window / 4);
                assert!(slot.expires > now + lifetime || lifetime.is_zero(), "{lifetime:?}");
                if lifetime == window {
                    let over = slot.expires - now - lifetime;
                    assert!(over <= window / 4 + Duration::from_millis(1), "{over:?}");
                }
                assert!(slot.expires <= now + longest + Duration::from_millis(1));
            }
        }
    }

    #[test]
    fn lifetimes_that_vary_use_few_slots() {
        let windows = Arc::new(Windows::new(1, slot_cache()));
        for second in 0..3600 {
            let now = secs(second);
            windows.purge(now);
            // A tolerance of five minutes, either side, and 20 s for the upstream.
            let life = Life::new(now, now, secs(20 + (second * 37) % 600), DAY);
            windows.slot(Kind::Content, life);
            assert!(windows.live.load().content.len() <= 24);
        }
    }

    #[test]
    fn moka_letting_go_of_a_slot_gives_its_entries_back() {
        let cache = slot_cache();
        let windows = Arc::new(Windows::new(1, cache.clone()));
        let (mixer, now) = (Mixer::new(), secs(5));
        let found = Found { committed: true, body: None, first_seen: now };
        for digest in 0..10 {
            assert!(windows.charge(1, 10));
            let key = mixer.key(Kind::Id, digest);
            windows.write(Kind::Id, key, found, Life::new(now, now, DAY, DAY));
        }
        assert!(!windows.charge(1, 10));
        cache.invalidate_all();
        cache.run_pending_tasks();
        assert_eq!(windows.entries(), 0);
        assert_eq!(windows.find(Kind::Id, mixer.key(Kind::Id, 1), now), None);
        // The next key gets a fresh slot.
        assert!(windows.charge(1, 10));
        windows.write(Kind::Id, mixer.key(Kind::Id, 1), found, Life::new(now, now, DAY, DAY));
        assert_eq!(windows.find(Kind::Id, mixer.key(Kind::Id, 1), now), Some(found));
    }

    #[test]
    fn purging_drops_expired_slots_alone() {
        let windows = Arc::new(Windows::new(1, slot_cache()));
        let mixer = Mixer::new();
        let found = Found { committed: true, body: None, first_seen: secs(0) };
        for (digest, lifetime) in [(1, secs(8)), (2, secs(800))] {
            assert!(windows.charge(1, 10));
            let life = Life::new(secs(0), secs(0), lifetime, DAY);
            windows.write(Kind::Content, mixer.key(Kind::Content, digest), found, life);
        }
        windows.purge(secs(7));
        assert_eq!(windows.entries(), 2);
        windows.purge(secs(100));
        assert_eq!(windows.entries(), 1);
        assert_eq!(windows.cache.iter().count(), 1);
    }
}
