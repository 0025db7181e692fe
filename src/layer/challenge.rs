//! Answers the handshakes that a provider does not sign, by the head alone.
//!
//! Behind the source's own limits, and before anything is asked of signatures: such a request has
//! none. What it brings is a stranger's: little of it is repeated, never as HTML, and it changes
//! nothing. A request that is none of the route's handshakes goes on.
//!
//! Acknowledges: `handshake`. Rejects: `handshake_refused`, `bad_request` (a challenge that cannot
//! be repeated).

use crate::{
    config::model::Check,
    decision::{Code, Refusal},
    delivery::{Delivery, Record},
    pairing::CaptureError,
    verify::{
        Head,
        handshake::{Answer, Offered},
    },
};

use super::check::{Judge, Unproven};

/// Has the engine look for a handshake in the head.
#[derive(Clone, Debug)]
pub struct AnswerChallenge;

/// Shows that the request is no handshake that comes without a signature.
#[derive(Debug)]
pub struct NoChallenge(());

impl<B, P> Judge<B, P> for AnswerChallenge {
    const CHECK: Check = Check::Handshake;
    // That a request is no handshake is nothing to tell of.
    const WHOLE: bool = false;
    type Proof = NoChallenge;

    fn judge(&self, delivery: &mut Delivery<B, P>) -> Result<NoChallenge, Unproven> {
        let route = delivery.route();
        if route.scheme.handshakes().is_empty() {
            return Ok(NoChallenge(()));
        }
        let head = Head::of(&delivery.head);
        match route.scheme.challenge(&route.keys, head, delivery.record.time)? {
            None => Ok(NoChallenge(())),
            Some(answer) => Err(answered(answer, &mut delivery.record)),
        }
    }
}

/// Keeps the answer for whoever makes the response.
pub(super) fn answered(answer: Answer, record: &mut Record) -> Unproven {
    if let Some(offered) = &answer.offered
        && let Err(error) = capture(offered, record)
    {
        let code = match error {
            CaptureError::Unwritable(_) => Code::KeyUnavailable,
            _ => Code::HandshakeRefused,
        };
        return Unproven::Refused(Refusal::new(code, format!("{}: {error}", answer.handshake)));
    }
    record.reply = Some(Box::new(answer.reply));
    Unproven::Answered(Refusal::new(Code::Handshake, answer.handshake.to_string()))
}

/// Takes the key that is offered, and says so: this is all that a request ever changes of a route.
///
/// Its file is written and synced here, on the core: an operator waits for it, and it happens once.
fn capture(offered: &Offered, record: &Record) -> Result<(), CaptureError> {
    let route = record.route();
    route.keys.capture(route.shared.clock.mono(), &offered.0)?;
    let file = route.keys.pairing().map(|pairing| pairing.target().file.display().to_string());
    tracing::warn!(route = &*route.name, source = %record.source, file, "a key was captured");
    Ok(())
}
