//! The same checks in front of a service of your own, with no proxy.

use std::{
    convert::Infallible,
    marker::PhantomData,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response};
use http_body::Body;
use tower::{Layer, Service, ServiceExt};

use crate::{
    decision::{Code, Refusal},
    delivery::Delivery,
    gateway::Gateway,
};

use super::{
    Answer, Boxed, Refused,
    forward::{Proven, monitored},
    stack::{Admitted, Stack, stack},
};

const VERIFIED: HeaderName = HeaderName::from_static("hookward-verified");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const MONITORED: HeaderName = HeaderName::from_static("hookward-monitored");

/// Lets only verified deliveries through to an inner service of axum, hyper or tower.
///
/// The routes come from a configuration as the gateway reads it; their `upstream` is not used.
/// The server must put a [`Peer`](super::Peer) into each request's extensions. The inner service
/// gets the body as it was sent, `Hookward-Verified` with what was proven, and its status settles
/// the replay reservation as an upstream's would.
///
/// See `examples/axum.rs`.
///
/// `Q` is the type of body that the inner service takes, such as axum's own.
#[derive(Debug)]
pub struct VerifyLayer<Q> {
    gateway: Arc<Gateway>,
    body: PhantomData<fn(Q)>,
}

/// The service of [`VerifyLayer`].
pub struct Verify<S, Q> {
    stack: Stack<Inner<S, Q>>,
}

/// The innermost service: the application's own.
pub struct Inner<S, Q> {
    service: S,
    body: PhantomData<fn(Q)>,
}

impl<Q> VerifyLayer<Q> {
    /// Protects with the routes of this gateway. Called within a runtime, it has the address lists
    /// and keys that they need fetched there; else call [`Gateway::spawn_fetching`].
    pub fn new(gateway: Arc<Gateway>) -> Self {
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            gateway.spawn_fetching(&runtime);
        }
        Self { gateway, body: PhantomData }
    }
}

impl<Q> Clone for VerifyLayer<Q> {
    fn clone(&self) -> Self {
        Self { gateway: Arc::clone(&self.gateway), body: PhantomData }
    }
}

impl<S: Clone, Q> Clone for Verify<S, Q> {
    fn clone(&self) -> Self {
        Self { stack: self.stack.clone() }
    }
}

impl<S: Clone, Q> Clone for Inner<S, Q> {
    fn clone(&self) -> Self {
        Self { service: self.service.clone(), body: PhantomData }
    }
}

impl<S: Clone, Q> Layer<S> for VerifyLayer<Q> {
    type Service = Verify<S, Q>;

    fn layer(&self, service: S) -> Verify<S, Q> {
        Verify { stack: stack(&self.gateway, None, Inner { service, body: PhantomData }) }
    }
}

impl<S, Q, R> Service<Delivery<Bytes, Admitted>> for Inner<S, Q>
where
    S: Service<Request<Q>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: std::fmt::Display,
    Q: From<Bytes> + Send + 'static,
    R: Send + 'static,
{
    type Response = Answer<R>;
    type Error = Refused;
    type Future = Boxed<Result<Answer<R>, Refused>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, delivery: Delivery<Bytes, Admitted>) -> Self::Future {
        let inner = self.service.clone();
        Box::pin(async move {
            let verified = Proven::of(delivery.route(), &delivery.proof).header();
            let Delivery { mut head, body, mut record, proof } = delivery;
            let monitored = monitored(&record).and_then(|text| HeaderValue::try_from(text).ok());
            let entries = [
                (VERIFIED, verified.cloned()),
                (MONITORED, monitored),
                (REQUEST_ID, Some(record.request_id.value().clone())),
            ];
            for (name, value) in entries {
                if let Some(value) = value {
                    head.headers.insert(name, value);
                }
            }
            let answered = inner.oneshot(Request::from_parts(*head, Q::from(body))).await;
            drop(proof);
            match answered {
                Ok(response) => {
                    record.upstream_status = Some(response.status().as_u16());
                    Ok(Answer { response, record })
                }
                Err(error) => {
                    let refusal = Refusal::new(Code::UpstreamError, error.to_string());
                    Err(Refused { refusal, record })
                }
            }
        })
    }
}

impl<S, Q, B> Service<Request<B>> for Verify<S, Q>
where
    B: Body,
    Stack<Inner<S, Q>>: Service<Request<B>, Error = Infallible>,
{
    type Response = <Stack<Inner<S, Q>> as Service<Request<B>>>::Response;
    type Error = Infallible;
    type Future = <Stack<Inner<S, Q>> as Service<Request<B>>>::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.stack.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        self.stack.call(request)
    }
}
