//! The keys of a route, decoded and keyed once.

use std::{fmt, sync::Arc};

use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

use super::{Keyed, Secret};
use crate::{
    clock::UnixMs,
    verify::{algorithm::Algorithm, scheme::Scheme},
};

/// The keys of a route, decoded and keyed once.
#[derive(Debug)]
pub struct KeyRing {
    /// By candidate of the scheme.
    rings: Vec<Vec<Key>>,
}

/// One key of one candidate.
#[derive(Debug)]
pub(crate) struct Key {
    /// Its name in records.
    pub(crate) id: Arc<str>,
    /// Whether a message that names its key must name this id.
    id_is_explicit: bool,
    expires: Option<UnixMs>,
    len: usize,
    pub(crate) material: Material,
}

/// What a key verifies with.
#[expect(clippy::large_enum_variant, reason = "a route has few keys, each used on its hot path")]
pub(crate) enum Material {
    /// Computes what the signature has to be.
    Keyed(Keyed),
    /// Is itself what has to be there.
    Token(Zeroizing<Vec<u8>>),
}

impl fmt::Debug for Material {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Key {
    /// Whether it may verify now a message that names this key id, if any.
    pub(crate) fn fits(&self, named: Option<&[u8]>, now: UnixMs) -> bool {
        let in_time = self.expires.is_none_or(|end| now < end);
        let is_meant = match named {
            Some(name) if self.id_is_explicit => *self.id.as_bytes() == *name,
            _ => true,
        };
        in_time && is_meant
    }

    /// Whether a token is this one; the time depends on the lengths alone.
    pub(crate) fn is_token(&self, token: &[u8]) -> Choice {
        match &self.material {
            Material::Keyed(_) => Choice::from(0),
            Material::Token(own) => own.ct_eq(token),
        }
    }
}

impl KeyRing {
    /// Decodes and keys the secrets, expired ones too: expiry is judged with each message.
    ///
    /// # Errors
    ///
    /// For each secret that cannot be decoded as the scheme demands, its index and a text to be
    /// read after its name; never the secret.
    pub fn build(scheme: &Scheme, secrets: &[Secret]) -> Result<Self, Vec<(usize, String)>> {
        let mut rings = Vec::new();
        let mut problems: Vec<(usize, String)> = Vec::new();
        for candidate in scheme.candidates() {
            let mut ring = Vec::new();
            for (index, secret) in secrets.iter().enumerate() {
                match candidate.key.decode(&secret.bytes) {
                    Ok(_) if candidate.key_slot.is_some_and(|slot| slot != index) => {}
                    Ok(bytes) => ring.push(Key {
                        id: Arc::clone(&secret.id),
                        id_is_explicit: secret.id_is_explicit,
                        expires: secret.expires,
                        len: bytes.len(),
                        material: Self::material(candidate.algorithm, bytes),
                    }),
                    // Candidates usually decode alike, and one text a secret is enough.
                    Err(_) if problems.iter().any(|(other, _)| *other == index) => {}
                    Err(text) => problems.push((index, text)),
                }
            }
            rings.push(ring);
        }
        if problems.is_empty() { Ok(Self { rings }) } else { Err(problems) }
    }

    fn material(algorithm: Algorithm, bytes: Zeroizing<Vec<u8>>) -> Material {
        match Keyed::new(algorithm, &bytes) {
            Some(keyed) => Material::Keyed(keyed),
            None => Material::Token(bytes),
        }
    }

    /// The keys of one candidate.
    pub(crate) fn of(&self, candidate: usize) -> &[Key] {
        self.rings.get(candidate).map_or(&[], Vec::as_slice)
    }

    /// Every key's id and length in bytes after decoding; once per candidate that uses it.
    pub fn lengths(&self) -> impl Iterator<Item = (&str, usize)> {
        self.rings.iter().flatten().map(|key| (&*key.id, key.len))
    }

    /// Whether any key is accepted at this time.
    pub fn has_active(&self, now: UnixMs) -> bool {
        self.rings.iter().flatten().any(|key| key.fits(None, now))
    }
}
