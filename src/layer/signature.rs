//! Admits deliveries with a signature (or token) that holds under an active key.
//!
//! Rejects: `signature_mismatch`, and what only the body shows to be missing or malformed.

use std::sync::Arc;

use bytes::Bytes;

use crate::{
    clock::UnixMs,
    config::model::Check,
    decision::Code,
    delivery::{Delivery, Held, NearMiss},
    verify::{
        Claim, Head, SchemeOptions, Verified,
        explain::{self, Tried},
    },
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
        let now = delivery.record.now;
        let head = Head::of(&delivery.head);
        match route.scheme.verify(&route.keys, claim, head, &delivery.body, now) {
            Ok(verified) => {
                delivery.record.key_id = Some(verified.key_id.clone());
                Ok(verified)
            }
            Err(refusal) => {
                if refusal.code == Code::SignatureMismatch && route.explains_now() {
                    delivery.record.near_miss = Some(near_miss(delivery, now));
                }
                Err(refusal.into())
            }
        }
    }
}

/// What would have matched instead, to be found out by whoever writes the audit line.
fn near_miss<P>(delivery: &Delivery<Bytes, P>, now: UnixMs) -> NearMiss {
    let route = Arc::clone(delivery.route());
    let head = (delivery.head.method.clone(), delivery.head.uri.clone());
    let (headers, body) = (delivery.head.headers.clone(), delivery.body.clone());
    NearMiss(Arc::new(move || {
        let (method, uri) = &head;
        let head = Head { method, uri, headers: &headers };
        let options = SchemeOptions { expect: route.expect.clone(), ..SchemeOptions::default() };
        let tried = Tried { secrets: &route.secrets, public_keys: &route.public_keys };
        let misses = explain::explain(&route.definition, &options, tried, head, &body, now);
        misses.first().map(ToString::to_string)
    }))
}
