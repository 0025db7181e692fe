//! Answers the handshakes that a provider signs.
//!
//! Behind signature and timestamp, which must both have held: a waiver answers nothing. Before
//! replay: a handshake is no delivery, and is asked for again whenever the provider likes. From
//! here on there are deliveries only, with the methods of deliveries.
//!
//! Acknowledges: `handshake`. Rejects: `handshake_refused`, `bad_request`, `method_not_allowed`,
//! `key_unavailable` (what must be called first did not answer).

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use tower::{Layer, Service};

use crate::{
    config::model::Check,
    decision::{Code, Refusal},
    delivery::{Delivery, Held, Record},
    verify::{Head, Verified, handshake::Answer as Reply},
};

use super::{Answer, Boxed, Refused, challenge::answered, check::Unproven, timestamp::Timely};

/// How long a call may take that goes before the answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// When the sender should ask again where it did not succeed.
const RETRY_AFTER_SECS: u32 = 30;

/// Has the engine look for a handshake in the whole request.
#[derive(Clone, Debug)]
pub struct AnswerHandshakeLayer;

/// The service of [`AnswerHandshakeLayer`].
#[derive(Clone, Debug)]
pub struct AnswerHandshake<S> {
    next: S,
}

/// Shows that the request is a delivery.
#[derive(Debug)]
pub struct NoHandshake(());

/// What was proven when handshakes are judged.
type Judged<P> = ((P, Held<Verified>), Held<Timely>);

impl<S> Layer<S> for AnswerHandshakeLayer {
    type Service = AnswerHandshake<S>;

    fn layer(&self, next: S) -> AnswerHandshake<S> {
        AnswerHandshake { next }
    }
}

impl<P, R, S> Service<Delivery<Bytes, Judged<P>>> for AnswerHandshake<S>
where
    S: Service<Delivery<Bytes, (Judged<P>, NoHandshake)>, Response = Answer<R>, Error = Refused>,
{
    type Response = Answer<R>;
    type Error = Refused;
    type Future = Answering<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        self.next.poll_ready(cx)
    }

    fn call(&mut self, delivery: Delivery<Bytes, Judged<P>>) -> Self::Future {
        match judge(&delivery) {
            Ok(None) => {
                let delivery = delivery.prove(|p| (p, NoHandshake(())));
                Answering::Next { future: self.next.call(delivery) }
            }
            Ok(Some(reply)) if reply.call.is_some() => {
                Answering::Calling { called: Box::pin(call(reply, delivery.record)) }
            }
            Ok(Some(reply)) => {
                Answering::Answered { refused: Some(concluded(reply, delivery.record)) }
            }
            Err(refusal) => {
                let refused = Refused::by(Check::Handshake, refusal, delivery.record);
                Answering::Answered { refused: Some(refused) }
            }
        }
    }
}

fn judge<P>(delivery: &Delivery<Bytes, Judged<P>>) -> Result<Option<Reply>, Refusal> {
    let route = delivery.route();
    if route.scheme.handshakes().is_empty() {
        return Ok(None);
    }
    if let ((_, Held::Proven(verified)), Held::Proven(_)) = &delivery.proof {
        let head = Head::of(&delivery.head);
        let (body, now) = (&delivery.body, delivery.record.now);
        let reply = route.scheme.signed_handshake(&route.keys, verified, head, body, now)?;
        if reply.is_some() {
            return Ok(reply);
        }
    }
    // The route let the method in for a handshake that this is not.
    if !route.methods.contains(&delivery.head.method) {
        let what = "the route takes this method for handshakes alone";
        return Err(Refusal::new(Code::MethodNotAllowed, what));
    }
    Ok(None)
}

/// Answers once what the handshake names was called.
async fn call(reply: Reply, record: Box<Record>) -> Refused {
    let fetching = Arc::clone(&record.shared.fetching);
    let called = fetching.call(reply.call.as_deref().unwrap_or_default());
    let why = match tokio::time::timeout(PATIENCE, called).await {
        Ok(Ok(())) => return concluded(reply, record),
        Ok(Err(why)) => why.to_string(),
        Err(_) => format!("no answer within {} s", PATIENCE.as_secs()),
    };
    let what = format!("{}: what must be called first failed: {why}", reply.handshake);
    let refusal = Refusal::new(Code::KeyUnavailable, what).retry_after(RETRY_AFTER_SECS);
    Refused::by(Check::Handshake, refusal, record)
}

/// The end of a request that was answered, or whose answer was refused at last.
fn concluded(reply: Reply, mut record: Box<Record>) -> Refused {
    match answered(reply, &mut record) {
        Unproven::Answered(refusal) => Refused { refusal, record },
        Unproven::Refused(refusal) => Refused::by(Check::Handshake, refusal, record),
        Unproven::Moot => {
            let refusal = Refusal::new(Code::InternalError, "a handshake without an answer");
            Refused::by(Check::Handshake, refusal, record)
        }
    }
}

pin_project_lite::pin_project! {
    /// What lies behind, or an answer, at once or after a call.
    #[expect(missing_docs, reason = "the macro takes no documentation of variants' fields")]
    #[project = AnsweringProjection]
    pub enum Answering<F> {
        /// It is a delivery.
        Next { #[pin] future: F },
        /// It was a handshake.
        Answered { refused: Option<Refused> },
        /// It is a handshake for which something is called.
        Calling { called: Boxed<Refused> },
    }
}

impl<R, F: Future<Output = Result<Answer<R>, Refused>>> Future for Answering<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        match self.project() {
            AnsweringProjection::Next { future } => future.poll(cx),
            AnsweringProjection::Answered { refused } => {
                Poll::Ready(Err(refused.take().expect("polled again after it was ready")))
            }
            AnsweringProjection::Calling { called } => called.as_mut().poll(cx).map(Err),
        }
    }
}

impl<F> std::fmt::Debug for Answering<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answering").finish_non_exhaustive()
    }
}
