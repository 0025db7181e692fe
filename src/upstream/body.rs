//! The body of an upstream's answer: streamed as it arrives, cut at the exchange's deadline.

use std::{
    fmt, io, mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio::time::{Instant, Sleep, sleep_until};

use super::{
    pool::Lease,
    wire::{BadChunk, Framing},
};
use crate::{body::AnswerError, net::scratch};

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
    body: Arriving,
    deadline: Instant,
    /// Made only once the body has to be waited for: most answers arrive with their head.
    sleep: Option<Pin<Box<Sleep>>>,
}

/// A body on a connection.
pub(super) struct Arriving {
    /// Closed when it is dropped before the body's end.
    pub(super) lease: Lease,
    /// Whether it may serve another exchange.
    pub(super) persists: bool,
    pub(super) framing: Framing,
    /// Arrived and not yet handed on.
    pub(super) received: Bytes,
}

impl Arriving {
    /// Lets the connection serve the next exchange, if nothing speaks against it: what came behind
    /// the body answers nothing.
    fn finish(self, now: Instant) {
        if self.persists && self.received.is_empty() && !self.framing.ends_with_it() {
            self.lease.give_back(now);
        }
    }
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

    /// A body that may have come with its head, at `now`.
    pub(super) fn arriving(mut body: Arriving, deadline: Instant, now: Instant) -> Self {
        let here = body.received.len() as u64;
        if body.framing.left().is_none_or(|left| left > here) {
            return Self(Inner::Stream(Stream { body, deadline, sleep: None }));
        }
        let bytes = body.framing.next(&mut body.received).unwrap_or_default();
        body.finish(now);
        Self::fixed(bytes.unwrap_or_default())
    }
}

impl Stream {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Cut>> {
        let body = &mut self.body;
        loop {
            if let Some(data) = body.framing.next(&mut body.received)? {
                // An upstream that always has more to say never gets to the timer below.
                let late = Instant::now() >= self.deadline;
                return Poll::Ready(if late { Err(Cut::Late) } else { Ok(Some(data)) });
            }
            if body.framing.is_done() {
                return Poll::Ready(Ok(None));
            }
            let received = &mut body.received;
            let read = scratch::poll_read(&mut body.lease.stream, cx, |new| {
                *received = Bytes::copy_from_slice(new);
            });
            let Poll::Ready(read) = read else {
                let deadline = self.deadline;
                let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
                ready!(sleep.as_mut().poll(cx));
                return Poll::Ready(Err(Cut::Late));
            };
            read?;
            if body.received.is_empty() && !body.framing.close() {
                return Poll::Ready(Err(Cut::Closed));
            }
        }
    }
}

/// Why an answer's body broke off.
#[derive(Debug, thiserror::Error)]
enum Cut {
    #[error("the upstream's answer took longer than its timeout")]
    Late,
    #[error("the upstream broke off its answer: {0}")]
    Io(#[from] io::Error),
    #[error("the upstream broke off its answer: {0}")]
    Chunk(#[from] BadChunk),
    #[error("the upstream broke off its answer: it closed the connection")]
    Closed,
}

impl Body for UpstreamBody {
    type Data = Bytes;
    type Error = AnswerError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, AnswerError>>> {
        let this = self.get_mut();
        let stream = match &mut this.0 {
            Inner::Fixed(bytes) if bytes.is_empty() => return Poll::Ready(None),
            Inner::Fixed(bytes) => return Poll::Ready(Some(Ok(Frame::data(mem::take(bytes))))),
            Inner::Stream(stream) => stream,
        };
        let next = ready!(stream.poll_next(cx));
        // An error closes the connection, and nothing is read after it.
        if (!matches!(next, Ok(Some(_))) || stream.body.framing.is_done())
            && let Inner::Stream(stream) = mem::replace(&mut this.0, Inner::Fixed(Bytes::new()))
            && next.is_ok()
        {
            stream.body.finish(Instant::now());
        }
        Poll::Ready(next.map_err(Into::into).transpose().map(|data| data.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Inner::Fixed(bytes) => bytes.is_empty(),
            Inner::Stream(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Inner::Fixed(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Inner::Stream(stream) => {
                stream.body.framing.left().map_or_else(SizeHint::default, SizeHint::with_exact)
            }
        }
    }
}

impl fmt::Debug for UpstreamBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpstreamBody").field("size", &self.size_hint()).finish()
    }
}
