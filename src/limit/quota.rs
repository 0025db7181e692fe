//! From the configured rate to governor's, and from its verdict to whole seconds.

use std::{num::NonZeroU32, time::Duration};

use governor::{NotUntil, clock::Reference};

use super::RetryAfterSecs;
use crate::config::model::Quota;

/// Turns `{ rate = "100/1m", burst = 50 }` into one cell every 600 ms, 50 at once.
pub(super) fn governed(quota: Quota) -> governor::Quota {
    let each = (quota.per / quota.count.get()).max(Duration::from_nanos(1));
    // governor multiplies the two in 64 bits of nanoseconds and would overflow.
    let nanos = u64::try_from(each.as_nanos()).unwrap_or(u64::MAX).min(MOST_NANOS);
    let burst = quota.burst.get().min(u32::try_from(MOST_NANOS / nanos).unwrap_or(u32::MAX));
    let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
    governor::Quota::with_period(Duration::from_nanos(nanos)).map_or_else(
        || governor::Quota::per_second(quota.count).allow_burst(burst),
        |governed| governed.allow_burst(burst),
    )
}

/// How long to wait, rounded up.
pub(super) fn wait<P: Reference>(until: &NotUntil<P>, now: P) -> RetryAfterSecs {
    whole_secs(until.wait_time_from(now))
}

/// Rounds up to whole seconds, at least one.
pub(super) fn whole_secs(wait: Duration) -> RetryAfterSecs {
    let secs = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    RetryAfterSecs(u32::try_from(secs).unwrap_or(u32::MAX).max(1))
}

/// About 146 years: a quarter of what 64 bits of nanoseconds hold.
const MOST_NANOS: u64 = u64::MAX / 4;

#[cfg(test)]
pub(super) fn quota(count: u32, per_secs: u64, burst: u32) -> Quota {
    Quota {
        count: NonZeroU32::new(count).unwrap(),
        per: Duration::from_secs(per_secs),
        burst: NonZeroU32::new(burst).unwrap(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_become_periods() {
        let governed = governed(quota(100, 60, 50));
        assert_eq!(governed.replenish_interval(), Duration::from_millis(600));
        assert_eq!(governed.burst_size().get(), 50);
    }

    #[test]
    fn absurd_quotas_do_not_overflow() {
        for (count, per, burst) in
            [(1, u64::MAX / 2, u32::MAX), (u32::MAX, 1, u32::MAX), (1, 86_400 * 366, u32::MAX)]
        {
            let clock = governor::clock::FakeRelativeClock::default();
            let limiter =
                governor::RateLimiter::direct_with_clock(governed(quota(count, per, burst)), clock);
            assert!(limiter.check().is_ok());
        }
    }

    #[test]
    fn waits_are_rounded_up() {
        assert_eq!(whole_secs(Duration::ZERO).0, 1);
        assert_eq!(whole_secs(Duration::from_secs(2)).0, 2);
        assert_eq!(whole_secs(Duration::from_millis(2001)).0, 3);
    }
}
