//! Admits bodies of a taken media type and size that arrive in time.
//!
//! From here on the body is [`Bytes`]: read whole, once, exactly as it was sent. A body that
//! arrived in one piece is not copied. Trailers are dropped.
//!
//! Rejects: `body_too_large`, `unsupported_media_type`, `body_timeout`, `overloaded`,
//! `bad_request` (the sender broke the framing). A sender that breaks off is `sender_gone`.

use std::{
    error::Error,
    fmt,
    future::poll_fn,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker, ready},
};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};
use http_body::{Body, Frame};
use sha2::{Digest, Sha256};
use tower::{BoxError, Layer, Service};

use crate::{
    config::model::Check,
    decision::{Code, Detail, Refusal},
    delivery::{Delivery, Record},
    gateway::{Charge, Route},
};

use super::{Answer, Boxed, Refused};

/// Reads the body.
#[derive(Clone, Debug)]
pub struct ReadBodyLayer;

/// The service of [`ReadBodyLayer`].
#[derive(Clone, Debug)]
pub struct ReadBody<S> {
    next: S,
}

/// Shows that the body is whole; holds its share of the memory for bodies until the request ends.
#[derive(Debug)]
pub struct Whole {
    _charge: Charge,
}

impl<S> Layer<S> for ReadBodyLayer {
    type Service = ReadBody<S>;

    fn layer(&self, next: S) -> ReadBody<S> {
        ReadBody { next }
    }
}

impl<B, P, R, S> Service<Delivery<B, P>> for ReadBody<S>
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
    P: Send + 'static,
    R: 'static,
    S: Service<Delivery<Bytes, (P, Whole)>, Response = Answer<R>, Error = Refused>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
{
    type Response = Answer<R>;
    type Error = Refused;
    type Future = Reading<S::Future, R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        self.next.poll_ready(cx)
    }

    fn call(&mut self, mut delivery: Delivery<B, P>) -> Self::Future {
        let route = Arc::clone(delivery.route());
        let mut collected = Collected::new(route.shared.bodies.charge(), route.body.max_size);
        if let Err(refusal) = judge_head(&route, &delivery) {
            return Reading::refused(refusal, delivery.record);
        }
        // Most bodies came with their head: nothing to wait for, so nothing is put on the heap. Who
        // is not ready yet is asked again by the task itself, with its own waker.
        let mut now = Context::from_waker(Waker::noop());
        match collected.poll(&mut now, &mut delivery.body) {
            Poll::Ready(Ok(())) => {
                Reading::Next { future: self.next.call(collected.into_delivery(delivery)) }
            }
            Poll::Ready(Err(refusal)) => Reading::refused(refusal, delivery.record),
            Poll::Pending => {
                // The service that was polled ready is the one to call.
                let next = self.next.clone();
                let next = std::mem::replace(&mut self.next, next);
                Reading::Waiting { waiting: Box::pin(wait(next, delivery, collected, route)) }
            }
        }
    }
}

/// Reads what is still under way, and goes on with it.
async fn wait<B, P, R, S>(
    mut next: S,
    mut delivery: Delivery<B, P>,
    mut collected: Collected,
    route: Arc<Route>,
) -> Result<Answer<R>, Refused>
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
    S: Service<Delivery<Bytes, (P, Whole)>, Response = Answer<R>, Error = Refused>,
{
    let whole = poll_fn(|cx| collected.poll(cx, &mut delivery.body));
    let read = match tokio::time::timeout(route.shared.body_timeout(), whole).await {
        Ok(read) => read,
        Err(_) => Err(Refusal::new(
            Code::BodyTimeout,
            "the body did not arrive within limits.body_timeout",
        )),
    };
    if let Err(refusal) = read {
        return Err(Refused::by(Check::Body, refusal, delivery.record));
    }
    delivery.record.now = delivery.record.shared.clock.unix();
    next.call(collected.into_delivery(delivery)).await
}

/// What the head shows of the body: its media type, and its length where it is announced.
fn judge_head<B: Body, P>(route: &Route, delivery: &Delivery<B, P>) -> Result<(), Refusal> {
    let rules = &route.body;
    if !rules.content_types.is_empty()
        && !media_type_is_in(&delivery.head.headers, &rules.content_types)
    {
        let detail = Detail::Header { name: CONTENT_TYPE, what: "is not in body.content_types" };
        return Err(Refusal::new(Code::UnsupportedMediaType, detail));
    }
    if delivery.body.size_hint().lower() > rules.max_size as u64 {
        return Err(too_large());
    }
    Ok(())
}

/// As much of a body as has arrived.
struct Collected {
    /// The only piece so far.
    first: Bytes,
    /// Everything, once there is more than one.
    rest: BytesMut,
    /// The memory that it takes, charged as it arrives.
    charge: Charge,
    max: usize,
}

impl Collected {
    fn new(charge: Charge, max: usize) -> Self {
        Self { first: Bytes::new(), rest: BytesMut::new(), charge, max }
    }

    /// Takes what is there; ready when it is all.
    fn poll<B>(&mut self, cx: &mut Context<'_>, body: &mut B) -> Poll<Result<(), Refusal>>
    where
        B: Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
    {
        while let Some(frame) = ready!(Pin::new(&mut *body).poll_frame(cx)) {
            match frame.map(Frame::into_data) {
                Ok(Ok(data)) if !data.is_empty() => {
                    self.add(data, body.size_hint().lower())?;
                }
                // Trailers, or nothing.
                Ok(_) => {}
                Err(error) => return Poll::Ready(Err(broken(&*error.into()))),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Adds a piece, behind which so many bytes are announced.
    fn add(&mut self, data: Bytes, to_come: u64) -> Result<(), Refusal> {
        let total = self.first.len() + self.rest.len() + data.len();
        if total > self.max {
            return Err(too_large());
        }
        if !self.charge.grow(data.len()) {
            let refusal = Refusal::new(Code::Overloaded, "bodies fill limits.body_memory");
            return Err(refusal.retry_after(5));
        }
        if total == data.len() {
            self.first = data;
            return Ok(());
        }
        if self.rest.capacity() < total {
            // What is announced is made room for as it comes, not as it is said.
            let to_come = usize::try_from(to_come).unwrap_or(usize::MAX);
            self.rest.reserve(total - self.rest.len() + to_come.min(total));
        }
        self.rest.extend_from_slice(&std::mem::take(&mut self.first));
        self.rest.extend_from_slice(&data);
        Ok(())
    }

    fn into_delivery<B, P>(self, delivery: Delivery<B, P>) -> Delivery<Bytes, (P, Whole)> {
        let body = if self.rest.is_empty() { self.first } else { self.rest.freeze() };
        let mut record = delivery.record;
        record.unread = false;
        record.bytes = body.len() as u64;
        record.checks.pass(Check::Body);
        if record.shared.telemetry.audits() {
            record.body_sha256 = Some(Sha256::digest(&body).into());
        }
        let proof = (delivery.proof, Whole { _charge: self.charge });
        Delivery { head: delivery.head, body, proof, record }
    }
}

pin_project_lite::pin_project! {
    /// What lies behind, at once or once the body is there.
    #[expect(missing_docs, reason = "the macro takes no documentation of variants' fields")]
    #[project = ReadingProjection]
    pub enum Reading<F, R> {
        /// The body was there.
        Next { #[pin] future: F },
        /// It is waited for.
        Waiting { waiting: Boxed<Result<Answer<R>, Refused>> },
        /// It is not taken.
        Refused { refused: Option<Refused> },
    }
}

impl<F, R> Reading<F, R> {
    fn refused(refusal: Refusal, record: Box<Record>) -> Self {
        Self::Refused { refused: Some(Refused::by(Check::Body, refusal, record)) }
    }
}

impl<R, F: Future<Output = Result<Answer<R>, Refused>>> Future for Reading<F, R> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        match self.project() {
            ReadingProjection::Next { future } => future.poll(cx),
            ReadingProjection::Waiting { waiting } => waiting.as_mut().poll(cx),
            ReadingProjection::Refused { refused } => {
                Poll::Ready(Err(refused.take().expect("polled again after it was ready")))
            }
        }
    }
}

impl<F, R> fmt::Debug for Reading<F, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reading").finish_non_exhaustive()
    }
}

fn too_large() -> Refusal {
    Refusal::new(Code::BodyTooLarge, "larger than body.max_size")
}

/// Why a body ended in an error: its sender went away, or broke HTTP.
fn broken(error: &(dyn Error + 'static)) -> Refusal {
    let mut from_hyper = false;
    let mut gone = None;
    let mut cause = Some(error);
    while let Some(error) = cause {
        from_hyper |= error.is::<hyper::Error>();
        if let Some(error) = error.downcast_ref::<io::Error>() {
            use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
            let ends = [BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof];
            gone = Some(ends.contains(&error.kind()));
        }
        cause = error.source();
    }
    // What hyper does not trace to reading the connection is a stream that was reset.
    if gone.unwrap_or(from_hyper) {
        Refusal::new(Code::SenderGone, "the sender hung up within the body")
    } else {
        Refusal::new(Code::BadRequest, "the body is malformed")
    }
}

/// Whether the media type, without its parameters, is one of these (lower case).
fn media_type_is_in(headers: &HeaderMap, taken: &[String]) -> bool {
    let is_taken = |value: &HeaderValue| {
        let media_type = value.to_str().ok().and_then(|value| value.split(';').next());
        media_type
            .is_some_and(|found| taken.iter().any(|one| one.eq_ignore_ascii_case(found.trim())))
    };
    // Sent twice, either may be the one that the receiver believes.
    headers.contains_key(CONTENT_TYPE) && headers.get_all(CONTENT_TYPE).iter().all(is_taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_are_compared_without_parameters_and_case() {
        let taken = ["application/json".to_owned()];
        let mut headers = HeaderMap::new();
        assert!(!media_type_is_in(&headers, &taken));
        headers.insert(CONTENT_TYPE, "Application/JSON ; charset=utf-8".parse().unwrap());
        assert!(media_type_is_in(&headers, &taken));
        headers.append(CONTENT_TYPE, "text/plain".parse().unwrap());
        assert!(!media_type_is_in(&headers, &taken), "not the first alone");
        headers.insert(CONTENT_TYPE, "text/plain".parse().unwrap());
        assert!(!media_type_is_in(&headers, &taken));
    }
}
