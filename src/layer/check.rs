//! Synchronous checks as layers: one small trait, two generic layers, no boxes.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use tower::{Layer, Service};

use crate::{
    config::model::Check,
    decision::{Code, Refusal},
    delivery::{Delivery, Held, Record},
};

use super::{Answer, Refused};

/// A check that looks at a delivery and needs to wait for nothing.
pub trait Judge<B, P>: Clone {
    /// Under which name its outcome is recorded.
    const CHECK: Check;
    /// Whether the check that [`Self::CHECK`] names is done with, and told of, when this held.
    const WHOLE: bool = true;
    /// What shows that it held; only the check's own file can make one.
    type Proof;

    /// Judges the delivery. It may write what it learned into the record.
    ///
    /// # Errors
    ///
    /// Why the delivery does not pass.
    fn judge(&self, delivery: &mut Delivery<B, P>) -> Result<Self::Proof, Unproven>;
}

/// Why there is no proof.
#[derive(Debug)]
pub enum Unproven {
    /// The request was no delivery, and was answered: the record has what is sent.
    Answered(Refusal),
    /// The delivery does not pass.
    Refused(Refusal),
    /// The check rests on another one that was waived, so there is nothing to judge and nothing
    /// new to report.
    Moot,
}

impl From<Refusal> for Unproven {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// A layer for a check that a route cannot turn into an observer.
#[derive(Clone, Debug)]
pub struct Enforce<C>(pub C);

/// A layer for a check that a route may list in `monitor`: a failure is then recorded and the
/// delivery goes on with [`Held::Waived`] in the proof's place.
#[derive(Clone, Debug)]
pub struct Monitorable<C>(pub C);

/// The service of [`Enforce`].
#[derive(Clone, Debug)]
pub struct Enforced<C, S> {
    check: C,
    next: S,
}

/// The service of [`Monitorable`].
#[derive(Clone, Debug)]
pub struct Monitored<C, S> {
    check: C,
    next: S,
}

impl<C: Clone, S> Layer<S> for Enforce<C> {
    type Service = Enforced<C, S>;

    fn layer(&self, next: S) -> Self::Service {
        Enforced { check: self.0.clone(), next }
    }
}

impl<C: Clone, S> Layer<S> for Monitorable<C> {
    type Service = Monitored<C, S>;

    fn layer(&self, next: S) -> Self::Service {
        Monitored { check: self.0.clone(), next }
    }
}

impl<B, P, R, C, S> Service<Delivery<B, P>> for Enforced<C, S>
where
    C: Judge<B, P>,
    S: Service<Delivery<B, (P, C::Proof)>, Response = Answer<R>, Error = Refused>,
{
    type Response = Answer<R>;
    type Error = Refused;
    type Future = Checked<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        self.next.poll_ready(cx)
    }

    fn call(&mut self, mut delivery: Delivery<B, P>) -> Self::Future {
        match self.check.judge(&mut delivery) {
            Ok(proof) => {
                if C::WHOLE {
                    delivery.record.checks.pass(C::CHECK);
                }
                Checked::Next { future: self.next.call(delivery.prove(|p| (p, proof))) }
            }
            Err(Unproven::Answered(refusal)) => Checked::answered(refusal, delivery.record),
            Err(Unproven::Refused(refusal)) => Checked::refused(C::CHECK, refusal, delivery.record),
            Err(Unproven::Moot) => {
                let refusal = Refusal::new(Code::InternalError, "an enforced check was skipped");
                Checked::refused(C::CHECK, refusal, delivery.record)
            }
        }
    }
}

impl<B, P, R, C, S> Service<Delivery<B, P>> for Monitored<C, S>
where
    C: Judge<B, P>,
    S: Service<Delivery<B, (P, Held<C::Proof>)>, Response = Answer<R>, Error = Refused>,
{
    type Response = Answer<R>;
    type Error = Refused;
    type Future = Checked<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        self.next.poll_ready(cx)
    }

    fn call(&mut self, mut delivery: Delivery<B, P>) -> Self::Future {
        let held = match self.check.judge(&mut delivery) {
            Ok(proof) => {
                if C::WHOLE {
                    delivery.record.checks.pass(C::CHECK);
                }
                Held::Proven(proof)
            }
            Err(Unproven::Moot) => Held::Waived,
            Err(Unproven::Answered(refusal)) => return Checked::answered(refusal, delivery.record),
            Err(Unproven::Refused(refusal)) if delivery.route().monitors(C::CHECK) => {
                delivery.record.checks.waive(C::CHECK, refusal);
                Held::Waived
            }
            Err(Unproven::Refused(refusal)) => {
                return Checked::refused(C::CHECK, refusal, delivery.record);
            }
        };
        Checked::Next { future: self.next.call(delivery.prove(|p| (p, held))) }
    }
}

pin_project_lite::pin_project! {
    /// The future of both layers: what lies behind them, or a refusal.
    #[expect(missing_docs, reason = "the macro takes no documentation of variants' fields")]
    #[project = CheckedProjection]
    #[derive(Debug)]
    pub enum Checked<F> {
        /// The check held or was waived.
        Next { #[pin] future: F },
        /// It did not.
        Refused { refused: Option<Refused> },
    }
}

impl<F> Checked<F> {
    const fn answered(refusal: Refusal, record: Box<Record>) -> Self {
        Self::Refused { refused: Some(Refused { refusal, record }) }
    }

    fn refused(check: Check, refusal: Refusal, record: Box<Record>) -> Self {
        Self::Refused { refused: Some(Refused::by(check, refusal, record)) }
    }
}

impl<R, F: Future<Output = Result<Answer<R>, Refused>>> Future for Checked<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        match self.project() {
            CheckedProjection::Next { future } => future.poll(cx),
            CheckedProjection::Refused { refused } => {
                Poll::Ready(Err(refused.take().expect("polled again after it was ready")))
            }
        }
    }
}
