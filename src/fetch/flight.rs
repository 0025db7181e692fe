//! Each URL once at a time, and not again soon after it failed.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;
use tokio::{runtime::Handle, sync::watch};

use super::{FetchError, Fetched, Settings, client, disk, disk::Kept};
use crate::{
    clock::{Clock, Mono},
    net::Target,
};

/// How long a URL rests after its first failure; twice as long after each further one.
const FIRST_REST: Duration = Duration::from_secs(10);
/// No URL rests longer.
const LONGEST_REST: Duration = Duration::from_secs(5 * 60);
/// How many URLs are in flight or resting at once. When it is full, the URL whose rest ends first
/// is forgotten; while all are in flight, further ones are refused.
const MOST_URLS: usize = 1024;

/// The one client for everything that is fetched. Shared by all cores.
#[derive(Debug)]
pub struct Fetcher {
    clock: Clock,
    settings: ArcSwap<Settings>,
    /// Where fetches run, so that none ends with the core or the request that asked for it.
    runtime: OnceLock<Handle>,
    urls: Mutex<HashMap<Box<str>, State>>,
}

type Outcome = Result<Fetched, FetchError>;
type Flight = watch::Receiver<Option<Outcome>>;

/// A URL that is being fetched, or that failed. One that succeeded leaves nothing here.
#[derive(Debug, Default)]
struct State {
    flight: Option<Flight>,
    failures: u32,
    rests_until: Mono,
    why: Option<FetchError>,
}

impl Fetcher {
    /// A client that has fetched nothing yet.
    pub fn new(clock: Clock, settings: Settings) -> Arc<Self> {
        Arc::new(Self {
            clock,
            settings: ArcSwap::from_pointee(settings),
            runtime: OnceLock::new(),
            urls: Mutex::default(),
        })
    }

    /// Takes over other settings; fetches under way keep theirs, and what rests may be tried again.
    pub fn configure(&self, settings: Settings) {
        self.settings.store(Arc::new(settings));
        self.urls().retain(|_, state| state.flight.is_some());
    }

    /// Says where fetches run; the first call counts. Without one, they run where they are asked
    /// for.
    pub fn run_on(&self, runtime: &Handle) {
        let _first: Result<(), Handle> = self.runtime.set(runtime.clone());
    }

    pub(super) const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Fetches, or waits for whoever is fetching the same URL already. May be dropped at any time:
    /// the fetch goes on for the others.
    ///
    /// # Errors
    ///
    /// Why it cannot be had, or [`FetchError::Resting`] without asking anybody.
    pub async fn get(self: &Arc<Self>, target: &Target) -> Result<Fetched, FetchError> {
        let Some(flight) = self.join(target, || false, |_| Ok(()))? else {
            return Err(FetchError::Broken("nothing was fetched".into()));
        };
        land(flight).await
    }

    /// Fetches unless `is_there` already, and hands what came back to `take`, once, before anybody
    /// who waits for it goes on. What `take` refuses counts as a failure of the URL. May be dropped
    /// at any time.
    ///
    /// # Errors
    ///
    /// As [`Self::get`], and what `take` said.
    pub async fn obtain(
        self: &Arc<Self>,
        target: &Target,
        is_there: impl FnOnce() -> bool,
        take: impl FnOnce(&Fetched) -> Result<(), FetchError> + Send + 'static,
    ) -> Result<(), FetchError> {
        match self.join(target, is_there, take)? {
            Some(flight) => land(flight).await.map(drop),
            None => Ok(()),
        }
    }

    fn join(
        self: &Arc<Self>,
        target: &Target,
        is_there: impl FnOnce() -> bool,
        take: impl FnOnce(&Fetched) -> Result<(), FetchError> + Send + 'static,
    ) -> Result<Option<Flight>, FetchError> {
        let now = self.clock.mono();
        let mut urls = self.urls();
        // Under the lock: what a fetch has brought is there before its flight is not any more.
        if is_there() {
            return Ok(None);
        }
        if !urls.contains_key(target.url()) {
            make_room(&mut urls)?;
        }
        let state = urls.entry(target.url().into()).or_default();
        if let Some(flight) = state.flight.as_ref().filter(|flight| is_under_way(flight)) {
            return Ok(Some(flight.clone()));
        }
        if let Some(why) = state.why.clone().filter(|_| now < state.rests_until) {
            let retry_in = state.rests_until.saturating_sub(now);
            return Err(FetchError::Resting { why: Box::new(why), retry_in });
        }
        let (landing, flight) = watch::channel(None);
        state.flight = Some(flight.clone());
        drop(urls);
        self.depart(target.clone(), take, landing);
        Ok(Some(flight))
    }

    fn depart(
        self: &Arc<Self>,
        target: Target,
        take: impl FnOnce(&Fetched) -> Result<(), FetchError> + Send + 'static,
        landing: watch::Sender<Option<Outcome>>,
    ) {
        let me = Arc::clone(self);
        let fetch = async move {
            let settings = me.settings.load_full();
            let fetched = client::get(&settings, &target).await;
            let outcome = fetched.and_then(|fetched| take(&fetched).map(|()| fetched));
            me.settle(&target, outcome.as_ref().err());
            // Nobody may be waiting any more.
            landing.send_replace(Some(outcome));
        };
        match self.runtime.get() {
            Some(runtime) => drop(runtime.spawn(fetch)),
            None => drop(tokio::spawn(fetch)),
        }
    }

    fn settle(&self, target: &Target, error: Option<&FetchError>) {
        let now = self.clock.mono();
        let mut urls = self.urls();
        let Some(why) = error else {
            urls.remove(target.url());
            return;
        };
        let state = urls.entry(target.url().into()).or_default();
        let rest = FIRST_REST.saturating_mul(1 << state.failures.min(8)).min(LONGEST_REST);
        state.flight = None;
        state.failures = state.failures.saturating_add(1);
        state.rests_until = now + rest;
        state.why = Some(why.clone());
    }

    /// Has what was fetched and found good written to the cache on disk, if there is one.
    pub(super) fn keep_soon(self: &Arc<Self>, target: &Target, fetched: &Fetched) {
        if self.settings.load().cache.is_none() {
            return;
        }
        let (me, target, fetched) = (Arc::clone(self), target.clone(), fetched.clone());
        drop(tokio::task::spawn_blocking(move || me.keep(&target, &fetched)));
    }

    /// Writes what was fetched and found good to the cache on disk, if there is one. Blocks.
    pub(super) fn keep(&self, target: &Target, fetched: &Fetched) {
        if let Some(dir) = &self.settings.load().cache {
            let kept = Kept {
                body: fetched.body.clone(),
                at: self.clock.unix(),
                fresh_for: fetched.fresh_for,
            };
            if let Err(error) = disk::save(dir, target, &kept) {
                tracing::warn!(%error, dir = %dir.display(), url = %target, "cannot keep a copy of what was fetched");
            }
        }
    }

    /// The last good copy on disk. Blocks.
    pub(super) fn kept(&self, target: &Target) -> Option<Kept> {
        let settings = self.settings.load();
        let dir = settings.cache.as_deref()?;
        match disk::load(dir, target, settings.max_bytes) {
            Ok(kept) => kept,
            Err(error) => {
                tracing::warn!(%error, dir = %dir.display(), url = %target, "the copy on disk is not used");
                None
            }
        }
    }

    /// Whether the URL is being fetched or rests: asking for it costs nothing more.
    pub(super) fn knows(&self, target: &Target) -> bool {
        let now = self.clock.mono();
        self.urls().get(target.url()).is_some_and(|state| {
            now < state.rests_until || state.flight.as_ref().is_some_and(is_under_way)
        })
    }

    #[cfg(test)]
    pub(super) fn known(&self) -> usize {
        self.urls().len()
    }

    #[cfg(test)]
    pub(super) fn knows_any_flight(&self) -> bool {
        self.urls().values().any(|state| state.flight.as_ref().is_some_and(is_under_way))
    }

    fn urls(&self) -> MutexGuard<'_, HashMap<Box<str>, State>> {
        self.urls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for what a fetch ends in.
async fn land(mut flight: Flight) -> Outcome {
    let landed = flight.wait_for(Option::is_some).await;
    // Without an outcome the fetch panicked, or its runtime is gone.
    let crashed = || Err(FetchError::Broken("the fetch was abandoned".into()));
    landed.map_or_else(|_| crashed(), |outcome| outcome.clone().unwrap_or_else(crashed))
}

/// Whether a fetch will still say how it ended.
fn is_under_way(flight: &Flight) -> bool {
    // An error: the sending side is gone, after a panic or with its runtime.
    flight.borrow().is_none() && flight.has_changed().is_ok()
}

fn make_room(urls: &mut HashMap<Box<str>, State>) -> Result<(), FetchError> {
    if urls.len() < MOST_URLS {
        return Ok(());
    }
    let resting = urls.iter().filter(|(_, state)| !state.flight.as_ref().is_some_and(is_under_way));
    let first = resting.min_by_key(|(_, state)| state.rests_until).map(|(url, _)| url.clone());
    let first = first.ok_or(FetchError::Crowded)?;
    urls.remove(&first);
    Ok(())
}
