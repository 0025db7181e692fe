//! Admits requests whose head has signature, timestamp and id: there, once, well formed.
//!
//! Judged before the body is read, so that a request without a plausible signature costs no memory.
//!
//! Rejects: `signature_missing`, `signature_malformed`, `timestamp_missing`,
//! `timestamp_malformed`, `id_missing`, `ambiguous_header`.

use crate::{
    config::model::Check,
    delivery::Delivery,
    verify::{Claim, Head},
};

use super::check::{Judge, Unproven};

/// Asks the route's scheme what the head claims.
#[derive(Clone, Debug)]
pub struct ReadClaim;

impl<B, P> Judge<B, P> for ReadClaim {
    const CHECK: Check = Check::Signature;
    // That a signature is there is not that it holds.
    const WHOLE: bool = false;
    type Proof = Claim;

    fn judge(&self, delivery: &mut Delivery<B, P>) -> Result<Claim, Unproven> {
        Ok(delivery.route().scheme.claim(Head::of(&delivery.head))?)
    }
}
