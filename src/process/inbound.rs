//! A request's body as hyper hands it over, with one thing mended.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{Request, Version};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A body that ends only where its sender ended it.
///
/// To hyper, an HTTP/2 stream reset with `NO_ERROR` has ended well; so what came until then would
/// be taken for the whole body (and, where nothing but a token is checked, be forwarded as that).
#[derive(Debug)]
pub(super) struct Inbound {
    body: Incoming,
    is_h2: bool,
}

impl Inbound {
    pub(super) fn of(request: Request<Incoming>) -> Request<Self> {
        let is_h2 = request.version() == Version::HTTP_2;
        request.map(|body| Self { body, is_h2 })
    }
}

fn reset() -> BoxError {
    io::Error::new(io::ErrorKind::ConnectionReset, "the stream was reset within the body").into()
}

impl Body for Inbound {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let me = self.get_mut();
        Poll::Ready(match ready!(Pin::new(&mut me.body).poll_frame(cx)) {
            Some(frame) => Some(frame.map_err(Into::into)),
            None if me.is_h2 && !me.body.is_end_stream() => Some(Err(reset())),
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
