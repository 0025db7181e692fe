//! Time, handed in: nothing below the servers asks the system for it.
//!
//! Two readings exist. *Unix time* is what senders sign and is judged against tolerances.
//! *Monotonic time* is what lifetimes, leases and measurements use: stepping the wall clock must
//! neither expire a replay entry nor keep one alive.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMs(pub i64);

impl UnixMs {
    /// Makes a time of whole Unix seconds.
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1000)
    }
}

/// Monotonic time since the clock was made.
pub type Mono = Duration;

/// A source of both times; cheap to clone.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System(Instant),
    Manual(Arc<Manual>),
}

#[derive(Debug)]
struct Manual {
    unix_ms: AtomicI64,
    mono_ns: AtomicU64,
}

impl Clock {
    /// The system's own clocks.
    pub fn system() -> Self {
        Self(Source::System(Instant::now()))
    }

    /// A clock that moves only when told to, for tests and for judging captured requests.
    pub fn manual(unix: UnixMs) -> Self {
        Self(Source::Manual(Arc::new(Manual {
            unix_ms: AtomicI64::new(unix.0),
            mono_ns: AtomicU64::new(0),
        })))
    }

    /// The wall clock.
    pub fn unix(&self) -> UnixMs {
        match &self.0 {
            Source::System(_) => system_unix(),
            Source::Manual(m) => UnixMs(m.unix_ms.load(Ordering::SeqCst)),
        }
    }

    /// Monotonic time since this clock was made.
    pub fn mono(&self) -> Mono {
        match &self.0 {
            Source::System(start) => start.elapsed(),
            Source::Manual(m) => Duration::from_nanos(m.mono_ns.load(Ordering::SeqCst)),
        }
    }

    /// Moves a manual clock forward, both times at once; a system clock is left alone.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(m) = &self.0 {
            let ms = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
            let ns = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
            m.unix_ms.fetch_add(ms, Ordering::SeqCst);
            m.mono_ns.fetch_add(ns, Ordering::SeqCst);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that asks the system for the time")]
fn system_unix() -> UnixMs {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMs(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_told() {
        let clock = Clock::manual(UnixMs::from_secs(1_760_000_000));
        assert_eq!(clock.unix().secs(), 1_760_000_000);
        clock.advance(Duration::from_millis(1500));
        assert_eq!(clock.unix(), UnixMs(1_760_000_001_500));
        assert_eq!(clock.mono(), Duration::from_millis(1500));
    }
}
