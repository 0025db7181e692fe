//! Everything that a route verifies with, as configured.

use std::sync::Arc;

use super::{NamedKey, RemoteKeys, Secret, read_public_keys};
use crate::{
    clock::UnixMs,
    verify::definition::{Published, PublishedAs},
};

/// Everything that a route verifies with, as configured.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    /// Secrets, for MACs, digests and tokens.
    pub secrets: Vec<Secret>,
    /// Public keys.
    pub public_keys: Vec<PublicKey>,
    /// Where certificates are kept that messages name; the scheme says which they may name.
    pub certificates: Option<Arc<RemoteKeys>>,
}

/// One element of `public_keys`.
#[derive(Clone, Debug)]
pub struct PublicKey {
    /// Its name in records: configured, or variable name, or file stem.
    pub id: Arc<str>,
    /// Whether `id` was written by the operator, so that a message that names a key must name it.
    pub id_is_explicit: bool,
    /// When it stops being accepted.
    pub expires: Option<UnixMs>,
    /// The key, or the keys.
    pub keys: PublicKeys,
}

/// What one element of `public_keys` stands for.
#[derive(Clone, Debug)]
pub enum PublicKeys {
    /// Keys that are here; several where a set was pasted.
    Known(Vec<NamedKey>),
    /// Keys that are fetched.
    Remote(Arc<RemoteKeys>),
}

impl PublicKey {
    /// A key that a definition brings, or the cell into which it is fetched.
    ///
    /// # Errors
    ///
    /// What is wrong with it, to be read after its name.
    pub fn published(
        published: &Published,
        cell: &mut dyn FnMut(&str) -> Arc<RemoteKeys>,
    ) -> Result<Self, String> {
        let keys = match &published.keys {
            PublishedAs::Value(text) => PublicKeys::Known(read_public_keys(text.as_bytes())?),
            PublishedAs::Jwks(url) => PublicKeys::Remote(cell(url)),
        };
        let id = published.id.as_str().into();
        Ok(Self { id, id_is_explicit: false, expires: None, keys })
    }

    /// The keys that are here.
    pub fn known(&self) -> &[NamedKey] {
        match &self.keys {
            PublicKeys::Known(keys) => keys,
            PublicKeys::Remote(_) => &[],
        }
    }
}

impl From<&[Secret]> for Credentials {
    fn from(secrets: &[Secret]) -> Self {
        Self { secrets: secrets.to_vec(), ..Self::default() }
    }
}
