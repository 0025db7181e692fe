//! Admits bodies of a taken media type and size that arrive in time.
//!
//! From here on the body is [`Bytes`]: read whole, once, exactly as it was sent. A body that
//! arrived in one piece is not copied. Trailers are dropped.
//!
//! Rejects: `body_too_large`, `unsupported_media_type`, `body_timeout`, `overloaded`,
//! `bad_request` (the sender broke the framing). A sender that breaks off is `sender_gone`.

use std::{
    error::Error,
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header::CONTENT_TYPE};
use http_body::Body;
use sha2::{Digest, Sha256};
use tower::{BoxError, Layer, Service};

use crate::{
    config::model::Check,
    decision::{Code, Detail, Refusal},
    delivery::Delivery,
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
    S: Service<Delivery<Bytes, (P, Whole)>, Response = Answer<R>, Error = Refused>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
{
    type Response = Answer<R>;
    type Error = Refused;
    type Future = Boxed<Result<Answer<R>, Refused>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        self.next.poll_ready(cx)
    }

    fn call(&mut self, mut delivery: Delivery<B, P>) -> Self::Future {
        // The service that was polled ready is the one to call.
        let next = self.next.clone();
        let mut next = std::mem::replace(&mut self.next, next);
        Box::pin(async move {
            let mut charge = delivery.route().shared.bodies.charge();
            let read = read(
                &delivery.head.headers,
                &mut delivery.body,
                &delivery.record.route,
                &mut charge,
            );
            let (body, waited) = match read.await {
                Ok(whole) => whole,
                Err(refusal) => return Err(Refused::by(Check::Body, refusal, delivery.record)),
            };
            let mut record = delivery.record;
            record.unread = false;
            record.bytes = body.len() as u64;
            if waited {
                record.now = record.shared.clock.unix();
            }
            record.checks.pass(Check::Body);
            if record.shared.telemetry.audits() {
                record.body_sha256 = Some(Sha256::digest(&body).into());
            }
            let whole = Whole { _charge: charge };
            let proof = (delivery.proof, whole);
            next.call(Delivery { head: delivery.head, body, proof, record }).await
        })
    }
}

/// The whole body, and whether it had to be waited for.
async fn read<B>(
    headers: &HeaderMap,
    body: &mut B,
    route: &Option<std::sync::Arc<Route>>,
    charge: &mut Charge,
) -> Result<(Bytes, bool), Refusal>
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
{
    let Some(route) = route else {
        return Err(Refusal::new(Code::InternalError, "a body without a route"));
    };
    let rules = &route.body;
    if !rules.content_types.is_empty() && !media_type_is_in(headers, &rules.content_types) {
        let detail = Detail::Header { name: CONTENT_TYPE, what: "is not in body.content_types" };
        return Err(Refusal::new(Code::UnsupportedMediaType, detail));
    }
    let max = rules.max_size;
    let announced = body.size_hint().lower();
    if announced > max as u64 {
        return Err(too_large());
    }
    let mut frames = Frames { body, patience: route.shared.body_timeout(), timer: None };
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    let mut total = 0_usize;
    while let Some(data) = poll_fn(|cx| frames.poll(cx)).await? {
        total += data.len();
        if total > max {
            return Err(too_large());
        }
        if !charge.grow(data.len()) {
            let refusal = Refusal::new(Code::Overloaded, "bodies fill limits.body_memory");
            return Err(refusal.retry_after(5));
        }
        if first.is_empty() {
            first = data;
        } else {
            if rest.is_empty() {
                rest.reserve(first.len() + data.len());
                rest.extend_from_slice(&first);
            }
            rest.extend_from_slice(&data);
        }
    }
    let whole = if rest.is_empty() { first } else { rest.freeze() };
    Ok((whole, frames.timer.is_some()))
}

fn too_large() -> Refusal {
    Refusal::new(Code::BodyTooLarge, "larger than body.max_size")
}

/// The data frames of a body, with a timer that exists only once there is something to wait for.
struct Frames<'a, B> {
    body: &'a mut B,
    patience: Duration,
    timer: Option<Pin<Box<tokio::time::Sleep>>>,
}

impl<B: Body<Data = Bytes, Error: Into<BoxError>> + Unpin> Frames<'_, B> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Refusal>> {
        loop {
            match Pin::new(&mut *self.body).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) if !data.is_empty() => return Poll::Ready(Ok(Some(data))),
                    Ok(_) | Err(_) => {}
                },
                Poll::Ready(Some(Err(error))) => {
                    return Poll::Ready(Err(broken(&*error.into())));
                }
                Poll::Ready(None) => return Poll::Ready(Ok(None)),
                Poll::Pending => break,
            }
        }
        let patience = self.patience;
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        timer.as_mut().poll(cx).map(|()| {
            Err(Refusal::new(
                Code::BodyTimeout,
                "the body did not arrive within limits.body_timeout",
            ))
        })
    }
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
    let Some(Ok(value)) = headers.get(CONTENT_TYPE).map(http::HeaderValue::to_str) else {
        return false;
    };
    let media_type = value.split(';').next().unwrap_or_default().trim();
    taken.iter().any(|one| one.eq_ignore_ascii_case(media_type))
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
        headers.insert(CONTENT_TYPE, "text/plain".parse().unwrap());
        assert!(!media_type_is_in(&headers, &taken));
    }
}
