//! Everything that is fetched for one gateway.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::runtime::Handle;

use super::{FetchError, Fetcher, Keys, Lists, Resolver, Settings};
use crate::{
    clock::{Clock, UnixMs},
    config::model::Config,
    net::Target,
};

/// How often it is looked whether something is due.
const TICK: Duration = Duration::from_millis(500);

/// The client, and what it keeps fresh. Outlives reloads.
#[derive(Debug)]
pub struct Fetching {
    fetcher: Arc<Fetcher>,
    resolver: Resolver,
    lists: Lists,
    keys: Keys,
    is_running: AtomicBool,
}

impl Fetching {
    /// Nothing to fetch yet.
    pub fn new(clock: Clock, resolver: Resolver) -> Arc<Self> {
        let settings = Settings::new(&crate::config::model::Fetch::default(), resolver.clone());
        let fetcher = Fetcher::new(clock, settings);
        let lists = Lists::new(Arc::clone(&fetcher));
        let keys = Keys::new(Arc::clone(&fetcher));
        Arc::new(Self { fetcher, resolver, lists, keys, is_running: AtomicBool::new(false) })
    }

    /// Takes over a configuration; reads copies from disk, and fetches nothing yet.
    pub fn configure(&self, config: &Config) {
        self.fetcher.configure(Settings::new(&config.fetch, self.resolver.clone()));
        let named = config.routes.iter().filter_map(|route| route.allow_from.as_ref());
        self.lists.configure(named.flat_map(|from| &from.lists));
        self.keys.configure(config.routes.iter().flat_map(|route| route.keys.remotes()));
    }

    /// The wall clock, against which ages are told.
    pub fn now(&self) -> UnixMs {
        self.fetcher.clock().unix()
    }

    /// The address lists.
    pub const fn lists(&self) -> &Lists {
        &self.lists
    }

    /// The keys.
    pub const fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Calls a URL that a message names, for what the call does: what is answered is of no
    /// interest, but it must be a success. Whose URL it may be is the caller's to judge.
    ///
    /// # Errors
    ///
    /// Why it was not called with success.
    pub async fn call(&self, url: &str) -> Result<(), FetchError> {
        let target = Target::named(url);
        let target = target.map_err(|why| FetchError::Unusable(format!("the URL {why}").into()))?;
        self.fetcher.get(&target).await.map(drop)
    }

    /// Keeps everything fresh from now on, on this runtime; further calls change nothing. Ends
    /// with the gateway.
    pub fn spawn(self: &Arc<Self>, runtime: &Handle) {
        if self.is_running.swap(true, Ordering::Relaxed) {
            return;
        }
        self.fetcher.run_on(runtime);
        let me = Arc::downgrade(self);
        runtime.spawn(async move {
            let mut ticks = tokio::time::interval(TICK);
            loop {
                ticks.tick().await;
                let Some(me) = me.upgrade() else { return };
                me.lists.refresh_due();
                me.keys.refresh_due();
            }
        });
    }
}
