//! One budget for a whole route.

use governor::{
    RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};

use super::{
    RetryAfterSecs,
    quota::{governed, wait},
};
use crate::config::model::Quota;

/// governor's limiter with a single bucket.
type Bucket<C> = RateLimiter<NotKeyed, InMemoryState, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// One budget, whoever asks.
pub struct Direct<C: Clock = DefaultClock> {
    clock: C,
    bucket: Bucket<C>,
}

impl<C: Clock + Clone> Direct<C> {
    /// A full budget that goes by this clock.
    pub fn with_clock(quota: Quota, clock: C) -> Self {
        Self { bucket: RateLimiter::direct_with_clock(governed(quota), clock.clone()), clock }
    }

    /// Takes one request off the budget.
    ///
    /// # Errors
    ///
    /// How long to wait, if nothing is left.
    pub fn check(&self) -> Result<(), RetryAfterSecs> {
        self.bucket.check().map_err(|until| wait(&until, self.clock.now()))
    }
}

impl<C: Clock> std::fmt::Debug for Direct<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Direct").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use governor::clock::FakeRelativeClock;

    use super::*;
    use crate::limit::quota::quota;

    #[test]
    fn a_burst_and_then_the_rate() {
        let clock = FakeRelativeClock::default();
        let direct = Direct::with_clock(quota(6, 60, 3), clock.clone());
        for _ in 0..3 {
            assert_eq!(direct.check(), Ok(()));
        }
        assert_eq!(direct.check(), Err(RetryAfterSecs(10)));
        clock.advance(Duration::from_millis(9_999));
        assert_eq!(direct.check(), Err(RetryAfterSecs(1)));
        clock.advance(Duration::from_millis(1));
        assert_eq!(direct.check(), Ok(()));
        assert!(direct.check().is_err());
    }
}
