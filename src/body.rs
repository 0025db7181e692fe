//! The body of an answer: our own bytes, or the upstream's as they arrive.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tower_http::body::UnsyncBoxBody;

use crate::upstream::UpstreamBody;

/// What a sender is answered with.
pub enum AnswerBody {
    /// Made here, or nothing.
    Fixed(Bytes),
    /// Streamed from an upstream, unchanged.
    Upstream(UpstreamBody),
    /// Either, as it comes out of the layer that catches panics.
    Boxed(UnsyncBoxBody<Bytes, AnswerError>),
}

impl AnswerBody {
    /// No body at all.
    pub const fn empty() -> Self {
        Self::Fixed(Bytes::new())
    }
}

impl From<Bytes> for AnswerBody {
    fn from(bytes: Bytes) -> Self {
        Self::Fixed(bytes)
    }
}

impl From<UnsyncBoxBody<Bytes, AnswerError>> for AnswerBody {
    fn from(body: UnsyncBoxBody<Bytes, AnswerError>) -> Self {
        Self::Boxed(body)
    }
}

/// Why an answer broke off.
pub type AnswerError = Box<dyn std::error::Error + Send + Sync>;

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = AnswerError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, AnswerError>>> {
        match self.get_mut() {
            Self::Fixed(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Fixed(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::Upstream(body) => Pin::new(body).poll_frame(cx),
            Self::Boxed(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Fixed(bytes) => bytes.is_empty(),
            Self::Upstream(body) => body.is_end_stream(),
            Self::Boxed(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Fixed(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Upstream(body) => body.size_hint(),
            Self::Boxed(body) => body.size_hint(),
        }
    }
}
