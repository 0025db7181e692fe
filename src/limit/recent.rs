//! What is kept of the sources that were seen last, in a map of bounded size.

use std::{
    collections::HashMap,
    hash::{BuildHasher, BuildHasherDefault, Hash, Hasher, RandomState},
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

use governor::{nanos::Nanos, state::StateStore};

use super::Source;
use crate::itself::Itself;

/// How many parts the map is split into, so that cores seldom wait for each other.
const SHARDS: usize = 8;

/// A value for each of the last sources that were seen: at least as many as were asked for, at most
/// twice as many.
///
/// Each part has two generations. When the younger one is full, the older one is dropped as a
/// whole and a new one begun; whoever is seen meanwhile moves to the young. So what is dropped was
/// not seen for as long as it took so many others to come, there is no order to keep, and an empty
/// map costs next to nothing: ten thousand routes may have three each.
#[derive(Debug)]
pub(super) struct Recent<V> {
    hasher: RandomState,
    young_max: usize,
    shards: [Mutex<Shard<V>>; SHARDS],
}

/// A source with its hash, which is computed once and cannot be foreseen by those who choose
/// sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key {
    hash: u64,
    source: Source,
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

type Generation<V> = HashMap<Key, V, BuildHasherDefault<Itself>>;

#[derive(Debug)]
struct Shard<V> {
    young: Generation<V>,
    old: Generation<V>,
}

impl<V: Copy> Recent<V> {
    /// An empty map that keeps `max` sources, and never more than twice as many.
    pub(super) fn new(max: u64) -> Self {
        let each = max.div_ceil(SHARDS as u64);
        let shard =
            |_| Mutex::new(Shard { young: Generation::default(), old: Generation::default() });
        Self {
            hasher: RandomState::new(),
            young_max: usize::try_from(each).unwrap_or(usize::MAX).max(1),
            shards: std::array::from_fn(shard),
        }
    }

    /// What is kept of a source. Asking counts as seeing it.
    pub(super) fn get(&self, source: Source) -> Option<V> {
        let key = self.key(source);
        let mut shard = self.shard(key)?;
        if let Some(kept) = shard.young.get(&key) {
            return Some(*kept);
        }
        let value = shard.old.remove(&key)?;
        shard.renew(key, value, self.young_max);
        Some(value)
    }

    /// Changes what is kept of a source in one step, if `change` says into what.
    ///
    /// # Errors
    ///
    /// Those of `change`; then what is kept stays as it was.
    pub(super) fn update<T, E>(
        &self,
        source: Source,
        change: impl FnOnce(Option<V>) -> Result<(T, V), E>,
    ) -> Result<T, E> {
        let key = self.key(source);
        let Some(mut shard) = self.shard(key) else { return change(None).map(|(told, _)| told) };
        if let Some(kept) = shard.young.get_mut(&key) {
            let (told, value) = change(Some(*kept))?;
            *kept = value;
            return Ok(told);
        }
        let before = shard.old.remove(&key);
        let (result, value) = match change(before) {
            Ok((told, value)) => (Ok(told), Some(value)),
            // Who is refused was seen too, and must not be forgotten for it.
            Err(error) => (Err(error), before),
        };
        if let Some(value) = value {
            shard.renew(key, value, self.young_max);
        }
        result
    }

    fn key(&self, source: Source) -> Key {
        Key { hash: self.hasher.hash_one(source), source }
    }

    /// Locks, also after a panic elsewhere: nothing here is left half done.
    fn shard(&self, key: Key) -> Option<MutexGuard<'_, Shard<V>>> {
        // The maps use the lowest and the highest bits themselves.
        let shard = self.shards.get((key.hash >> 32) as usize % SHARDS)?;
        Some(shard.lock().unwrap_or_else(PoisonError::into_inner))
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        let each = |shard: &Mutex<Shard<V>>| {
            let shard = shard.lock().unwrap();
            shard.young.len() + shard.old.len()
        };
        self.shards.iter().map(each).sum()
    }
}

impl<V> Shard<V> {
    /// Puts in what is in neither generation.
    fn renew(&mut self, key: Key, value: V, young_max: usize) {
        if self.young.len() >= young_max {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }
}

/// A keyed limiter's state: when each source's next request is due.
impl StateStore for Recent<Nanos> {
    type Key = Source;

    fn measure_and_replace<T, F, E>(&self, source: &Source, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        self.update(*source, measure)
    }
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, net::IpAddr};

    use super::*;

    fn source(n: u32) -> Source {
        IpAddr::from(n.to_be_bytes()).into()
    }

    fn count(recent: &Recent<u32>, n: u32) -> u32 {
        let one_more = |before: Option<u32>| {
            let now = before.unwrap_or_default() + 1;
            Ok::<_, Infallible>((now, now))
        };
        match recent.update(source(n), one_more) {
            Ok(count) => count,
        }
    }

    #[test]
    fn the_last_sources_are_kept_and_no_more_than_twice_as_many() {
        let recent = Recent::new(8_000);
        for n in 0..100_000 {
            assert_eq!(count(&recent, n), 1);
            assert!(recent.len() <= 16_000);
        }
        // The hash spreads sources over the parts, but not to the last one evenly.
        assert!((94_000..100_000).all(|n| recent.get(source(n)) == Some(1)));
        assert_eq!(recent.get(source(0)), None);
    }

    #[test]
    fn who_keeps_coming_is_never_forgotten() {
        let recent = Recent::new(100);
        for n in 1..=50_000 {
            assert_eq!(count(&recent, 0), n);
            count(&recent, n);
        }
        let refused = recent.update(source(0), |_| Err::<((), u32), _>("refused"));
        assert_eq!((refused, recent.get(source(0))), (Err("refused"), Some(50_000)));
    }

    #[test]
    fn who_is_only_refused_or_asked_for_is_kept_as_well() {
        let recent = Recent::new(100);
        count(&recent, 0);
        count(&recent, 1);
        for n in 2..50_000 {
            let refused = recent.update(source(0), |_| Err::<((), u32), _>(()));
            assert!(refused.is_err() && recent.get(source(1)) == Some(1));
            count(&recent, n);
        }
        assert_eq!(recent.get(source(0)), Some(1));
    }

    #[test]
    fn an_error_about_a_new_source_keeps_nothing() {
        let recent = Recent::<u32>::new(100);
        assert_eq!(recent.update(source(1), |_| Err::<((), u32), _>(())), Err(()));
        assert_eq!((recent.get(source(1)), recent.len()), (None, 0));
    }

    #[test]
    fn an_empty_one_is_small() {
        // Ten thousand routes with three limits each, of which most see nobody.
        assert!(size_of::<Recent<Nanos>>() <= 640);
    }
}
