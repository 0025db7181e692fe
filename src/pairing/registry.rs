//! Pairings by route name: a reload neither disarms a route nor forgets what it took.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use super::{
    keyfile,
    state::{Pairing, Target},
};

/// The pairings of all routes. One for the life of the process.
#[derive(Debug, Default)]
pub struct Registry {
    routes: Mutex<BTreeMap<Arc<str>, Arc<Pairing>>>,
}

impl Registry {
    /// The pairing of a route whose configuration was read without a key.
    ///
    /// A key may have been taken since it was read: then it counts as long as its file is there.
    /// One whose file an operator has removed does not.
    pub fn route(&self, name: &Arc<str>, target: &Target) -> Arc<Pairing> {
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        let is_gone = || keyfile::is_vacant(&target.file).unwrap_or(true);
        let known = routes
            .get(name)
            .filter(|known| known.target() == target && (known.captured().is_none() || !is_gone()));
        match known {
            Some(known) => Arc::clone(known),
            None => {
                let pairing = Arc::new(Pairing::new(target.clone()));
                routes.insert(Arc::clone(name), Arc::clone(&pairing));
                pairing
            }
        }
    }

    /// Forgets the routes that are gone, or have their key from their configuration.
    pub fn retain(&self, pairs: impl Fn(&str) -> bool) {
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        routes.retain(|name, _| pairs(name));
    }
}
