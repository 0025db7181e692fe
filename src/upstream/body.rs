//! The body of an upstream's answer: streamed as it arrives, cut at the exchange's deadline.

use std::{
    fmt, mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep_until};

use super::pool::Lease;
use crate::body::AnswerError;

/// The body of an upstream's answer.
///
/// When it has been read to its end, the connection goes back to the pool; when it is dropped
/// before that, or cut, the connection is closed.
pub struct UpstreamBody(Inner);

/// How much of a body that nobody wants is read, in bytes.
const DISCARDED: usize = 64 * 1024;

enum Inner {
    Fixed(Bytes),
    Stream(Stream),
}

struct Stream {
    incoming: Incoming,
    deadline: Instant,
    /// Made only once the body has to be waited for: most answers arrive with their head.
    sleep: Option<Pin<Box<Sleep>>>,
    lease: Option<Lease>,
}

impl UpstreamBody {
    /// A body made inside the gateway.
    pub(super) const fn fixed(bytes: Bytes) -> Self {
        Self(Inner::Fixed(bytes))
    }

    /// Reads what is left and throws it away; a body of more than 64 KiB is broken off.
    pub(crate) async fn discard(&mut self) {
        let mut left = DISCARDED;
        while let Some(Ok(frame)) = self.frame().await {
            let len = frame.data_ref().map_or(0, Bytes::len);
            match left.checked_sub(len) {
                Some(less) => left = less,
                None => return,
            }
        }
    }

    /// A body that arrives over a pooled connection.
    pub(super) fn stream(incoming: Incoming, deadline: Instant, lease: Lease) -> Self {
        Self(Inner::Stream(Stream { incoming, deadline, sleep: None, lease: Some(lease) }))
    }
}

impl Stream {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        let Poll::Ready(next) = Pin::new(&mut self.incoming).poll_frame(cx) else {
            let deadline = self.deadline;
            let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
            ready!(sleep.as_mut().poll(cx));
            return Poll::Ready(Some(Err(Cut::Late)));
        };
        if self.incoming.is_end_stream() || next.is_none() {
            self.give_back();
        } else if Instant::now() >= self.deadline {
            // An upstream that always has more to say never gets to the timer above.
            return Poll::Ready(Some(Err(Cut::Late)));
        }
        Poll::Ready(next.map(|frame| frame.map_err(Cut::Broken)))
    }

    fn give_back(&mut self) {
        if let Some(lease) = self.lease.take() {
            lease.give_back();
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // A server that knows the length does not ask for the end after the last frame.
        if self.incoming.is_end_stream() {
            self.give_back();
        }
    }
}

/// Why an answer's body broke off.
#[derive(Debug, thiserror::Error)]
enum Cut {
    #[error("the upstream's answer took longer than its timeout")]
    Late,
    #[error("the upstream broke off its answer: {0}")]
    Broken(hyper::Error),
}

impl Body for UpstreamBody {
    type Data = Bytes;
    type Error = AnswerError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, AnswerError>>> {
        let this = self.get_mut();
        let next = match &mut this.0 {
            Inner::Fixed(bytes) if bytes.is_empty() => return Poll::Ready(None),
            Inner::Fixed(bytes) => return Poll::Ready(Some(Ok(Frame::data(mem::take(bytes))))),
            Inner::Stream(stream) => ready!(stream.poll_frame(cx)),
        };
        match next {
            Some(Ok(frame)) => Poll::Ready(Some(Ok(frame))),
            Some(Err(cut)) => {
                // Closes the connection, and nothing is read after an error.
                this.0 = Inner::Fixed(Bytes::new());
                Poll::Ready(Some(Err(cut.into())))
            }
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Inner::Fixed(bytes) => bytes.is_empty(),
            Inner::Stream(stream) => stream.incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Inner::Fixed(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Inner::Stream(stream) => stream.incoming.size_hint(),
        }
    }
}

impl fmt::Debug for UpstreamBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpstreamBody").field("size", &self.size_hint()).finish()
    }
}
