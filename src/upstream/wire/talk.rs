//! One message to a receiver, and the head of its answer.

use std::{
    future::poll_fn,
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use tokio::io::AsyncWrite;

use super::{
    super::stream::Stream,
    answer::{BadAnswer, Head, read},
    message::Message,
};
use crate::net::scratch;

/// An answer's head, and what came behind it so far.
#[derive(Debug)]
pub(in super::super) struct Answered {
    pub(in super::super) head: Head,
    pub(in super::super) behind: Bytes,
    /// Whether the receiver got the whole message. If not, the connection is of no further use.
    pub(in super::super) heard_out: bool,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(in super::super) enum Broken {
    /// Not one byte of the message was written.
    #[error("the connection was closed: {0}")]
    Untouched(io::Error),
    #[error("the connection broke: {0}")]
    Io(#[from] io::Error),
    #[error("it closed the connection without an answer")]
    Closed,
    #[error("{0}")]
    Answer(#[from] BadAnswer),
}

/// Sends a message and waits for the head of the answer, which may come before all was sent.
///
/// # Errors
///
/// If the connection breaks, or what comes over it is no answer.
pub(in super::super) async fn talk(
    stream: &mut Stream,
    message: &Message,
) -> Result<Answered, Broken> {
    let mut talk =
        Talk { message, written: 0, flushed: false, failed: None, received: Bytes::new() };
    poll_fn(|cx| talk.poll(stream, cx)).await
}

struct Talk<'a> {
    message: &'a Message,
    written: usize,
    flushed: bool,
    /// Why nothing more can be written. The receiver may still have said something.
    failed: Option<io::Error>,
    received: Bytes,
}

impl Talk<'_> {
    fn poll(
        &mut self,
        stream: &mut Stream,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Answered, Broken>> {
        if !self.flushed
            && self.failed.is_none()
            && let Poll::Ready(Err(error)) = self.write(stream, cx)
        {
            if self.written == 0 {
                return Poll::Ready(Err(Broken::Untouched(error)));
            }
            self.failed = Some(error);
        }
        match self.listen(stream, cx) {
            Poll::Ready(Err(Broken::Io(_) | Broken::Closed)) | Poll::Pending
                if self.failed.is_some() =>
            {
                // Nothing to be heard that would explain it.
                let error = self.failed.take().map_or(Broken::Closed, Broken::Io);
                Poll::Ready(Err(error))
            }
            heard => heard,
        }
    }

    fn write(&mut self, stream: &mut Stream, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let [head, body] = self.message.rest(self.written);
            let stream = Pin::new(&mut *stream);
            let count = match (head.is_empty(), body.is_empty()) {
                (true, true) => break,
                (false, true) => ready!(stream.poll_write(cx, head))?,
                (true, false) => ready!(stream.poll_write(cx, body))?,
                (false, false) => {
                    let parts = [IoSlice::new(head), IoSlice::new(body)];
                    ready!(stream.poll_write_vectored(cx, &parts))?
                }
            };
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += count;
        }
        ready!(Pin::new(stream).poll_flush(cx))?;
        self.flushed = true;
        Poll::Ready(Ok(()))
    }

    fn listen(
        &mut self,
        stream: &mut Stream,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Answered, Broken>> {
        loop {
            let received = &mut self.received;
            let count = ready!(scratch::poll_read(stream, cx, |new| {
                if received.is_empty() {
                    *received = Bytes::copy_from_slice(new);
                } else {
                    let mut longer = BytesMut::from(std::mem::take(received));
                    longer.extend_from_slice(new);
                    *received = longer.freeze();
                }
                new.len()
            }))?;
            if count == 0 {
                return Poll::Ready(Err(Broken::Closed));
            }
            if let Some((length, head)) = read(&self.received, self.message.is_to_head())? {
                let mut behind = std::mem::take(&mut self.received);
                drop(behind.split_to(length));
                return Poll::Ready(Ok(Answered { head, behind, heard_out: self.flushed }));
            }
        }
    }
}
