//! Certificates that messages name by their URL.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use super::{FetchError, Fetched, Fetcher, disk::GRACE};
use crate::{
    clock::{Mono, UnixMs},
    net::Target,
    verify::{NamedKey, RemoteKeys, certificate},
};

/// How many certificates are kept; the one that was fetched first makes room.
const MOST: usize = 64;
/// How many URLs a route's messages may have us ask in [`PERIOD`] that we know nothing of: the
/// messages are not verified yet.
const BUDGET: u32 = 20;
const PERIOD: Duration = Duration::from_secs(60);

/// Certificates, shared by all routes; each route has its own budget.
#[derive(Debug, Default)]
pub(super) struct Certificates(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    known: HashMap<Box<str>, Known>,
    cells: Vec<Arc<RemoteKeys>>,
    routes: Vec<Budget>,
}

#[derive(Debug)]
struct Known {
    key: NamedKey,
    came: Mono,
    /// When it is to be fetched again.
    due: Mono,
    /// When it is no longer used, if it could not be.
    ends: Mono,
    not_after: UnixMs,
    under_way: bool,
}

#[derive(Debug)]
struct Budget {
    cell: Weak<RemoteKeys>,
    begun: Mono,
    spent: u32,
}

impl Certificates {
    /// Puts the certificate of this URL into the cell, fetched if need be.
    pub(super) async fn obtain(
        self: &Arc<Self>,
        fetcher: &Arc<Fetcher>,
        cell: &Arc<RemoteKeys>,
        url: &str,
    ) -> Result<(), FetchError> {
        let unusable = |why: String| FetchError::Unusable(why.into());
        let target = Target::named(url).map_err(|why| unusable(format!("the URL {why}")))?;
        if !self.serve(cell, url, fetcher) {
            if !fetcher.knows(&target) && !self.spend(cell, fetcher.clock().mono()) {
                return Err(FetchError::Crowded);
            }
            let is_there = || self.lock().known.contains_key(url);
            let result = fetcher.obtain(&target, is_there, self.taker(fetcher, &target)).await;
            if let Err(why) = result
                && !self.recall_instead(fetcher, target, &why).await
            {
                return Err(why);
            }
            self.serve(cell, url, fetcher);
        }
        Ok(())
    }

    /// Puts the copy on disk of this URL into the cell, if there is one. Blocks.
    pub(super) fn recall(&self, fetcher: &Fetcher, cell: &RemoteKeys, url: &str) {
        if let Ok(target) = Target::named(url)
            && self.recall_now(fetcher, &target)
        {
            self.serve(cell, url, fetcher);
        }
    }

    /// Begins to fetch again what is due, on the current runtime.
    pub(super) fn refresh_due(self: &Arc<Self>, fetcher: &Arc<Fetcher>) {
        let now = fetcher.clock().mono();
        let is_due = |known: &Known| !known.under_way && now >= known.due;
        for (url, known) in self.lock().known.iter_mut().filter(|(_, known)| is_due(known)) {
            let Ok(target) = Target::named(url) else { continue };
            known.under_way = true;
            let (me, fetcher) = (Arc::clone(self), Arc::clone(fetcher));
            tokio::spawn(async move {
                let result = fetcher.obtain(&target, || false, me.taker(&fetcher, &target)).await;
                if let Err(why) = result {
                    tracing::warn!(url = %target, %why, "the certificate could not be refreshed");
                    me.put_off(target.url(), fetcher.clock().mono());
                }
            });
        }
    }

    /// Forgets what is no longer valid, and what could not be refreshed for too long.
    pub(super) fn sweep(&self, now: Mono, at: UnixMs) {
        let state = &mut *self.lock();
        let cells = &state.cells;
        state.known.retain(|url, known| {
            let stays = now < known.ends && at <= known.not_after;
            if !stays {
                cells.iter().for_each(|cell| cell.remove(url));
            }
            stays
        });
    }

    /// Keeps these cells in step with what is known.
    pub(super) fn configure(&self, cells: Vec<Arc<RemoteKeys>>) {
        self.lock().cells = cells;
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.lock().known.len()
    }

    fn serve(&self, cell: &RemoteKeys, url: &str, fetcher: &Fetcher) -> bool {
        let state = self.lock();
        let now = fetcher.clock().unix();
        let Some(known) = state.known.get(url).filter(|known| now <= known.not_after) else {
            return false;
        };
        cell.insert(known.key.clone(), MOST);
        true
    }

    /// What takes over an answer, whoever asked for it.
    fn taker(
        self: &Arc<Self>,
        fetcher: &Arc<Fetcher>,
        target: &Target,
    ) -> impl FnOnce(&Fetched) -> Result<(), FetchError> + Send + 'static {
        let (me, fetcher, target) = (Arc::clone(self), Arc::clone(fetcher), target.clone());
        move |fetched| {
            let clock = fetcher.clock();
            me.take(target.url(), &fetched.body, fetched.fresh_for, (clock.mono(), clock.unix()))?;
            fetcher.keep_soon(&target, fetched);
            Ok(())
        }
    }

    /// Takes the copy on disk instead of what could not be fetched, within its grace.
    async fn recall_instead(
        self: &Arc<Self>,
        fetcher: &Arc<Fetcher>,
        target: Target,
        why: &FetchError,
    ) -> bool {
        // While the URL rests the disk has been asked already.
        if matches!(why, FetchError::Resting { .. }) {
            return false;
        }
        let (me, fetcher) = (Arc::clone(self), Arc::clone(fetcher));
        let recalled = tokio::task::spawn_blocking(move || me.recall_now(&fetcher, &target));
        recalled.await.unwrap_or(false)
    }

    /// Takes the copy on disk, within its grace. Blocks.
    fn recall_now(&self, fetcher: &Fetcher, target: &Target) -> bool {
        let Some(kept) = fetcher.kept(target) else { return false };
        let clock = fetcher.clock();
        let Some(left) = kept.left(clock.unix()) else { return false };
        let fresh_for = left.saturating_sub(GRACE);
        let now = (clock.mono(), clock.unix());
        self.take(target.url(), &kept.body, fresh_for, now).is_ok()
    }

    fn put_off(&self, url: &str, now: Mono) {
        if let Some(known) = self.lock().known.get_mut(url) {
            known.under_way = false;
            known.due = now + PERIOD;
        }
    }

    fn take(
        &self,
        url: &str,
        document: &[u8],
        fresh_for: Duration,
        (now, at): (Mono, UnixMs),
    ) -> Result<(), FetchError> {
        let unusable = |why: String| FetchError::Unusable(why.into());
        let read =
            certificate(document).map_err(|why| unusable(format!("the certificate {why}")))?;
        if !read.holds_at(at) {
            return Err(unusable("the certificate is not valid at this time".to_owned()));
        }
        let key = NamedKey {
            kid: Some(url.into()),
            algorithm: None,
            not_after: Some(read.not_after),
            key: read.key,
        };
        let mut state = self.lock();
        if state.known.len() >= MOST && !state.known.contains_key(url) {
            let first = state.known.iter().min_by_key(|(_, known)| known.came);
            let first = first.map(|(url, _)| url.clone());
            first.and_then(|url| state.known.remove(&url));
        }
        let known = Known {
            key,
            came: now,
            due: now + fresh_for.mul_f64(0.75),
            ends: now + fresh_for + GRACE,
            not_after: read.not_after,
            under_way: false,
        };
        // What was taken from here before is replaced.
        for cell in state.cells.iter().filter(|cell| !cell.get(Some(url)).is_empty()) {
            cell.insert(known.key.clone(), MOST);
        }
        state.known.insert(url.into(), known);
        Ok(())
    }

    /// Whether the route may still make us ask an URL that we know nothing of.
    fn spend(&self, cell: &Arc<RemoteKeys>, now: Mono) -> bool {
        let mut state = self.lock();
        state.routes.retain(|budget| budget.cell.strong_count() > 0);
        let is_its = |budget: &&mut Budget| budget.cell.as_ptr() == Arc::as_ptr(cell);
        let budget = match state.routes.iter_mut().find(is_its) {
            Some(budget) => budget,
            None => {
                state.routes.push(Budget { cell: Arc::downgrade(cell), begun: now, spent: 0 });
                let Some(budget) = state.routes.last_mut() else { return false };
                budget
            }
        };
        if now.saturating_sub(budget.begun) >= PERIOD {
            (budget.begun, budget.spent) = (now, 0);
        }
        budget.spent = budget.spent.saturating_add(1);
        budget.spent <= BUDGET
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
