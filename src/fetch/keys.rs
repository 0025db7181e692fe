//! All keys that the running routes fetch.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    FetchError, Fetcher, certificates::Certificates, key_set::KeySet, key_set::KeysStatus,
};
use crate::{
    net::Target,
    verify::{Origin, RemoteKeys, Wanted},
};

/// Key sets, kept fresh in the background, and certificates, fetched when a message names one.
/// They outlive a reload.
#[derive(Debug)]
pub struct Keys {
    fetcher: Arc<Fetcher>,
    certificates: Arc<Certificates>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    sets: HashMap<Box<str>, Arc<KeySet>>,
}

impl Keys {
    pub(super) fn new(fetcher: Arc<Fetcher>) -> Self {
        Self { fetcher, certificates: Arc::default(), state: Mutex::default() }
    }

    /// Serves exactly these cells from now on. Reads copies from disk, and fetches nothing yet.
    pub(super) fn configure<'c>(&self, cells: impl IntoIterator<Item = &'c Arc<RemoteKeys>>) {
        let mut by_url: HashMap<Box<str>, Vec<Arc<RemoteKeys>>> = HashMap::new();
        let mut certificates: Vec<Arc<RemoteKeys>> = Vec::new();
        for cell in cells {
            let cells = match cell.origin() {
                Origin::Certificates => &mut certificates,
                Origin::Jwks { url } => by_url.entry(url.clone()).or_default(),
            };
            if !cells.iter().any(|known| Arc::ptr_eq(known, cell)) {
                cells.push(Arc::clone(cell));
            }
        }
        let mut state = self.state();
        let mut before = std::mem::take(&mut state.sets);
        self.certificates.configure(certificates);
        for (url, cells) in by_url {
            // What is no URL to fetch was complained about by whoever checked the configuration.
            let Ok(target) = Target::configured(&url) else { continue };
            let set = before.remove(&url).unwrap_or_else(|| {
                let kept = self.fetcher.kept(&target);
                KeySet::new(target, kept.as_ref(), &self.fetcher)
            });
            set.serve(cells);
            state.sets.insert(url, set);
        }
    }

    /// Sees that what is wanted is there, if it can be had. Fine also if there is no such key: a
    /// fresh set that lacks it is an answer.
    ///
    /// # Errors
    ///
    /// Why it cannot be had.
    pub async fn obtain(&self, wanted: &Wanted) -> Result<(), FetchError> {
        match wanted.remote.origin() {
            Origin::Certificates => {
                self.certificates.obtain(&self.fetcher, &wanted.remote, &wanted.name).await
            }
            Origin::Jwks { url } => {
                let set = self.state().sets.get(url).map(Arc::clone);
                let Some(set) = set else {
                    // Only a request that began before a reload has a cell that is not served.
                    return Err(FetchError::Unusable("the key set is not configured".into()));
                };
                set.obtain(&self.fetcher, &wanted.name).await
            }
        }
    }

    /// Sees that what is wanted is there without asking anybody: of a certificate the copy on disk
    /// serves. Says whether it is. Blocks.
    pub fn recall(&self, wanted: &Wanted) -> bool {
        if *wanted.remote.origin() == Origin::Certificates {
            self.certificates.recall(&self.fetcher, &wanted.remote, &wanted.name);
        }
        !wanted.remote.get(Some(&*wanted.name).filter(|name| !name.is_empty())).is_empty()
    }

    /// What is wanted, for operators; a message has chosen part of it.
    pub fn about(wanted: &Wanted) -> String {
        let name: String = wanted.name.chars().take(200).collect();
        match wanted.remote.origin() {
            Origin::Certificates => format!("the certificate {name:?}"),
            Origin::Jwks { url } => {
                let url = url.split('?').next().unwrap_or_default();
                let name =
                    if name.is_empty() { "a key".into() } else { format!("the key {name:?}") };
                format!("{name} of {url}")
            }
        }
    }

    /// What is known of each key set.
    pub fn status(&self) -> Vec<KeysStatus> {
        let mut all: Vec<_> = self.state().sets.values().map(|set| set.status()).collect();
        all.sort_by(|one, other| one.source.cmp(&other.source));
        all
    }

    #[cfg(test)]
    pub(super) fn certificates(&self) -> usize {
        self.certificates.len()
    }

    /// Begins to fetch what is due, on the current runtime, and drops what is too old.
    pub(super) fn refresh_due(&self) {
        let clock = self.fetcher.clock();
        let state = self.state();
        self.certificates.sweep(clock.mono(), clock.unix());
        self.certificates.refresh_due(&self.fetcher);
        for set in state.sets.values().filter(|set| set.departs(clock.mono())) {
            let (fetcher, set) = (Arc::clone(&self.fetcher), Arc::clone(set));
            tokio::spawn(async move { set.refresh(&fetcher).await });
        }
    }

    #[cfg(test)]
    pub(super) fn is_under_way(&self) -> bool {
        self.state().sets.values().any(|set| set.is_under_way())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
