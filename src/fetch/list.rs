//! One address list that is kept fresh.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwapOption;
use ipnet::IpNet;

use super::{FetchError, Kept};
use crate::{
    clock::{Mono, UnixMs},
    config::model::IpList,
    net::{Sources, list::believe},
};

/// What was not believed is asked for again after this time at the latest.
const DOUBT: Duration = Duration::from_secs(3600);

/// An address list, read by requests without a lock while it changes.
#[derive(Debug)]
pub struct List {
    name: Arc<str>,
    sources: ArcSwapOption<Sources>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    config: Arc<IpList>,
    /// What is in force.
    networks: Vec<IpNet>,
    /// When that was fetched; a file says nothing about it.
    fetched: Option<UnixMs>,
    /// How the last attempt ended.
    succeeded: Option<bool>,
    due: Mono,
    under_way: bool,
}

/// What is known of a list, for metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListStatus {
    /// Its name.
    pub name: Arc<str>,
    /// How many networks are in force.
    pub entries: usize,
    /// When they were fetched, if they were.
    pub fetched: Option<UnixMs>,
    /// Whether the last attempt to fetch it brought a list that was taken over.
    pub succeeded: Option<bool>,
}

impl List {
    /// A list of which nothing was fetched by this process: the copy on disk counts, else the file.
    pub(super) fn new(config: &Arc<IpList>, kept: Option<&Kept>) -> Arc<Self> {
        let list = Arc::new(Self {
            name: Arc::clone(&config.name),
            sources: ArcSwapOption::empty(),
            state: Mutex::new(State {
                config: Arc::clone(config),
                networks: Vec::new(),
                fetched: None,
                succeeded: None,
                due: Mono::ZERO,
                under_way: false,
            }),
        });
        if let Some(file) = &config.file {
            list.put(&mut list.state(), file.clone());
        }
        if let Some(kept) = kept
            && let Err(why) = list.take(&kept.body, kept.at)
        {
            tracing::warn!(list = &*list.name, %why, "the copy on disk is not used");
        }
        list
    }

    /// Whether the address is on the list; `None` as long as there is no list.
    pub fn contains(&self, ip: std::net::IpAddr) -> Option<bool> {
        self.sources.load().as_ref().map(|sources| sources.contains(ip))
    }

    /// Whether it is the same list in another configuration.
    pub(super) fn is_of(&self, config: &IpList) -> bool {
        let mine = self.config();
        mine.url == config.url && mine.shape == config.shape
    }

    /// Takes over another configuration. A file that has changed is the operator's word: it counts
    /// at once, whatever was fetched before.
    pub(super) fn configure(&self, config: &Arc<IpList>) {
        let mut state = self.state();
        let before = std::mem::replace(&mut state.config, Arc::clone(config));
        if let Some(file) = config.file.as_ref().filter(|_| before.file != config.file) {
            self.put(&mut state, file.clone());
            state.fetched = None;
            state.due = Mono::ZERO;
        }
    }

    pub(super) fn config(&self) -> Arc<IpList> {
        Arc::clone(&self.state().config)
    }

    /// Whether it is to be fetched now; if so, it counts as under way until [`Self::settle`].
    pub(super) fn departs(&self, now: Mono) -> bool {
        let mut state = self.state();
        let departs = !state.under_way && now >= state.due;
        state.under_way |= departs;
        departs
    }

    /// Takes over what was fetched at that time.
    ///
    /// # Errors
    ///
    /// Why it stays as it was.
    pub(super) fn take(&self, document: &[u8], at: UnixMs) -> Result<(), FetchError> {
        let mut state = self.state();
        let unusable = |why: String| FetchError::Unusable(why.into());
        let networks = state.config.shape.read(document).map_err(unusable)?;
        let before = Some(state.networks.as_slice()).filter(|networks| !networks.is_empty());
        believe(before, &networks).map_err(|why| unusable(why.to_string()))?;
        if networks != state.networks {
            let (before, now) = (state.networks.len(), networks.len());
            tracing::info!(list = &*self.name, before, now, "the address list has changed");
            self.put(&mut state, networks);
        }
        state.fetched = Some(at);
        Ok(())
    }

    /// Says how an attempt ended, and with that when the next one is.
    pub(super) fn settle(&self, result: &Result<(), FetchError>, now: Mono) {
        let mut state = self.state();
        let refresh = state.config.refresh;
        let wait = match result {
            Ok(()) => refresh,
            Err(FetchError::Resting { retry_in, .. }) => *retry_in,
            Err(FetchError::Unusable(_)) => refresh.min(DOUBT),
            // The client lets the URL rest as long as it must.
            Err(_) => Duration::ZERO,
        };
        state.succeeded = Some(result.is_ok());
        state.due = now + wait;
        state.under_way = false;
        if let Err(why) = result
            && !matches!(why, FetchError::Resting { .. })
        {
            let entries = state.networks.len();
            tracing::warn!(
                list = &*self.name, url = %state.config.url, %why, entries,
                "the address list could not be refreshed; what there is stays"
            );
        }
    }

    /// What is known of it.
    pub fn status(&self) -> ListStatus {
        let state = self.state();
        ListStatus {
            name: Arc::clone(&self.name),
            entries: state.networks.len(),
            fetched: state.fetched,
            succeeded: state.succeeded,
        }
    }

    #[cfg(test)]
    pub(super) fn is_under_way(&self) -> bool {
        self.state().under_way
    }

    fn put(&self, state: &mut State, networks: Vec<IpNet>) {
        self.sources.store(Some(Arc::new(Sources::new(&networks))));
        state.networks = networks;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::{Shape, Target};

    fn config(file: Option<&str>) -> Arc<IpList> {
        Arc::new(IpList {
            name: "office".into(),
            url: Target::configured("https://lists.example/").unwrap(),
            shape: Shape::default(),
            refresh: Duration::from_secs(600),
            file: file.map(|text| Shape::default().read(text.as_bytes()).unwrap()),
        })
    }

    fn kept(text: &'static str) -> Kept {
        Kept { body: text.into(), at: UnixMs(7), fresh_for: Duration::ZERO }
    }

    fn has(list: &List, ip: &str) -> Option<bool> {
        list.contains(ip.parse().unwrap())
    }

    #[test]
    fn nothing_then_a_file_then_a_copy_then_what_is_fetched() {
        assert_eq!(has(&List::new(&config(None), None), "192.0.2.1"), None);
        let list = List::new(&config(Some("192.0.2.1\n192.0.2.2")), None);
        assert_eq!((has(&list, "192.0.2.1"), has(&list, "192.0.2.3")), (Some(true), Some(false)));
        assert_eq!((list.status().entries, list.status().fetched), (2, None));
        let copy = kept("192.0.2.3\n192.0.2.4");
        let list = List::new(&config(Some("192.0.2.1\n192.0.2.2")), Some(&copy));
        assert_eq!((has(&list, "192.0.2.1"), has(&list, "192.0.2.3")), (Some(false), Some(true)));
        assert_eq!(list.status().fetched, Some(UnixMs(7)));
        list.take(b"192.0.2.5\n192.0.2.6", UnixMs(9)).unwrap();
        assert_eq!((has(&list, "192.0.2.5"), list.status().fetched), (Some(true), Some(UnixMs(9))));
    }

    #[test]
    fn what_is_not_believed_changes_nothing() {
        let list = List::new(&config(Some("192.0.2.1\n192.0.2.2")), None);
        for wrong in ["", "x", "0.0.0.0/0", "192.0.2.1", "# none", "<html>", "{}", "[]"] {
            assert!(list.take(wrong.as_bytes(), UnixMs(9)).is_err(), "{wrong}");
            assert_eq!(has(&list, "192.0.2.2"), Some(true), "{wrong}");
            assert_eq!(list.status().fetched, None);
        }
        let damaged = kept("0.0.0.0/0");
        assert_eq!(has(&List::new(&config(None), Some(&damaged)), "192.0.2.1"), None);
    }

    #[test]
    fn a_changed_file_is_the_operators_word() {
        let list = List::new(&config(Some("192.0.2.1\n192.0.2.2")), None);
        list.take(b"192.0.2.3\n192.0.2.4", UnixMs(9)).unwrap();
        list.configure(&config(Some("192.0.2.1\n192.0.2.2")));
        assert_eq!(has(&list, "192.0.2.3"), Some(true), "the same file says nothing new");
        list.configure(&config(Some("198.51.100.1")));
        assert_eq!(
            (has(&list, "192.0.2.3"), has(&list, "198.51.100.1")),
            (Some(false), Some(true))
        );
    }

    #[test]
    fn the_next_attempt_has_its_time() {
        let list = List::new(&config(None), None);
        let at = Duration::from_secs;
        assert!(list.departs(at(0)) && !list.departs(at(0)), "one at a time");
        list.settle(&Ok(()), at(1));
        assert!(!list.departs(at(600)) && list.departs(at(601)));
        list.settle(&Err(FetchError::Inside), at(601));
        assert_eq!(list.status().succeeded, Some(false));
        assert!(list.departs(at(601)));
        let why = Box::new(FetchError::Inside);
        list.settle(&Err(FetchError::Resting { why, retry_in: at(10) }), at(601));
        assert!(!list.departs(at(610)) && list.departs(at(611)));
        list.settle(&Err(FetchError::Unusable("x".into())), at(611));
        assert!(!list.departs(at(1210)) && list.departs(at(1211)));
    }
}
