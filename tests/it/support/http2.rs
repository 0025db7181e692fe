//! An HTTP/2 client.

use std::convert::Infallible;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::{body::Incoming, client::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};

pub type Body = BoxBody<Bytes, Infallible>;
pub type Sender = http2::SendRequest<Body>;

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Begins a connection with prior knowledge.
pub async fn over(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Sender {
    let (sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

pub fn full(body: &[u8]) -> Body {
    Full::new(Bytes::copy_from_slice(body)).boxed()
}

pub fn with_trailers(body: &[u8], trailers: HeaderMap) -> Body {
    Full::new(Bytes::copy_from_slice(body)).with_trailers(async { Some(Ok(trailers)) }).boxed()
}

pub fn post(uri: &str, headers: &[(&str, &str)], body: Body) -> Request<Body> {
    let mut request = Request::post(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body).unwrap()
}

/// Status, headers, body.
pub async fn whole(answer: Response<Incoming>) -> (u16, HeaderMap, String) {
    let (head, body) = answer.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (head.status.as_u16(), head.headers, String::from_utf8_lossy(&body).into_owned())
}
