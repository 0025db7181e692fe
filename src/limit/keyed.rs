//! One budget a source, in a map of bounded size.

use std::sync::Arc;

use governor::{
    RateLimiter,
    clock::{Clock, DefaultClock},
};
use moka::{policy::EvictionPolicy, sync::Cache};

use super::{
    RetryAfterSecs, Source,
    direct::Bucket,
    quota::{governed, wait},
};
use crate::config::model::Quota;

/// A budget for each source.
pub struct Keyed<C: Clock = DefaultClock> {
    clock: C,
    quota: governor::Quota,
    buckets: Cache<Source, Arc<Bucket<C>>>,
}

impl Keyed {
    /// Full budgets for up to `max_sources` at a time.
    pub fn new(quota: Quota, max_sources: u64) -> Self {
        Self::with_clock(quota, max_sources, DefaultClock::default())
    }
}

impl<C> Keyed<C>
where
    C: Clock + Clone + Send + Sync + 'static,
{
    /// Full budgets that go by this clock.
    pub fn with_clock(quota: Quota, max_sources: u64, clock: C) -> Self {
        Self { clock, quota: governed(quota), buckets: map(max_sources) }
    }

    /// Takes one request off the source's budget.
    ///
    /// # Errors
    ///
    /// How long to wait, if nothing is left.
    pub fn check(&self, source: Source) -> Result<(), RetryAfterSecs> {
        // `get_with` makes a bucket exactly once, however many ask at the same time.
        let bucket = self.buckets.get(&source).unwrap_or_else(|| {
            let fresh = || RateLimiter::direct_with_clock(self.quota, self.clock.clone());
            self.buckets.get_with(source, || Arc::new(fresh()))
        });
        bucket.check().map_err(|until| wait(&until, self.clock.now()))
    }
}

/// A map of bounded size that drops the least recently used source. Not moka's default policy,
/// which would refuse new sources while the map is full and so never count them.
pub(super) fn map<V: Clone + Send + Sync + 'static>(max_sources: u64) -> Cache<Source, V> {
    Cache::builder().max_capacity(max_sources).eviction_policy(EvictionPolicy::lru()).build()
}

impl<C: Clock> std::fmt::Debug for Keyed<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keyed").field("quota", &self.quota).finish_non_exhaustive()
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
    fn a_flood_of_sources_stays_bounded_and_each_is_still_counted() {
        let keyed = Keyed::with_clock(quota(1, 3600, 1), 100, FakeRelativeClock::default());
        for n in 0..5_000 {
            assert!(keyed.check(source(n)).is_ok());
            assert!(keyed.check(source(n)).is_err(), "source {n} was never kept");
        }
        keyed.buckets.run_pending_tasks();
        assert!(keyed.buckets.entry_count() <= 100);
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
