//! Answers the handshakes that a provider signs.
//!
//! Behind signature and timestamp, which must both have held: a waiver answers nothing. Before
//! replay: a handshake is no delivery, and is asked for again whenever the provider likes. From
//! here on there are deliveries only, with the methods of deliveries.
//!
//! Acknowledges: `handshake`. Rejects: `handshake_refused`, `bad_request`, `method_not_allowed`.

use bytes::Bytes;

use crate::{
    config::model::Check,
    decision::{Code, Refusal},
    delivery::{Delivery, Held},
    verify::{Head, Verified},
};

use super::{
    challenge::answered,
    check::{Judge, Unproven},
    timestamp::Timely,
};

/// Has the engine look for a handshake in the whole request.
#[derive(Clone, Debug)]
pub struct AnswerHandshake;

/// Shows that the request is a delivery.
#[derive(Debug)]
pub struct NoHandshake(());

/// What was proven when handshakes are judged.
type Judged<P> = ((P, Held<Verified>), Held<Timely>);

impl<P> Judge<Bytes, Judged<P>> for AnswerHandshake {
    const CHECK: Check = Check::Handshake;
    const WHOLE: bool = false;
    type Proof = NoHandshake;

    fn judge(&self, delivery: &mut Delivery<Bytes, Judged<P>>) -> Result<NoHandshake, Unproven> {
        let route = delivery.route();
        if route.scheme.handshakes().is_empty() {
            return Ok(NoHandshake(()));
        }
        if let ((_, Held::Proven(verified)), Held::Proven(_)) = &delivery.proof {
            let head = Head::of(&delivery.head);
            let (body, now) = (&delivery.body, delivery.record.now);
            let answer = route.scheme.signed_handshake(&route.keys, verified, head, body, now)?;
            if let Some(answer) = answer {
                return Err(answered(answer, &mut delivery.record));
            }
        }
        // The route let the method in for a handshake that this is not.
        if !route.methods.contains(&delivery.head.method) {
            let what = "the route takes this method for handshakes alone";
            return Err(Refusal::new(Code::MethodNotAllowed, what).into());
        }
        Ok(NoHandshake(()))
    }
}
