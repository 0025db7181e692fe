//! One budget a source, in a map of bounded size.

use governor::{
    RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::NoOpMiddleware,
    nanos::Nanos,
};

use super::{
    RetryAfterSecs, Source,
    quota::{governed, wait},
    recent::Recent,
};
use crate::config::model::Quota;

/// A budget for each source.
pub struct Keyed<C: Clock = DefaultClock> {
    clock: C,
    buckets: RateLimiter<Source, Recent<Nanos>, C, NoOpMiddleware<C::Instant>>,
}

impl<C: Clock + Clone> Keyed<C> {
    /// Full budgets that go by this clock.
    pub fn with_clock(quota: Quota, max_sources: u64, clock: C) -> Self {
        let buckets = RateLimiter::new(governed(quota), Recent::new(max_sources), clock.clone());
        Self { clock, buckets }
    }

    /// Takes one request off the source's budget.
    ///
    /// # Errors
    ///
    /// How long to wait, if nothing is left.
    pub fn check(&self, source: Source) -> Result<(), RetryAfterSecs> {
        self.buckets.check_key(&source).map_err(|until| wait(&until, self.clock.now()))
    }
}

impl<C: Clock> std::fmt::Debug for Keyed<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keyed").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        net::{IpAddr, Ipv4Addr},
        sync::atomic::{AtomicUsize, Ordering},
        time::Duration,
    };

    use governor::clock::FakeRelativeClock;

    use super::*;
    use crate::limit::quota::quota;

    fn source(n: u32) -> Source {
        IpAddr::V4(Ipv4Addr::from(n)).into()
    }

    #[test]
    fn sources_do_not_spend_each_others_budget() {
        let clock = FakeRelativeClock::default();
        let keyed = Keyed::with_clock(quota(1, 1, 2), 100, clock.clone());
        assert!(keyed.check(source(1)).is_ok() && keyed.check(source(1)).is_ok());
        assert_eq!(keyed.check(source(1)), Err(RetryAfterSecs(1)));
        assert!(keyed.check(source(2)).is_ok());
        clock.advance(Duration::from_secs(1));
        assert!(keyed.check(source(1)).is_ok());
        assert!(keyed.check(source(1)).is_err());
    }

    #[test]
    fn in_a_flood_of_sources_each_is_still_counted() {
        let keyed = Keyed::with_clock(quota(1, 3600, 1), 100, FakeRelativeClock::default());
        for n in 0..5_000 {
            assert!(keyed.check(source(n)).is_ok());
            assert!(keyed.check(source(n)).is_err(), "source {n} was never kept");
        }
    }

    #[test]
    fn threads_share_one_bucket() {
        let keyed = Keyed::with_clock(quota(1, 3600, 50), 100, FakeRelativeClock::default());
        let passed = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for n in 0..1000 {
                        if keyed.check(source(n % 10)).is_ok() {
                            passed.fetch_add(1, Ordering::SeqCst);
                        }
                    }
                });
            }
        });
        assert_eq!(passed.into_inner(), 500);
    }
}
