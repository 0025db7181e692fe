//! Sees that the key is there by which a delivery is judged, where keys are fetched.
//!
//! Where nothing is wanted, nothing is awaited and nothing is allocated. Stands behind the body,
//! because a message may name its key there, and proves nothing: without the key the engine refuses
//! by itself.
//!
//! Rejects: `key_unavailable`. Never 401: the sender may well be who it says.

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
    delivery::{Delivery, Held},
    fetch::Keys,
    verify::{Claim, Head, Wanted},
};

use super::{Answer, Boxed, Refused, body::Whole};

/// How long a delivery waits for its key. The fetch goes on for the next one.
const PATIENCE: Duration = Duration::from_secs(3);
/// When the sender should try again.
const RETRY_AFTER_SECS: u32 = 5;

/// Fetches keys that a delivery needs.
#[derive(Clone, Debug)]
pub struct FetchKeysLayer;

/// The service of [`FetchKeysLayer`].
#[derive(Clone, Debug)]
pub struct FetchKeys<S> {
    next: S,
}

/// What was proven when keys are fetched.
type Claimed<P> = ((P, Held<Claim>), Whole);

impl<S> Layer<S> for FetchKeysLayer {
    type Service = FetchKeys<S>;

    fn layer(&self, next: S) -> FetchKeys<S> {
        FetchKeys { next }
    }
}

impl<P, R, S> Service<Delivery<Bytes, Claimed<P>>> for FetchKeys<S>
where
    P: Send + 'static,
    S: Service<Delivery<Bytes, Claimed<P>>, Response = Answer<R>, Error = Refused>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
{
    type Response = Answer<R>;
    type Error = Refused;
    type Future = Fetching<S::Future, R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        self.next.poll_ready(cx)
    }

    fn call(&mut self, delivery: Delivery<Bytes, Claimed<P>>) -> Self::Future {
        let Some(wanted) = wanted(&delivery) else {
            return Fetching::Next { future: self.next.call(delivery) };
        };
        // The service that was polled ready is the one to call.
        let next = self.next.clone();
        let mut next = std::mem::replace(&mut self.next, next);
        let waiting = Box::pin(async move {
            let fetching = Arc::clone(&delivery.record.shared.fetching);
            let sets: Vec<_> = delivery.route().keys.remotes().cloned().collect();
            let obtained = fetching.keys().obtain_from(&wanted, &sets);
            let obtained = tokio::time::timeout(PATIENCE, obtained).await;
            let why = match obtained {
                Ok(Ok(())) => None,
                Ok(Err(why)) => Some(why.to_string()),
                Err(_) => Some(format!("it has not come within {} s", PATIENCE.as_secs())),
            };
            let mut delivery = delivery;
            delivery.record.now = delivery.record.shared.clock.unix();
            match why {
                // A monitored signature reports by itself what it lacked.
                Some(why) if !delivery.route().monitors(Check::Signature) => {
                    let detail = format!("{} cannot be had: {why}", Keys::about(&wanted));
                    let refusal = Refusal::new(Code::KeyUnavailable, detail);
                    let refusal = refusal.retry_after(RETRY_AFTER_SECS);
                    Err(Refused::by(Check::Signature, refusal, delivery.record))
                }
                _ => next.call(delivery).await,
            }
        });
        Fetching::Waiting { waiting }
    }
}

fn wanted<P>(delivery: &Delivery<Bytes, Claimed<P>>) -> Option<Wanted> {
    let ((_, Held::Proven(claim)), _) = &delivery.proof else { return None };
    let route = delivery.route();
    route.scheme.wants(&route.keys, claim, Head::of(&delivery.head), &delivery.body)
}

pin_project_lite::pin_project! {
    /// What lies behind, at once or after a fetch.
    #[expect(missing_docs, reason = "the macro takes no documentation of variants' fields")]
    #[project = FetchingProjection]
    pub enum Fetching<F, R> {
        /// Nothing was wanted.
        Next { #[pin] future: F },
        /// Something was.
        Waiting { waiting: Boxed<Result<Answer<R>, Refused>> },
    }
}

impl<R, F: Future<Output = Result<Answer<R>, Refused>>> Future for Fetching<F, R> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        match self.project() {
            FetchingProjection::Next { future } => future.poll(cx),
            FetchingProjection::Waiting { waiting } => waiting.as_mut().poll(cx),
        }
    }
}

impl<F, R> std::fmt::Debug for Fetching<F, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fetching").finish_non_exhaustive()
    }
}
