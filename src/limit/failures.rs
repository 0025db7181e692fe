//! A budget of failed authentications for each source.

use std::{
    convert::Infallible,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use governor::{
    RateLimiter,
    clock::{Clock, DefaultClock, Reference},
    middleware::StateInformationMiddleware,
    nanos::Nanos,
};

use super::{
    RetryAfterSecs, Source,
    quota::{governed, whole_secs},
    recent::Recent,
};
use crate::config::model::Quota;

/// A budget of failures for each source: asked before a signature is worked on, charged only when
/// authentication failed.
pub struct Failures<C: Clock = DefaultClock> {
    clock: C,
    start: C::Instant,
    buckets: RateLimiter<Source, Recent<Nanos>, C, StateInformationMiddleware>,
    /// Until when a source has nothing left, in nanoseconds since `start`: governor itself cannot
    /// be asked without spending.
    exhausted: Recent<u64>,
    /// The last of those times, so that nothing is looked up while everybody has something left.
    last_exhausted: AtomicU64,
}

impl<C: Clock + Clone> Failures<C> {
    /// Full budgets that go by this clock.
    pub fn with_clock(quota: Quota, max_sources: u64, clock: C) -> Self {
        let buckets = RateLimiter::new(governed(quota), Recent::new(max_sources), clock.clone());
        Self {
            start: clock.now(),
            clock,
            buckets,
            exhausted: Recent::new(max_sources),
            last_exhausted: AtomicU64::new(0),
        }
    }

    /// Says whether the source has any budget left, without spending any.
    ///
    /// # Errors
    ///
    /// How long to wait, if it has none.
    pub fn check(&self, source: Source) -> Result<(), RetryAfterSecs> {
        let now = self.nanos(self.clock.now());
        if self.last_exhausted.load(Ordering::Relaxed) <= now {
            return Ok(());
        }
        match self.exhausted.get(source) {
            Some(until) if now < until => Err(whole_secs(Duration::from_nanos(until - now))),
            _ => Ok(()),
        }
    }

    /// Takes one failure off the source's budget.
    pub fn charge(&self, source: Source) {
        let left = self.buckets.check_key(&source);
        if left.is_ok_and(|state| state.remaining_burst_capacity() > 0) {
            return;
        }
        // Asking an empty bucket costs nothing, and tells when there will be something again.
        if let Err(until) = self.buckets.check_key(&source) {
            let until = self.nanos(until.earliest_possible());
            let later = |before: Option<u64>| {
                Ok::<_, Infallible>(((), before.unwrap_or_default().max(until)))
            };
            let Ok(()) = self.exhausted.update(source, later);
            self.last_exhausted.fetch_max(until, Ordering::Relaxed);
        }
    }

    fn nanos(&self, instant: C::Instant) -> u64 {
        instant.duration_since(self.start).as_u64()
    }
}

impl<C: Clock> std::fmt::Debug for Failures<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Failures").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use governor::clock::FakeRelativeClock;

    use super::*;
    use crate::limit::quota::quota;

    #[test]
    fn asking_spends_nothing_and_failing_does() {
        let clock = FakeRelativeClock::default();
        clock.advance(Duration::from_secs(1000));
        let failures = Failures::with_clock(quota(6, 60, 3), 100, clock.clone());
        let (bad, good) = ([192, 0, 2, 1], [192, 0, 2, 2]);
        let (bad, good): (Source, Source) = (IpAddr::from(bad).into(), IpAddr::from(good).into());
        for _ in 0..3 {
            for _ in 0..20 {
                assert_eq!(failures.check(bad), Ok(()));
            }
            failures.charge(bad);
        }
        assert_eq!(failures.check(bad), Err(RetryAfterSecs(10)));
        assert_eq!(failures.check(good), Ok(()));
        clock.advance(Duration::from_millis(9_999));
        assert_eq!(failures.check(bad), Err(RetryAfterSecs(1)));
        clock.advance(Duration::from_millis(1));
        assert_eq!(failures.check(bad), Ok(()));
        failures.charge(bad);
        assert_eq!(failures.check(bad), Err(RetryAfterSecs(10)));
        // Many that were judged at the same time and failed after the budget was gone.
        for _ in 0..50 {
            failures.charge(bad);
        }
        assert_eq!(failures.check(bad), Err(RetryAfterSecs(10)));
        clock.advance(Duration::from_secs(60));
        assert_eq!(failures.check(bad), Ok(()));
    }
}
