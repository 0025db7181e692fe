//! Keys: 16 bytes, mixed with a secret of the process so that no sender can aim at one bucket.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, BuildHasherDefault, Hash, Hasher, RandomState},
};

use crate::itself::Itself;

/// How many shards each set of keys has, so that cores seldom wait for each other's lock.
pub(super) const SHARDS: usize = 16;

/// What a key stands for; the two never meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// A digest of the exact signed bytes.
    Content,
    /// A digest of an event id.
    Id,
}

/// A mixed key. Four words and not one `u128`, whose alignment would waste 12 bytes an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key([u32; 4]);

impl Key {
    /// Which shard the key lives in; bits that the maps' own buckets do not use.
    pub(super) const fn shard(self) -> usize {
        let [_, _, _, top] = self.0;
        (top >> 8) as usize % SHARDS
    }

    /// Bits that neither the shard nor the maps' own buckets use.
    pub(super) const fn spread(self) -> usize {
        let [_, spread, _, _] = self.0;
        spread as usize
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let [_, _, low, high] = self.0;
        state.write_u64(u64::from(high) << 32 | u64::from(low));
    }
}

/// Mixes digests into keys: a bijection chosen at random when the store is made.
#[derive(Debug)]
pub(super) struct Mixer {
    content: u128,
    id: u128,
    factor: u128,
}

impl Mixer {
    pub(super) fn new() -> Self {
        Self {
            content: secret(),
            id: secret(),
            // Odd, so that multiplying loses nothing.
            factor: secret() | 1,
        }
    }

    pub(super) const fn key(&self, kind: Kind, digest: u128) -> Key {
        let salt = match kind {
            Kind::Content => self.content,
            Kind::Id => self.id,
        };
        let mixed = (digest ^ salt).wrapping_mul(self.factor);
        Key([mixed as u32, (mixed >> 32) as u32, (mixed >> 64) as u32, (mixed >> 96) as u32])
    }
}

/// Bits that come from the system's randomness, as the hash keys of the standard library do.
fn secret() -> u128 {
    let half = || u128::from(RandomState::new().build_hasher().finish());
    half() << 64 | half()
}

/// A map by keys, which are their own hash: the upper half of their bits.
pub(super) type KeyMap<V> = HashMap<Key, V, BuildHasherDefault<Itself>>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_spread_over_shards_and_kinds_differ() {
        let mixer = Mixer::new();
        let mut random = fastrand::Rng::with_seed(1);
        let mut counts = [0; SHARDS];
        for _ in 0..32_000 {
            counts[mixer.key(Kind::Content, random.u128(..)).shard()] += 1;
        }
        assert!(counts.iter().all(|n| (1500..2500).contains(n)), "{counts:?}");
        assert_ne!(mixer.key(Kind::Content, 7), mixer.key(Kind::Id, 7));
    }
}
