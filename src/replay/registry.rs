//! Stores by route name, and the cache that owns all slots.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{
    route::RouteStore,
    windows::{SlotCache, slot_cache},
};
use crate::{clock::Mono, config::model::Replay};

/// The replay stores of all routes. One for the life of the process.
#[derive(Debug)]
pub struct Registry {
    cache: SlotCache,
    routes: RwLock<BTreeMap<Arc<str>, Arc<RouteStore>>>,
    next: AtomicU64,
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

impl Registry {
    /// An empty one.
    pub fn new() -> Self {
        Self { cache: slot_cache(), routes: RwLock::default(), next: AtomicU64::new(0) }
    }

    /// The store of a route, made if the name is new; what it remembers survives a change of its
    /// settings, also when a route goes away and comes back.
    pub fn route(&self, name: &str, settings: &Replay) -> Arc<RouteStore> {
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = routes.get(name) {
            store.configure(settings);
            return Arc::clone(store);
        }
        let name: Arc<str> = name.into();
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let store = RouteStore::new(Arc::clone(&name), number, self.cache.clone(), settings);
        let store = Arc::new(store);
        routes.insert(name, Arc::clone(&store));
        store
    }

    /// Every store, by name.
    pub fn stores(&self) -> Vec<Arc<RouteStore>> {
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        routes.values().map(Arc::clone).collect()
    }

    /// Drops what has expired, and the stores of routes that are gone once they are empty. Stores
    /// do the first by themselves when they are used; calling this now and then gives the memory
    /// of idle ones back.
    pub fn sweep(&self, now: Mono) {
        for store in self.stores() {
            store.sweep(now);
        }
        self.cache.run_pending_tasks();
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        routes.retain(|_, store| Arc::strong_count(store) > 1 || store.entries() > 0);
    }
}
