//! Admits what the receiver behind the route is meant to bear. It stands behind signature and
//! replay, so that strangers and copies cannot use it up.
//!
//! Rejects: `rate_limited`; the reservation is released, so that a later attempt goes through.

use crate::{
    config::model::Check,
    delivery::{Delivery, Held},
};

use super::{
    check::{Judge, Unproven},
    replay::Once,
    source_rate::limited,
};

/// `rate_limit.per_route`.
#[derive(Clone, Debug)]
pub struct LimitRoute;

/// Shows that the route is within its limit.
#[derive(Debug)]
pub struct WithinRouteRate(());

impl<B, P> Judge<B, (P, Held<Once>)> for LimitRoute {
    const CHECK: Check = Check::RateLimit;
    type Proof = WithinRouteRate;

    fn judge(
        &self,
        delivery: &mut Delivery<B, (P, Held<Once>)>,
    ) -> Result<WithinRouteRate, Unproven> {
        // What was let through by a monitored signature was not authenticated by anything.
        let Held::Proven(once) = &delivery.proof.1 else { return Ok(WithinRouteRate(())) };
        match &delivery.route().limits.per_route {
            Some(limit) if once.authenticated() => limit
                .check()
                .map(|()| WithinRouteRate(()))
                .map_err(|over| limited("over rate_limit.per_route", over).into()),
            _ => Ok(WithinRouteRate(())),
        }
    }
}
