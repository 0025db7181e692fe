//! Admits deliveries whose signed time lies within the tolerance.
//!
//! Behind the signature: until that holds, the time is a stranger's claim.
//!
//! Rejects: `timestamp_missing`, `timestamp_malformed`, `timestamp_expired`,
//! `timestamp_in_future`.

use bytes::Bytes;

use crate::{
    config::model::Check,
    delivery::{Delivery, Held},
    verify::{Claim, Fresh, Head, Verified},
};

use super::{
    body::Whole,
    check::{Judge, Unproven},
};

/// Has the engine compare the signed time with the clock.
#[derive(Clone, Debug)]
pub struct JudgeTime;

/// Shows that the delivery is no older (or newer) than its scheme and route allow.
#[derive(Debug)]
pub struct Timely {
    /// The engine's proof; `None` where the scheme signs no time, so that nothing was proven.
    pub(super) fresh: Option<Fresh>,
}

/// What was proven when the time is judged.
type Signed<P> = (((P, Held<Claim>), Whole), Held<Verified>);

impl<P> Judge<Bytes, Signed<P>> for JudgeTime {
    const CHECK: Check = Check::Timestamp;
    type Proof = Timely;

    fn judge(&self, delivery: &mut Delivery<Bytes, Signed<P>>) -> Result<Timely, Unproven> {
        let (((_, Held::Proven(claim)), _), signature) = &delivery.proof else {
            return Err(Unproven::Moot);
        };
        let route = delivery.route();
        let now = delivery.record.now;
        let head = Head::of(&delivery.head);
        let verified = signature.proven();
        let fresh = route.scheme.judge_time(claim, verified, head, &delivery.body, now)?;
        // A time that nobody is known to have signed can fail the check, but proves nothing.
        if verified.is_none() {
            return Err(Unproven::Moot);
        }
        Ok(Timely { fresh })
    }
}
