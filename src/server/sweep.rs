//! One look a while at all connections of a core: who is too slow is closed.

use std::{
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use tokio::time::Instant;

use super::watch::{Phase, Watch};

/// How long a lingering connection may still send.
const LINGER: Duration = Duration::from_secs(1);
/// How long a sender may take nothing of its answer.
const BLOCKED: Duration = Duration::from_secs(60);

/// The connections of one core.
#[derive(Debug, Default)]
pub(super) struct Registry(Mutex<Connections>);

#[derive(Debug, Default)]
struct Connections {
    entries: Vec<Entry>,
    draining: bool,
}

#[derive(Debug)]
struct Entry {
    watch: Weak<Watch>,
    /// The epoch last seen, and when it was first seen.
    phase: (u64, Instant),
    /// What [`Watch::blocked`] said, and when it first did.
    blocked: (u64, Instant),
}

impl Registry {
    /// Watches over a connection from now on.
    pub(super) fn add(&self, watch: &Arc<Watch>) {
        let now = Instant::now();
        let mut connections = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if connections.draining {
            watch.drain();
        }
        connections.entries.push(Entry {
            watch: Arc::downgrade(watch),
            phase: (watch.epoch(), now),
            blocked: (0, now),
        });
    }

    /// Tells all connections, and all that are still to come, to end once they have answered.
    pub(super) fn drain(&self) {
        let mut connections = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        connections.draining = true;
        for watch in connections.entries.iter().filter_map(|entry| entry.watch.upgrade()) {
            watch.drain();
        }
    }

    /// Closes what is overdue and forgets what has ended.
    pub(super) fn sweep(&self, now: Instant) {
        let mut connections = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        connections.entries.retain_mut(|entry| {
            let Some(watch) = entry.watch.upgrade() else { return false };
            entry.judge(&watch, now);
            true
        });
    }
}

impl Entry {
    fn judge(&mut self, watch: &Watch, now: Instant) {
        let in_phase = elapsed(&mut self.phase, watch.epoch(), now);
        let blocked = elapsed(&mut self.blocked, watch.blocked(), now);
        let patience = watch.patience;
        match watch.phase() {
            Phase::Silent | Phase::Head if in_phase >= patience.head => watch.close(),
            Phase::Idle if in_phase >= patience.idle => watch.close(),
            // HTTP/2 is told to go, and closed if it does not.
            Phase::Streamless if in_phase >= patience.idle + patience.head => watch.close(),
            Phase::Streamless if in_phase >= patience.idle => watch.drain(),
            Phase::Linger if in_phase >= LINGER => watch.close(),
            _ if watch.blocked() != 0 && blocked >= BLOCKED => watch.close(),
            _ => {}
        }
    }
}

/// For how long a value has been what it is.
fn elapsed(seen: &mut (u64, Instant), value: u64, now: Instant) -> Duration {
    if seen.0 != value {
        *seen = (value, now);
    }
    now.saturating_duration_since(seen.1)
}

/// How often to look: often enough for the shortest of the times, and no more than needed.
pub(super) fn interval(shortest: Duration) -> Duration {
    (shortest / 8).clamp(Duration::from_millis(5), Duration::from_millis(250))
}

#[cfg(test)]
mod tests {
    use super::{super::watch::Patience, *};

    const HEAD: Duration = Duration::from_secs(10);
    const IDLE: Duration = Duration::from_secs(75);

    struct Case {
        registry: Registry,
        watch: Arc<Watch>,
        start: Instant,
    }

    impl Case {
        fn new() -> Self {
            let (registry, start) = (Registry::default(), Instant::now());
            let watch = Arc::new(Watch::new(Patience { head: HEAD, idle: IDLE }));
            registry.add(&watch);
            Self { registry, watch, start }
        }

        fn sweep(&self, after: Duration) -> (bool, bool) {
            // A second more than due: the registry's own clock began a little after `start`.
            self.registry.sweep(self.start + after);
            (self.watch.must_drain(), self.watch.must_close())
        }
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_first_head_is_due_from_the_accept_on() {
        let case = Case::new();
        assert_eq!(case.sweep(HEAD / 2), (false, false));
        case.watch.shift(Phase::Head);
        assert_eq!(case.sweep(HEAD - SECOND), (false, false));
        assert_eq!(case.sweep(HEAD + SECOND), (false, true));
    }

    #[test]
    fn idle_and_busy_connections() {
        let case = Case::new();
        case.watch.enter(Phase::Busy);
        assert_eq!(case.sweep(IDLE * 10), (false, false));
        case.watch.enter(Phase::Idle);
        assert_eq!(case.sweep(IDLE * 10), (false, false));
        assert_eq!(case.sweep(IDLE * 11 - SECOND), (false, false));
        assert_eq!(case.sweep(IDLE * 11), (false, true));
    }

    #[test]
    fn http2_is_first_told_to_go() {
        let case = Case::new();
        case.watch.enter(Phase::Streamless);
        assert_eq!(case.sweep(SECOND), (false, false));
        assert_eq!(case.sweep(SECOND + IDLE), (true, false));
        assert_eq!(case.sweep(SECOND + IDLE + HEAD), (true, true));
    }

    #[test]
    fn a_sender_that_takes_nothing_of_its_answer_is_closed() {
        let case = Case::new();
        case.watch.enter(Phase::Busy);
        case.watch.note_write(false, 1);
        assert_eq!(case.sweep(SECOND), (false, false));
        case.watch.note_write(false, 2);
        assert_eq!(case.sweep(BLOCKED + SECOND), (false, false));
        assert_eq!(case.sweep(BLOCKED * 2 + SECOND), (false, true));
    }

    #[test]
    fn late_comers_drain_too_and_the_gone_are_forgotten() {
        let case = Case::new();
        case.registry.drain();
        assert_eq!(case.sweep(SECOND), (true, false));
        let late = Arc::new(Watch::new(case.watch.patience));
        case.registry.add(&late);
        assert!(late.must_drain());
        drop(late);
        case.registry.sweep(case.start);
        assert_eq!(case.registry.0.lock().unwrap().entries.len(), 1);
    }
}
