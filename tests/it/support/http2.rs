//! An HTTP/2 client.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::Frame;
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

/// A body that begins and does not go on.
pub fn endless(begin: &'static [u8]) -> Body {
    Stalled(Some(Bytes::from_static(begin))).boxed()
}

struct Stalled(Option<Bytes>);

impl http_body::Body for Stalled {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.take().map_or(Poll::Pending, |begin| Poll::Ready(Some(Ok(Frame::data(begin)))))
    }
}

pub fn post(uri: &str, headers: &[(&str, &str)], body: Body) -> Request<Body> {
    let mut request = Request::post(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body).unwrap()
}

/// Status, headers, body.
#[expect(clippy::disallowed_methods, reason = "the answers of tests are small")]
pub async fn whole(answer: Response<Incoming>) -> (u16, HeaderMap, String) {
    let (head, body) = answer.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (head.status.as_u16(), head.headers, String::from_utf8_lossy(&body).into_owned())
}
