//! Keys that somebody else fetches: a cell that the engine only looks into.

use std::sync::Arc;

use arc_swap::ArcSwap;
use smallvec::SmallVec;

use super::NamedKey;

/// Where fetched keys come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Certificates, each named by its URL.
    Certificates,
    /// A JSON Web Key Set (RFC 7517, section 5).
    Jwks {
        /// Its URL.
        url: Box<str>,
    },
}

/// Keys that are fetched, as far as they are there.
#[derive(Debug)]
pub struct RemoteKeys {
    origin: Origin,
    keys: ArcSwap<Vec<Arc<NamedKey>>>,
}

/// What must be fetched before a message can be judged.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Where the key is looked for.
    pub remote: Arc<RemoteKeys>,
    /// The URL of a certificate, or the id of a key; empty where the message names none.
    pub name: Box<str>,
}

impl RemoteKeys {
    /// A cell in which nothing is yet.
    pub fn new(origin: Origin) -> Arc<Self> {
        Arc::new(Self { origin, keys: ArcSwap::default() })
    }

    /// Where the keys come from.
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The keys that may be meant: those of this name, or all where the message names none.
    ///
    /// A key that has no name of its own may be meant by any.
    pub fn get(&self, name: Option<&str>) -> SmallVec<[Arc<NamedKey>; 4]> {
        let is_meant = |key: &&Arc<NamedKey>| match (name, key.kid.as_deref()) {
            (Some(name), Some(own)) => name == own,
            (None, _) | (_, None) => true,
        };
        self.keys.load().iter().filter(is_meant).cloned().collect()
    }

    /// Puts a whole set in the place of the one before.
    pub fn replace(&self, keys: Vec<NamedKey>) {
        self.keys.store(Arc::new(keys.into_iter().map(Arc::new).collect()));
    }

    /// Adds one key, or puts it in the place of the one of its name; `at_most` are kept, the
    /// youngest.
    pub fn insert(&self, key: NamedKey, at_most: usize) {
        let key = Arc::new(key);
        self.keys.rcu(|before| {
            let mut keys: Vec<_> =
                before.iter().filter(|other| other.kid != key.kid).cloned().collect();
            keys.push(Arc::clone(&key));
            keys.drain(..keys.len().saturating_sub(at_most));
            keys
        });
    }

    /// Takes away the key of this name.
    pub fn remove(&self, name: &str) {
        self.keys.rcu(|before| {
            before
                .iter()
                .filter(|key| key.kid.as_deref() != Some(name))
                .cloned()
                .collect::<Vec<_>>()
        });
    }

    /// How many keys are there.
    pub fn len(&self) -> usize {
        self.keys.load().len()
    }

    /// Whether none is there.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
