//! A budget of failed authentications for each source.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use governor::{
    RateLimiter,
    clock::{Clock, DefaultClock, Reference},
    middleware::StateInformationMiddleware,
    state::{InMemoryState, NotKeyed},
};
use moka::sync::Cache;

use super::{
    RetryAfterSecs, Source,
    keyed::map,
    quota::{governed, whole_secs},
};
use crate::config::model::Quota;

type Bucket<C> = RateLimiter<NotKeyed, InMemoryState, C, StateInformationMiddleware>;

/// A budget of failures for each source: asked before a signature is worked on, charged only when
/// authentication failed.
pub struct Failures<C: Clock = DefaultClock> {
    clock: C,
    start: C::Instant,
    quota: governor::Quota,
    sources: Cache<Source, Arc<Failed<C>>>,
}

struct Failed<C: Clock> {
    bucket: Bucket<C>,
    /// Until when nothing is left, in nanoseconds since `start`. governor itself cannot be asked
    /// without spending.
    exhausted_until: AtomicU64,
}

impl Failures {
    /// Full budgets for up to `max_sources` at a time.
    pub fn new(quota: Quota, max_sources: u64) -> Self {
        Self::with_clock(quota, max_sources, DefaultClock::default())
    }
}

impl<C> Failures<C>
where
    C: Clock + Clone + Send + Sync + 'static,
{
    /// Full budgets that go by this clock.
    pub fn with_clock(quota: Quota, max_sources: u64, clock: C) -> Self {
        let start = clock.now();
        Self { clock, start, quota: governed(quota), sources: map(max_sources) }
    }

    /// Says whether the source has any budget left, without spending any.
    ///
    /// # Errors
    ///
    /// How long to wait, if it has none.
    pub fn check(&self, source: Source) -> Result<(), RetryAfterSecs> {
        let Some(failed) = self.sources.get(&source) else { return Ok(()) };
        let until = failed.exhausted_until.load(Ordering::Relaxed);
        let now = self.nanos(self.clock.now());
        if now < until {
            return Err(whole_secs(Duration::from_nanos(until - now)));
        }
        Ok(())
    }

    /// Takes one failure off the source's budget.
    pub fn charge(&self, source: Source) {
        let failed = self.sources.get_with(source, || {
            let bucket = RateLimiter::direct_with_clock(self.quota, self.clock.clone());
            Arc::new(Failed {
                bucket: bucket.with_middleware(),
                exhausted_until: AtomicU64::new(0),
            })
        });
        let left = failed.bucket.check().map_or(0, |state| state.remaining_burst_capacity());
        if left > 0 {
            return;
        }
        // Asking an empty bucket costs nothing, and tells when there will be something again.
        if let Err(until) = failed.bucket.check() {
            let until = self.nanos(until.earliest_possible());
            failed.exhausted_until.fetch_max(until, Ordering::Relaxed);
        }
    }

    fn nanos(&self, instant: C::Instant) -> u64 {
        instant.duration_since(self.start).as_u64()
    }
}

impl<C: Clock> std::fmt::Debug for Failures<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Failures").field("quota", &self.quota).finish_non_exhaustive()
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
