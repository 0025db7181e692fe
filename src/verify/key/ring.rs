//! The keys of a route, decoded and keyed once.

use std::{fmt, sync::Arc};

use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

use super::{Credentials, Hashed, Keyed, NamedKey, PublicKey, PublicKeys, RemoteKeys, Secret};
use crate::{
    clock::UnixMs,
    verify::{
        algorithm::Algorithm,
        scheme::{Candidate, Scheme},
    },
};

/// The keys of a route, decoded and keyed once.
#[derive(Debug)]
pub struct KeyRing {
    /// By candidate of the scheme.
    rings: Vec<Ring>,
    has_remotes: bool,
}

/// The keys of one candidate.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    /// Those that are here.
    pub(crate) keys: Vec<Key>,
    /// Those that are fetched.
    pub(crate) remotes: Vec<RemoteRing>,
}

/// Keys that are fetched.
#[derive(Debug)]
pub(crate) struct RemoteRing {
    /// Their name in records.
    pub(crate) id: Arc<str>,
    expires: Option<UnixMs>,
    pub(crate) keys: Arc<RemoteKeys>,
}

/// One key of one candidate.
#[derive(Debug)]
pub(crate) struct Key {
    /// Its name in records.
    pub(crate) id: Arc<str>,
    /// The name that a message must name, if it names one.
    name: Option<Arc<str>>,
    expires: Option<UnixMs>,
    len: usize,
    /// The algorithm that it is keyed for; a public key has its own say.
    pub(crate) algorithm: Algorithm,
    pub(crate) material: Material,
}

/// What a key verifies with.
#[expect(clippy::large_enum_variant, reason = "a route has few keys, each used on its hot path")]
pub(crate) enum Material {
    /// Is part of what is hashed.
    Hashed(Hashed),
    /// Computes what the signature has to be.
    Keyed(Keyed),
    /// Verifies what only another key can make.
    Public(NamedKey),
    /// Is itself what has to be there.
    Token(Zeroizing<Vec<u8>>),
}

impl fmt::Debug for Material {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl RemoteRing {
    /// Whether it may verify now.
    pub(crate) fn is_active(&self, now: UnixMs) -> bool {
        self.expires.is_none_or(|end| now < end)
    }
}

impl Key {
    /// Whether it may verify now a message that names this key id, if any.
    pub(crate) fn fits(&self, named: Option<&[u8]>, now: UnixMs) -> bool {
        let in_time = self.expires.is_none_or(|end| now < end);
        let is_meant = match (named, &self.name) {
            (Some(name), Some(own)) => *own.as_bytes() == *name,
            _ => true,
        };
        in_time && is_meant
    }

    /// Whether it has this very name.
    pub(crate) fn is_called(&self, name: &[u8]) -> bool {
        self.name.as_ref().is_some_and(|own| *own.as_bytes() == *name)
    }

    /// Whether a token is this one; the time depends on the lengths alone.
    pub(crate) fn is_token(&self, token: &[u8]) -> Choice {
        match &self.material {
            Material::Token(own) => own.ct_eq(token),
            _ => Choice::from(0),
        }
    }

    fn secret(secret: &Secret, algorithm: Algorithm, bytes: Zeroizing<Vec<u8>>) -> Self {
        let len = bytes.len();
        let keyed = Keyed::new(algorithm, &bytes).map(Material::Keyed);
        let hashed = || Hashed::new(algorithm, &bytes).map(Material::Hashed);
        let material = keyed.or_else(hashed);
        Self {
            id: Arc::clone(&secret.id),
            name: secret.id_is_explicit.then(|| Arc::clone(&secret.id)),
            expires: secret.expires,
            len,
            algorithm,
            material: material.unwrap_or(Material::Token(bytes)),
        }
    }

    fn public(own: &PublicKey, key: &NamedKey, algorithm: Algorithm) -> Self {
        let ends = [own.expires, key.not_after];
        let explicit = own.id_is_explicit.then(|| Arc::clone(&own.id));
        Self {
            id: Arc::clone(&own.id),
            name: key.kid.as_deref().map(Arc::from).or(explicit),
            expires: ends.into_iter().flatten().min(),
            len: 0,
            algorithm,
            material: Material::Public(key.clone()),
        }
    }
}

impl KeyRing {
    /// Decodes and keys the secrets, expired ones too: expiry is judged with each message. A scheme
    /// takes what it has use for: secrets, public keys or both.
    ///
    /// # Errors
    ///
    /// For each secret that cannot be decoded as the scheme demands, its index and a text to be
    /// read after its name; never the secret.
    pub fn build(scheme: &Scheme, credentials: &Credentials) -> Result<Self, Vec<(usize, String)>> {
        let mut problems: Vec<(usize, String)> = Vec::new();
        let rings: Vec<_> = scheme
            .candidates()
            .iter()
            .map(|candidate| Ring::build(candidate, credentials, &mut problems))
            .collect();
        if !problems.is_empty() {
            return Err(problems);
        }
        let has_remotes = rings.iter().any(|ring| !ring.remotes.is_empty());
        Ok(Self { rings, has_remotes })
    }

    /// The keys of one candidate.
    pub(crate) fn of(&self, candidate: usize) -> &Ring {
        static NONE: Ring = Ring { keys: Vec::new(), remotes: Vec::new() };
        self.rings.get(candidate).unwrap_or(&NONE)
    }

    /// Whether any key is fetched.
    pub(crate) const fn has_remotes(&self) -> bool {
        self.has_remotes
    }

    /// Every cell of keys that are fetched, once per candidate that uses it.
    pub fn remotes(&self) -> impl Iterator<Item = &Arc<RemoteKeys>> {
        self.rings.iter().flat_map(|ring| &ring.remotes).map(|remote| &remote.keys)
    }

    /// Every secret's id and length in bytes after decoding; once per candidate that uses it.
    pub fn lengths(&self) -> impl Iterator<Item = (&str, usize)> {
        let keys = self.rings.iter().flat_map(|ring| &ring.keys);
        let secret = |key: &&Key| !matches!(key.material, Material::Public(_));
        keys.filter(secret).map(|key| (&*key.id, key.len))
    }

    /// Whether any key is accepted at this time.
    pub fn has_active(&self, now: UnixMs) -> bool {
        self.rings.iter().any(|ring| {
            ring.keys.iter().any(|key| key.fits(None, now))
                || ring.remotes.iter().any(|remote| remote.is_active(now))
        })
    }
}

impl Ring {
    fn build(
        candidate: &Candidate,
        credentials: &Credentials,
        problems: &mut Vec<(usize, String)>,
    ) -> Self {
        let mut ring = Self::default();
        let symmetric = candidate.algorithms.iter().filter(|a| !a.is_asymmetric());
        for algorithm in symmetric.filter(|a| **a != Algorithm::None) {
            for (index, secret) in credentials.secrets.iter().enumerate() {
                match candidate.key.decode(&secret.bytes) {
                    Ok(_) if candidate.key_slot.is_some_and(|slot| slot != index) => {}
                    Ok(bytes) => ring.keys.push(Key::secret(secret, *algorithm, bytes)),
                    // Candidates usually decode alike, and one text a secret is enough.
                    Err(_) if problems.iter().any(|(other, _)| *other == index) => {}
                    Err(text) => problems.push((index, text)),
                }
            }
        }
        if let Some(algorithm) = candidate.algorithms.iter().find(|a| a.is_asymmetric()) {
            ring.add_public(*algorithm, candidate, credentials);
        }
        ring
    }

    fn add_public(
        &mut self,
        algorithm: Algorithm,
        candidate: &Candidate,
        credentials: &Credentials,
    ) {
        if candidate.certificate.is_some() {
            // No other key stands for one that the message names.
            self.remotes.extend(credentials.certificates.iter().map(|keys| RemoteRing {
                id: "certificate".into(),
                expires: None,
                keys: Arc::clone(keys),
            }));
            return;
        }
        for own in &credentials.public_keys {
            match &own.keys {
                PublicKeys::Known(keys) => {
                    self.keys.extend(keys.iter().map(|key| Key::public(own, key, algorithm)));
                }
                PublicKeys::Remote(keys) => self.remotes.push(RemoteRing {
                    id: Arc::clone(&own.id),
                    expires: own.expires,
                    keys: Arc::clone(keys),
                }),
            }
        }
    }
}
