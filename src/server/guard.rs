//! Stands between a connection and the HTTP/1 library and lets through only heads that are judged.
//!
//! Bytes are read straight into the library's buffer and judged where they lie. Only a head that
//! arrives in pieces is copied: its pieces are held here until it is complete. In place of a head
//! that is refused the library gets a request that says nothing, so that the refusal is answered by
//! the service like every other, after the answers to what came before it; what came behind it is
//! never read.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{
    connection::Connection,
    reader::{Judged, Reader, Stop},
    watch::Phase,
};

/// What the library gets in place of a refused head.
const REFUSED: &[u8] = b"GET / HTTP/1.1\r\nconnection: close\r\n\r\n";

#[derive(Debug)]
pub(super) struct Guard<S> {
    io: S,
    reader: Reader,
    connection: Arc<Connection>,
    /// Read, but not given to the library: pieces of a head, or more than it had room for.
    held: Vec<u8>,
    /// So many of them are judged and may go on.
    judged: usize,
    /// Read before the guard was there, and not looked at yet.
    unread: Bytes,
}

impl<S> Guard<S> {
    /// Guards a connection whose heads may have `limit` bytes, and of which `unread` was read.
    pub(super) const fn new(
        io: S,
        connection: Arc<Connection>,
        limit: usize,
        unread: Bytes,
    ) -> Self {
        Self { io, reader: Reader::new(limit), connection, held: Vec::new(), judged: 0, unread }
    }

    pub(super) fn into_inner(self) -> S {
        self.io
    }

    /// Gives the library what it has room for of what is judged.
    fn deliver(&mut self, buf: &mut ReadBuf<'_>) {
        let count = self.judged.min(buf.remaining());
        buf.put_slice(self.held.get(..count).unwrap_or_default());
        self.judged -= count;
        if count == self.held.len() {
            self.held = Vec::new();
        } else {
            self.held.drain(..count);
        }
    }

    /// Judges what was read behind the first `before` bytes of the library's buffer.
    fn judge(&mut self, buf: &mut ReadBuf<'_>, before: usize) {
        let heads = self.reader.heads();
        let new = buf.filled().get(before..).unwrap_or_default();
        let stop = if self.held.is_empty() {
            let Judged { pass, stop } = self.reader.judge(new, 0);
            if stop.is_some() {
                self.held.extend_from_slice(new.get(pass..).unwrap_or_default());
                buf.set_filled(before + pass);
            }
            stop
        } else {
            let searched = self.held.len();
            self.held.extend_from_slice(new);
            buf.set_filled(before);
            let Judged { pass, stop } = self.reader.judge(&self.held, searched);
            self.judged = pass;
            stop
        };
        if self.reader.heads() != heads {
            self.connection.passed(self.reader.heads(), self.reader.is_last());
        }
        if let Some(Stop::Refused(fault)) = stop {
            self.connection.refuse(fault);
            self.held.truncate(self.judged);
            self.held.extend_from_slice(REFUSED);
            self.judged = self.held.len();
        }
    }

    /// Notes what it is that nothing more has arrived of.
    fn wait(&self) {
        if !self.reader.is_between() {
            return;
        }
        let watch = self.connection.watch();
        // A stray line end behind a body is no beginning of a head.
        let is_head = self.held.iter().any(|b| !matches!(b, b'\r' | b'\n'));
        match (self.reader.heads(), is_head) {
            (0, true) => watch.shift(Phase::Head),
            (0, false) => watch.shift(Phase::Silent),
            (_, true) if watch.phase() != Phase::Head => watch.enter(Phase::Head),
            (_, false) if watch.phase() != Phase::Idle => watch.enter(Phase::Idle),
            _ => {}
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guard<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let me = self.get_mut();
        let before = buf.filled().len();
        loop {
            if me.judged > 0 {
                me.deliver(buf);
            }
            if buf.filled().len() > before || buf.remaining() == 0 {
                return Poll::Ready(Ok(()));
            }
            if me.reader.is_refused() {
                // The library has all that it will get; what it answers ends the connection.
                return Poll::Pending;
            }
            if me.unread.is_empty() {
                let read = Pin::new(&mut me.io).poll_read(cx, buf);
                if read.is_pending() {
                    me.wait();
                }
                ready!(read)?;
            } else {
                let here = me.unread.len().min(buf.remaining());
                buf.put_slice(&me.unread.split_to(here));
            }
            if buf.filled().len() == before {
                return Poll::Ready(Ok(()));
            }
            me.judge(buf, before);
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guard<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().io).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(cx)
    }
}
