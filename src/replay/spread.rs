//! A map that grows piece by piece, so that no insertion has to move everything.

use std::mem;

use super::key::{Key, KeyMap};

/// Entries a part on average when another part is added. A part has at most about twice as many,
/// so that splitting it takes some tens of microseconds; one table of millions would take as many
/// milliseconds to double, with its lock held.
const FULL: usize = 1792;

/// A map by keys in parts of bounded size (linear hashing): whenever the parts are full on
/// average, the next one in turn is split in two. An empty map owns no memory.
#[derive(Debug)]
pub(super) struct Spread<V> {
    parts: Vec<KeyMap<V>>,
    len: usize,
}

impl<V> Default for Spread<V> {
    fn default() -> Self {
        Self { parts: Vec::new(), len: 0 }
    }
}

impl<V> Spread<V> {
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn get(&self, key: Key) -> Option<&V> {
        self.parts.get(part_of(key, self.parts.len()))?.get(&key)
    }

    /// Puts an entry in; `false` if it takes the place of another.
    pub(super) fn insert(&mut self, key: Key, value: V) -> bool {
        if self.len >= self.parts.len() * FULL {
            self.split();
        }
        let part = part_of(key, self.parts.len());
        let new = self.parts.get_mut(part).is_some_and(|part| part.insert(key, value).is_none());
        self.len += usize::from(new);
        new
    }

    /// Takes an entry out if `which` says so.
    pub(super) fn remove_if(&mut self, key: Key, which: impl FnOnce(&V) -> bool) -> bool {
        let part = part_of(key, self.parts.len());
        let Some(part) = self.parts.get_mut(part) else { return false };
        let gone = part.get(&key).is_some_and(which) && part.remove(&key).is_some();
        self.len -= usize::from(gone);
        gone
    }

    /// The values of one part; `turn` goes round.
    pub(super) fn part(&self, turn: usize) -> impl Iterator<Item = &V> {
        let part = turn.checked_rem(self.parts.len()).and_then(|part| self.parts.get(part));
        part.into_iter().flat_map(KeyMap::values)
    }

    /// Drops the entries of the same part that are not to be kept, and says how many.
    pub(super) fn retain_in_part(&mut self, turn: usize, keep: impl Fn(&V) -> bool) -> usize {
        let part = turn.checked_rem(self.parts.len());
        let Some(part) = part.and_then(|part| self.parts.get_mut(part)) else { return 0 };
        let before = part.len();
        part.retain(|_, value| keep(value));
        let gone = before - part.len();
        self.len -= gone;
        gone
    }

    pub(super) fn parts(&self) -> usize {
        self.parts.len()
    }

    /// Adds a part and moves to it what belongs there, which all comes from one other part.
    fn split(&mut self) {
        let new = self.parts.len();
        self.parts.push(KeyMap::default());
        let from = new & (half(new + 1) - 1);
        let Some(old) = self.parts.get_mut(from).filter(|_| from != new).map(mem::take) else {
            return;
        };
        let moves = |key: &Key| part_of(*key, new + 1) == new;
        let moving = old.keys().filter(|key| moves(key)).count();
        let mut stay = KeyMap::with_capacity_and_hasher(old.len() - moving, Default::default());
        let mut move_over = KeyMap::with_capacity_and_hasher(moving, Default::default());
        for (key, value) in old {
            let to = if moves(&key) { &mut move_over } else { &mut stay };
            to.insert(key, value);
        }
        for (at, map) in [(from, stay), (new, move_over)] {
            if let Some(part) = self.parts.get_mut(at) {
                *part = map;
            }
        }
    }
}

/// Which of so many parts a key is in.
const fn part_of(key: Key, parts: usize) -> usize {
    if parts == 0 {
        return 0;
    }
    let half = half(parts);
    let part = key.spread() & (2 * half - 1);
    if part < parts { part } else { part & (half - 1) }
}

/// The largest power of two below the number of parts: the parts that all had been split before.
const fn half(parts: usize) -> usize {
    parts.next_power_of_two() / 2 + (parts == 1) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::key::{Kind, Mixer};

    fn keys(n: usize) -> Vec<Key> {
        let (mixer, mut random) = (Mixer::new(), fastrand::Rng::with_seed(7));
        (0..n).map(|_| mixer.key(Kind::Id, random.u128(..))).collect()
    }

    #[test]
    fn everything_is_found_however_far_it_has_grown() {
        let mut spread = Spread::default();
        let keys = keys(60_000);
        for (n, key) in keys.iter().enumerate() {
            assert!(spread.insert(*key, n));
            assert_eq!(spread.len(), n + 1);
            let earlier = n / 2;
            assert_eq!(spread.get(keys[earlier]), Some(&earlier));
        }
        assert!(keys.iter().enumerate().all(|(n, key)| spread.get(*key) == Some(&n)));
        assert!(!spread.insert(keys[3], 77));
        assert_eq!((spread.len(), spread.get(keys[3])), (60_000, Some(&77)));
    }

    #[test]
    fn no_part_becomes_large_and_few_are_needed() {
        let mut spread = Spread::default();
        for key in keys(100_000) {
            spread.insert(key, ());
            let longest = spread.parts.iter().map(KeyMap::len).max();
            // Twice the average, and what chance adds.
            assert!(longest < Some(2 * FULL + FULL / 4), "{longest:?}");
        }
        assert_eq!(spread.parts(), 100_000 / FULL + 1);
        let capacity: usize = spread.parts.iter().map(KeyMap::capacity).sum();
        assert!(capacity < 250_000, "{capacity}");
    }

    #[test]
    fn what_is_taken_out_is_gone_and_counted() {
        let mut spread = Spread::default();
        let keys = keys(5_000);
        for (n, key) in keys.iter().enumerate() {
            spread.insert(*key, n);
        }
        assert!(!spread.remove_if(keys[9], |n| *n != 9));
        assert!(spread.remove_if(keys[9], |n| *n == 9));
        assert!(!spread.remove_if(keys[9], |_| true));
        assert_eq!((spread.len(), spread.get(keys[9])), (4_999, None));
        let there = spread.part(4).count();
        let gone = spread.retain_in_part(4, |_| false);
        assert_eq!((gone, spread.len(), spread.part(4).count()), (there, 4_999 - there, 0));
    }

    #[test]
    fn an_empty_one_owns_nothing() {
        let mut spread = Spread::<u32>::default();
        let key = keys(1)[0];
        assert_eq!(spread.parts.capacity(), 0);
        assert_eq!((spread.get(key), spread.len(), spread.part(5).count()), (None, 0, 0));
        assert!(!spread.remove_if(key, |_| true));
        assert_eq!(spread.retain_in_part(0, |_| true), 0);
    }
}
