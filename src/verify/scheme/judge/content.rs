//! What stands for a message when somebody keeps account of messages.

use std::{
    borrow::Cow,
    hash::{BuildHasher, Hasher, RandomState},
    sync::OnceLock,
};

use sha2::{Digest, Sha256};
use xxhash_rust::xxh3::{Xxh3, xxh3_128_with_seed};

use crate::verify::template::Template;

/// The signed bytes as one number. The parts need no frames: the template is one that cannot
/// slide, and what has the same signed bytes has the same signature.
pub(super) fn content_key(template: &Template, chunks: &[Cow<'_, [u8]>], body: &[u8]) -> u128 {
    if template.is_body() {
        return xxh3_128_with_seed(body, seed());
    }
    let mut hasher = Xxh3::with_seed(seed());
    for chunk in chunks {
        hasher.update(chunk);
    }
    hasher.digest128()
}

/// Several numbers as one, in whichever order they came.
pub(super) fn together(mut keys: Vec<u128>) -> u128 {
    keys.sort_unstable();
    let bytes: Vec<u8> = keys.iter().flat_map(|key| key.to_le_bytes()).collect();
    fingerprint(&bytes)
}

/// A body that the signature leaves uncovered may be anybody's, so a fast hash would not do: this
/// is SHA-256, cut.
pub(super) fn body_digest(body: &[u8]) -> u128 {
    let digest = Sha256::digest(body);
    digest.iter().take(16).fold(0, |number, byte| number << 8 | u128::from(*byte))
}

/// Any bytes as one number of the same kind, for those who keep account of event ids.
pub fn fingerprint(bytes: &[u8]) -> u128 {
    xxh3_128_with_seed(bytes, seed())
}

/// Random once per process, so that nobody outside can compute keys that collide.
fn seed() -> u64 {
    static SEED: OnceLock<u64> = OnceLock::new();
    *SEED.get_or_init(|| RandomState::new().build_hasher().finish())
}
