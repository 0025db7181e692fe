//! One key set that is kept fresh.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{FetchError, Fetched, Fetcher, Kept, disk::GRACE};
use crate::{
    clock::{Mono, UnixMs},
    net::Target,
    verify::{NamedKey, RemoteKeys, read_public_keys},
};

/// A set is not fetched more often because of a key that is not in it.
const REFETCH: Duration = Duration::from_secs(30);
/// A set is refreshed at least so often, however long it may be used.
const REFRESH: Duration = Duration::from_secs(3600);
/// No set holds more keys.
const MOST_KEYS: usize = 256;

/// A key set of one URL, for every route that uses it.
#[derive(Debug)]
pub(super) struct KeySet {
    target: Target,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    cells: Vec<Arc<RemoteKeys>>,
    /// What is in force, if anything.
    set: Option<Set>,
    succeeded: Option<bool>,
    due: Mono,
    under_way: bool,
}

#[derive(Debug)]
struct Set {
    keys: Vec<NamedKey>,
    /// When this process got it; `None` of a copy from disk.
    came: Option<Mono>,
    /// When it is no longer used.
    ends: Mono,
    fetched: UnixMs,
}

/// What is known of what is fetched, for metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeysStatus {
    /// The URL without its query.
    pub source: Box<str>,
    /// How many keys are in force.
    pub keys: usize,
    /// When they were fetched.
    pub fetched: Option<UnixMs>,
    /// Whether the last attempt brought keys.
    pub succeeded: Option<bool>,
}

impl KeySet {
    /// A set that was not fetched by this process; the copy on disk serves as long as it may.
    pub(super) fn new(target: Target, kept: Option<&Kept>, fetcher: &Fetcher) -> Arc<Self> {
        let set = Self { target, state: Mutex::default() };
        if let Some(kept) = kept {
            match (kept.left(fetcher.clock().unix()), read(&kept.body)) {
                (None, _) => tracing::warn!(url = %set.target, "the copy on disk is too old"),
                (Some(_), Err(why)) => {
                    tracing::warn!(url = %set.target, %why, "the copy on disk is not used");
                }
                (Some(left), Ok(keys)) => {
                    let ends = fetcher.clock().mono() + left;
                    set.state().set = Some(Set { keys, came: None, ends, fetched: kept.at });
                }
            }
        }
        Arc::new(set)
    }

    /// Puts the keys into exactly these cells, now and whenever they change.
    pub(super) fn serve(&self, cells: Vec<Arc<RemoteKeys>>) {
        let mut state = self.state();
        state.cells = cells;
        state.publish();
    }

    /// Fetches the set if it is not there, or if it lacks this key and may be asked for it again.
    /// Fine if there is nothing more to be had: whether the key is there is for others to see.
    pub(super) async fn obtain(
        self: &Arc<Self>,
        fetcher: &Arc<Fetcher>,
        kid: &str,
    ) -> Result<(), FetchError> {
        let me = Arc::clone(self);
        let now = fetcher.clock().mono();
        let is_there = move || me.state().answers(kid, now);
        fetcher.obtain(&self.target, is_there, self.taker(fetcher)).await
    }

    /// Fetches the set again, whatever is there.
    pub(super) async fn refresh(self: &Arc<Self>, fetcher: &Arc<Fetcher>) {
        let result = fetcher.obtain(&self.target, || false, self.taker(fetcher)).await;
        let now = fetcher.clock().mono();
        let mut state = self.state();
        state.under_way = false;
        let Err(why) = result else { return };
        state.succeeded = Some(false);
        state.due = match why {
            FetchError::Resting { retry_in, .. } => now + retry_in,
            _ => now,
        };
        if !matches!(why, FetchError::Resting { .. }) {
            let keys = state.set.as_ref().map_or(0, |set| set.keys.len());
            tracing::warn!(url = %self.target, %why, keys, "the key set could not be refreshed");
        }
    }

    /// Whether it is to be refreshed now; if so, it counts as under way until that has ended. A set
    /// beyond its grace is dropped here.
    pub(super) fn departs(&self, now: Mono) -> bool {
        let mut state = self.state();
        if state.set.as_ref().is_some_and(|set| now >= set.ends) {
            tracing::error!(url = %self.target, "the key set is too old to be used any longer");
            state.set = None;
            state.publish();
        }
        let departs = !state.under_way && now >= state.due;
        state.under_way |= departs;
        departs
    }

    pub(super) fn status(&self) -> KeysStatus {
        let state = self.state();
        KeysStatus {
            source: self.target.to_string().into(),
            keys: state.set.as_ref().map_or(0, |set| set.keys.len()),
            fetched: state.set.as_ref().map(|set| set.fetched),
            succeeded: state.succeeded,
        }
    }

    /// What takes over an answer, whoever asked for it.
    fn taker(
        self: &Arc<Self>,
        fetcher: &Arc<Fetcher>,
    ) -> impl FnOnce(&Fetched) -> Result<(), FetchError> + Send + 'static {
        let (me, fetcher) = (Arc::clone(self), Arc::clone(fetcher));
        move |fetched| {
            me.take(fetched, fetcher.clock().mono(), fetcher.clock().unix())?;
            fetcher.keep_soon(&me.target, fetched);
            Ok(())
        }
    }

    fn take(&self, fetched: &Fetched, now: Mono, at: UnixMs) -> Result<(), FetchError> {
        let keys = read(&fetched.body).map_err(|why| FetchError::Unusable(why.into()))?;
        let mut state = self.state();
        let ends = now + fetched.fresh_for + GRACE;
        // While it is still fresh, so that nobody has to wait; and often enough for keys that are
        // withdrawn, or that messages do not name.
        state.due = now + fetched.fresh_for.mul_f64(0.75).min(REFRESH);
        state.succeeded = Some(true);
        state.set = Some(Set { keys, came: Some(now), ends, fetched: at });
        state.publish();
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn is_under_way(&self) -> bool {
        self.state().under_way
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether asking would bring nothing new about this key: it is there, or the set came a moment
    /// ago without it.
    fn answers(&self, kid: &str, now: Mono) -> bool {
        let Some(set) = &self.set else { return false };
        let is_recent = set.came.is_some_and(|came| now.saturating_sub(came) < REFETCH);
        is_recent || kid.is_empty() || set.keys.iter().any(|key| key.kid.as_deref() == Some(kid))
    }

    fn publish(&self) {
        for cell in &self.cells {
            cell.replace(self.set.as_ref().map(|set| set.keys.clone()).unwrap_or_default());
        }
    }
}

/// The keys of a JSON Web Key Set (RFC 7517 section 5).
fn read(body: &[u8]) -> Result<Vec<NamedKey>, String> {
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err("it is no JSON Web Key Set".to_owned());
    }
    let keys = read_public_keys(body).map_err(|why| format!("the key set {why}"))?;
    match keys.len() {
        0 => Err("the key set holds no key".to_owned()),
        1..=MOST_KEYS => Ok(keys),
        more => Err(format!("the key set holds {more} keys")),
    }
}
