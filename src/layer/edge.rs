//! The edge of the stack: a request becomes a delivery, an outcome becomes one decision, one
//! record and one response.

use std::{
    any::Any,
    future::Future,
    net::IpAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, Version, header::CONNECTION};
use http_body::Body;
use tower::{Layer, Service};

use crate::{
    config::model::Check,
    decision::{Code, Detail, Refusal},
    delivery::{Delivery, Record, RequestId},
    gateway::{Gateway, Shared},
    net::{self, Client},
    server::{HeadFault, Inbound},
    upstream,
};

use super::{
    Answer, Refused,
    respond::{forwarded, is_uniform, respond},
};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Who is at the other end of a connection.
///
/// The gateway's own listeners say so once a connection; a server that embeds the layers puts it
/// into each request's extensions.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// The other end, or whom a trusted PROXY announcement named in its place.
    pub address: IpAddr,
    /// Whether the connection is TLS.
    pub tls: bool,
}

/// Turns requests into deliveries, and outcomes into responses.
#[derive(Clone, Debug)]
pub struct EdgeLayer {
    gateway: Arc<Gateway>,
    peer: Option<Peer>,
}

/// The service of [`EdgeLayer`].
#[derive(Clone, Debug)]
pub struct Edge<S> {
    gateway: Arc<Gateway>,
    peer: Option<Peer>,
    /// The peer's address as a header, made once a connection.
    address: Option<HeaderValue>,
    next: S,
}

impl EdgeLayer {
    /// For one connection, or for requests that name their peer themselves.
    pub(super) const fn new(gateway: Arc<Gateway>, peer: Option<Peer>) -> Self {
        Self { gateway, peer }
    }
}

impl<S> Layer<S> for EdgeLayer {
    type Service = Edge<S>;

    fn layer(&self, next: S) -> Edge<S> {
        let address = self.peer.map(|peer| upstream::address(net::canonical(peer.address)));
        Edge { gateway: Arc::clone(&self.gateway), peer: self.peer, address, next }
    }
}

impl<B, R, S> Service<Request<B>> for Edge<S>
where
    B: Body + 'static,
    R: From<Bytes>,
    S: Service<Delivery<B>, Response = Answer<R>, Error = Refused>,
{
    type Response = Response<R>;
    type Error = std::convert::Infallible;
    type Future = EdgeFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        // Readiness never fails: every layer below is always ready or says so.
        self.next.poll_ready(cx).map(|_| Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> EdgeFuture<S::Future> {
        match admit(&self.gateway, self.peer, request) {
            Ok(mut delivery) => {
                let record = &mut delivery.record;
                if self.peer.is_some_and(|peer| net::canonical(peer.address) == record.source) {
                    record.source_value.clone_from(&self.address);
                }
                EdgeFuture::Next { future: self.next.call(delivery) }
            }
            Err(refused) => EdgeFuture::Refused { refused: Some(refused) },
        }
    }
}

/// Reads what the head says about host, client and request id, and drops every claim that a sender
/// makes about itself.
fn admit<B: Body + 'static>(
    gateway: &Gateway,
    known: Option<Peer>,
    request: Request<B>,
) -> Result<Delivery<B>, Refused> {
    let (mut head, body) = request.into_parts();
    let snapshot = gateway.snapshot();
    let peer = known.or_else(|| head.extensions.get::<Peer>().copied());
    let mut record = begin(gateway.shared(), &head, &body);
    let Some(peer) = peer else {
        let refusal = Refusal::new(Code::InternalError, "the server named no peer");
        return Err(Refused { refusal, record });
    };
    let trusted = &snapshot.trusted_proxies;
    record.source = net::canonical(peer.address);
    if let Some(fault) = head.extensions.get::<HeadFault>() {
        return Err(bad_request(fault.to_string(), record));
    }
    let proxied = trusted.contains(record.source);
    match Client::find(record.source, peer.tls, trusted, &head.headers) {
        Ok(client) => {
            record.source = client.address;
            record.secure = client.secure;
            record.remark = client.remark;
        }
        Err(error) => return Err(bad_request(error.to_string(), record)),
    }
    // Of HTTP/1 on our own listeners, the guard has judged the bytes themselves.
    if (head.version >= Version::HTTP_2 || known.is_none())
        && let Err(fault) = net::host::judge_h2(&head)
    {
        return Err(bad_request(fault, record));
    }
    let host = net::host::host_of(&head).unwrap_or_default();
    // The root's dot makes no other host.
    record.host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase().into();
    let theirs = head.headers.get(X_REQUEST_ID).filter(|_| proxied);
    if let Some(id) = theirs.and_then(RequestId::accept) {
        record.request_id = id;
    }
    upstream::strip_claims(&mut head.headers);
    Ok(Delivery { head: Box::new(head), body, proof: (), record })
}

/// What of the head decides about the connection.
fn begin<B: Body + 'static>(
    shared: &Arc<Shared>,
    head: &http::request::Parts,
    body: &B,
) -> Box<Record> {
    let mut record = Box::new(Record::new(Arc::clone(shared)));
    if head.version < Version::HTTP_2 {
        record.bodied = !body.is_end_stream();
        record.whole = is_whole(body);
        record.unread = record.bodied;
        // Only a chunked body does not say how long it will be.
        record.last = record.unread && body.size_hint().exact().is_none();
    }
    record
}

/// Whether a body of our own listeners' came with its head.
fn is_whole(body: &dyn Any) -> bool {
    body.downcast_ref().is_some_and(Inbound::is_whole)
}

fn bad_request(fault: impl Into<Detail>, record: Box<Record>) -> Refused {
    Refused::by(Check::Route, Refusal::new(Code::BadRequest, fault), record)
}

pin_project_lite::pin_project! {
    /// The future of [`Edge`].
    #[expect(missing_docs, reason = "the macro takes no documentation of variants' fields")]
    #[project = EdgeProjection]
    #[derive(Debug)]
    pub enum EdgeFuture<F> {
        /// On its way through the stack.
        Next { #[pin] future: F },
        /// Refused at the edge.
        Refused { refused: Option<Refused> },
    }
}

impl<R, F> Future for EdgeFuture<F>
where
    R: From<Bytes>,
    F: Future<Output = Result<Answer<R>, Refused>>,
{
    type Output = Result<Response<R>, std::convert::Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            EdgeProjection::Next { future } => future.poll(cx).map(|result| Ok(conclude(result))),
            EdgeProjection::Refused { refused } => {
                let refused = refused.take().expect("polled again after it was ready");
                Poll::Ready(Ok(conclude(Err(refused))))
            }
        }
    }
}

/// Makes the one decision known (metrics, audit, log), and makes the response.
fn conclude<R: From<Bytes>>(result: Result<Answer<R>, Refused>) -> Response<R> {
    let (mut response, mut record) = match result {
        Ok(Answer { response, mut record }) => {
            let response = forwarded(response, &record);
            record.conclude(Code::Forwarded, response.status().as_u16(), None);
            (response, record)
        }
        Err(Refused { refusal, mut record }) => {
            charge_failure(&refusal, &record);
            let response = respond(&refusal, &record);
            // Of refusals that must look alike, those that leave a body on its way close; so all
            // do. A body that came with its head leaves nothing, whether anybody looked at it or not.
            let usual = super::status_of(refusal.code).unwrap_or_default();
            if is_uniform(usual, record.route.as_deref()) {
                record.last |= record.bodied && !record.whole;
                record.unread &= !record.whole;
            }
            record.conclude(refusal.code, told(refusal.code, response.status()), Some(&refusal));
            (response, record)
        }
    };
    let headers = response.headers_mut();
    headers.insert(X_REQUEST_ID, record.request_id.take());
    if record.unread || record.last {
        // What is left of the body is discarded, and nothing behind it is read as a request.
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// The status that is recorded: what was sent, except where nobody is there any more.
fn told(code: Code, sent: StatusCode) -> u16 {
    if code == Code::SenderGone { 499 } else { sent.as_u16() }
}

/// The same for an exchange whose sender is gone: there is nobody to answer.
pub(super) fn conclude_unseen<R>(result: Result<Answer<R>, Refused>) {
    match result {
        Ok(Answer { response, mut record }) => {
            record.conclude(Code::Forwarded, response.status().as_u16(), None);
        }
        Err(Refused { refusal, mut record }) => {
            charge_failure(&refusal, &record);
            let status = super::status_of(refusal.code).map_or(0, |status| status.as_u16());
            record.conclude(refusal.code, status, Some(&refusal));
        }
    }
}

/// `rate_limit.failures` is charged only when authentication failed.
fn charge_failure(refusal: &Refusal, record: &Record) {
    let failed = matches!(
        refusal.code,
        Code::AmbiguousHeader
            | Code::HandshakeRefused
            | Code::IdMissing
            | Code::SignatureMalformed
            | Code::SignatureMismatch
            | Code::SignatureMissing
            | Code::TimestampExpired
            | Code::TimestampInFuture
            | Code::TimestampMalformed
            | Code::TimestampMissing
    );
    if let (true, Some(route)) = (failed, &record.route)
        && let Some(limit) = &route.limits.failures
    {
        limit.charge(record.source.into());
    }
}
