//! Admits what a source may still send: before anything is known of it, and before any work that
//! costs more than a look-up.
//!
//! Rejects: `rate_limited`. Failed authentications are charged by [`super::edge`], where the
//! outcome is known; here a source that has used them up is turned away.

use crate::{
    config::model::Check,
    decision::{Code, Refusal},
    delivery::Delivery,
    limit::{RetryAfterSecs, Source},
};

use super::check::{Judge, Unproven};

/// `rate_limit.per_source` and `rate_limit.failures`.
#[derive(Clone, Debug)]
pub struct LimitSource;

/// Shows that the source is within its limits.
#[derive(Debug)]
pub struct WithinSourceRate(());

impl<B, P> Judge<B, P> for LimitSource {
    const CHECK: Check = Check::RateLimit;
    type Proof = WithinSourceRate;

    fn judge(&self, delivery: &mut Delivery<B, P>) -> Result<WithinSourceRate, Unproven> {
        let source = Source::from(delivery.record.source);
        let limits = &delivery.route().limits;
        if let Some(limit) = &limits.per_source {
            limit.check(source).map_err(|over| limited("over rate_limit.per_source", over))?;
        }
        if let Some(limit) = &limits.failures {
            limit.check(source).map_err(|over| limited("over rate_limit.failures", over))?;
        }
        Ok(WithinSourceRate(()))
    }
}

pub(super) fn limited(what: &'static str, over: RetryAfterSecs) -> Refusal {
    Refusal::new(Code::RateLimited, what).retry_after(over.0)
}
