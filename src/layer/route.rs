//! Admits requests whose host, path and method a route takes.
//!
//! Rejects: `no_route`, `method_not_allowed`.

use std::sync::Arc;

use crate::{
    config::model::Check,
    decision::{Code, Refusal},
    delivery::Delivery,
    gateway::Gateway,
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
        if !route.methods.contains(&delivery.head.method) {
            return Err(Refusal::new(
                Code::MethodNotAllowed,
                "the route does not take this method",
            )
            .into());
        }
        Ok(Routed(()))
    }
}
