//! Admits requests whose host, path and method a route takes.
//!
//! Rejects: `no_route`, `method_not_allowed`; `internal_error` once the policy's exception for the
//! route has ended: with it, the configuration would not load any more.

use std::sync::Arc;

use crate::{
    config::model::Check,
    decision::{Code, Refusal},
    delivery::Delivery,
    gateway::Gateway,
    verify::Head,
};

use super::check::{Judge, Unproven};

/// Finds the route in the snapshot that is in force at this moment; the request keeps it, whatever
/// is reloaded meanwhile.
#[derive(Clone, Debug)]
pub struct FindRoute(pub(super) Arc<Gateway>);

/// Shows that a route was found.
#[derive(Debug)]
pub struct Routed(());

impl<B, P> Judge<B, P> for FindRoute {
    const CHECK: Check = Check::Route;
    type Proof = Routed;

    fn judge(&self, delivery: &mut Delivery<B, P>) -> Result<Routed, Unproven> {
        let snapshot = self.0.snapshot();
        let record = &mut *delivery.record;
        let found = snapshot.router.find(&record.host, delivery.head.uri.path());
        let route = found.and_then(|found| {
            record.remainder = found.remainder;
            snapshot.routes.get(found.route)
        });
        let Some(route) = route else {
            return Err(Refusal::new(Code::NoRoute, "no route has this host and path").into());
        };
        record.route = Some(Arc::clone(route));
        let now = record.time;
        if route.excepted_until.is_some_and(|end| now >= end) {
            let why = "the policy's exception for this route has ended";
            return Err(Refusal::new(Code::InternalError, why).retry_after(300).into());
        }
        // What a method is let in for that deliveries do not come with, must answer it.
        let head = Head::of(&delivery.head);
        if !route.methods.contains(head.method) && !route.scheme.handshakes().expects(head) {
            return Err(Refusal::new(
                Code::MethodNotAllowed,
                "the route does not take this method",
            )
            .into());
        }
        Ok(Routed(()))
    }
}
