//! Admits deliveries with a signature (or token) that holds under an active key.
//!
//! Rejects: `signature_mismatch`, and what only the body shows to be missing or malformed.

use bytes::Bytes;

use crate::{
    config::model::Check,
    delivery::{Delivery, Held},
    verify::{Claim, Head, Verified},
};

use super::{
    body::Whole,
    check::{Judge, Unproven},
};

/// Has the engine judge the whole body; its own [`Verified`] is the proof.
#[derive(Clone, Debug)]
pub struct VerifySignature;

/// What was proven when the signature is judged.
type Claimed<P> = ((P, Held<Claim>), Whole);

impl<P> Judge<Bytes, Claimed<P>> for VerifySignature {
    const CHECK: Check = Check::Signature;
    type Proof = Verified;

    fn judge(&self, delivery: &mut Delivery<Bytes, Claimed<P>>) -> Result<Verified, Unproven> {
        let ((_, Held::Proven(claim)), _) = &delivery.proof else { return Err(Unproven::Moot) };
        let route = delivery.route();
        let now = route.shared.clock.unix();
        let head = Head::of(&delivery.head);
        let verified = route.scheme.verify(&route.keys, claim, head, &delivery.body, now)?;
        delivery.record.key_id = Some(verified.key_id.clone());
        Ok(verified)
    }
}
