//! The stack with the forwarder behind it: what the gateway's listeners serve.

use std::{any::Any, sync::Arc};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header::CONTENT_TYPE};
use http_body::Body;
use http_body_util::Full;
use tower::Layer;
use tower_http::catch_panic::{CatchPanic, CatchPanicLayer};

use crate::gateway::Gateway;

use super::{
    edge::Peer,
    forward::Forward,
    respond::problem_json,
    stack::{Stack, stack},
};
use crate::decision::Code;

/// The gateway as one service, from request to response; one a connection.
///
/// A panic is answered with 503 `internal_error`, and reserved replay keys are released by it.
pub fn proxy(gateway: &Arc<Gateway>, peer: Peer) -> Proxy {
    CatchPanicLayer::custom(answer_panic as fn(_) -> _).layer(stack(gateway, Some(peer), Forward))
}

/// What [`proxy`] makes.
pub type Proxy = CatchPanic<Stack<Forward>, fn(Box<dyn Any + Send>) -> Response<Full<Bytes>>>;

// The panic's message goes to standard error by Rust's own hook; the record is concluded when it
// is dropped. Nothing of either is for the sender.
#[expect(clippy::needless_pass_by_value, reason = "the signature is tower-http's")]
fn answer_panic(_: Box<dyn Any + Send>) -> Response<Full<Bytes>> {
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let mut response = Response::new(Full::new(problem_json(Some(Code::InternalError), status)));
    *response.status_mut() = status;
    let problem = HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(CONTENT_TYPE, problem);
    response
}

#[expect(dead_code, reason = "proves at compile time that the stack is a service over any body")]
fn is_a_service<B>(proxy: Proxy) -> impl tower::Service<Request<B>>
where
    B: Body<Data = Bytes, Error: Into<tower::BoxError>> + Send + Unpin + 'static,
{
    proxy
}
