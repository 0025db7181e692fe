//! Admits requests whose head has signature, timestamp and id: there, once, well formed.
//!
//! Judged before the body is read, so that a request without a plausible signature costs no memory.
//!
//! Rejects: `signature_missing`, `signature_malformed`, `timestamp_missing`,
//! `timestamp_malformed`, `id_missing`, `ambiguous_header`; `key_unavailable` of a route whose key
//! its provider has yet to hand over.

use crate::{
    config::model::Check,
    decision::{Code, Refusal},
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
        let route = delivery.route();
        let claim = route.scheme.claim(Head::of(&delivery.head))?;
        if route.keys.is_waiting() {
            // Only the gateway lacks something: the sender shall try again.
            let why = "the route has no key yet; `hookward pair` has it take one";
            return Err(Refusal::new(Code::KeyUnavailable, why).into());
        }
        Ok(claim)
    }
}
