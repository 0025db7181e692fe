//! Serves plain deliveries without a library between socket and service.
//!
//! Heads are judged by the guard's own rules, so that what is served here is what hyper would have
//! been given, with the same method, target, fields and body; the differential tests hold the two
//! against each other. All of it runs in the connection's own task: nothing is handed to another,
//! nothing is boxed, and a connection that waits holds no buffer.

use std::{
    future::poll_fn,
    io,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::{BufMut, Bytes, BytesMut};
use http::{Request, Response};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};

use super::{
    super::{
        connection::Connection,
        inbound::{Arriving, Feed, Inbound},
        service::AnswerService,
        watch::Phase,
    },
    answer,
    request::{Names, Next, Plain, read},
};
use crate::{body::AnswerBody, net::scratch};

/// How much of a large body is read at once, in bytes.
const PIECE: u64 = 128 * 1024;

/// How serving came to its end.
pub(super) enum Ended<W, S> {
    /// With what is to be left to the library: any other request, and what follows it.
    Other { wire: W, unread: Bytes, service: S },
    /// Properly.
    Done(W),
    /// The connection is lost, or an answer broke off.
    Broken,
}

/// Serves requests as long as they are plain.
pub(super) async fn serve<W, S>(
    wire: W,
    connection: &Arc<Connection>,
    service: S,
    limit: usize,
) -> Ended<W, S>
where
    W: AsyncRead + AsyncWrite + Unpin,
    S: AnswerService,
{
    let (names, unread, served) = (Names::default(), Bytes::new(), false);
    let mut quick = Quick { wire, connection, service, names, unread, served, limit };
    loop {
        let plain = match quick.next_head().await {
            Ok(Some(Next::Plain(plain))) => plain,
            Ok(Some(Next::Partial | Next::Other)) => {
                let Quick { wire, unread, service, .. } = quick;
                return Ended::Other { wire, unread, service };
            }
            Ok(None) => return Ended::Done(quick.wire),
            Err(_) => return Ended::Broken,
        };
        match quick.exchange(plain).await {
            Ok(true) => {}
            Ok(false) => return Ended::Done(quick.wire),
            Err(_) => return Ended::Broken,
        }
    }
}

struct Quick<'a, W, S> {
    wire: W,
    connection: &'a Connection,
    service: S,
    names: Names,
    /// Read and not served yet.
    unread: Bytes,
    /// Whether a request was served already.
    served: bool,
    limit: usize,
}

impl<W, S> Quick<'_, W, S>
where
    W: AsyncRead + AsyncWrite + Unpin,
    S: AnswerService,
{
    /// The next head; nothing once the connection is to end.
    async fn next_head(&mut self) -> io::Result<Option<Next>> {
        let mut searched = 0;
        poll_fn(|cx| {
            loop {
                if !self.unread.is_empty() {
                    match read(&self.unread, searched, self.limit, &mut self.names) {
                        Next::Partial => searched = self.unread.len(),
                        whole => return Poll::Ready(Ok(Some(whole))),
                    }
                }
                let Poll::Ready(count) = self.poll_read(cx) else {
                    return self.wait();
                };
                if count? == 0 {
                    // An end within a head is no request.
                    return Poll::Ready(Ok(None));
                }
            }
        })
        .await
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let unread = &mut self.unread;
        scratch::poll_read(&mut self.wire, cx, |new| {
            if unread.is_empty() {
                *unread = Bytes::copy_from_slice(new);
            } else {
                let mut longer = BytesMut::from(std::mem::take(unread));
                longer.extend_from_slice(new);
                *unread = longer.freeze();
            }
            new.len()
        })
    }

    /// Notes what it is that nothing more has arrived of, and ends an idle connection if it is
    /// time. A head that has begun to arrive is still waited for.
    fn wait(&self) -> Poll<io::Result<Option<Next>>> {
        let watch = self.connection.watch();
        // A stray line end behind a body is no beginning of a head.
        let is_head = self.unread.iter().any(|b| !matches!(b, b'\r' | b'\n'));
        match (self.served, is_head) {
            (false, true) => watch.shift(Phase::Head),
            (false, false) => watch.shift(Phase::Silent),
            (true, true) if watch.phase() != Phase::Head => watch.enter(Phase::Head),
            (true, false) if watch.phase() != Phase::Idle => watch.enter(Phase::Idle),
            _ => {}
        }
        // One that never said anything is closed by who watches over it, without a word.
        let is_over = self.served && !is_head && watch.must_drain();
        if is_over { Poll::Ready(Ok(None)) } else { Poll::Pending }
    }

    /// Serves one request; whether another may follow.
    async fn exchange(&mut self, plain: Plain) -> io::Result<bool> {
        self.connection.watch().enter(Phase::Busy);
        self.served = true;
        let Plain { parts, end, length, closes } = plain;
        drop(self.unread.split_to(end));
        let (body, feed) = self.body(length);
        let answered = self.service.call(Request::from_parts(parts, body));
        let response = self.answered(pin!(answered), feed.as_ref()).await;
        let is_left = feed.is_some_and(|feed| feed.to_come() > 0);
        let closing = closes || is_left || self.connection.watch().must_drain();
        let closing = answer::write(&mut self.wire, response, closing).await?;
        Ok(!closing)
    }

    /// The body, and what feeds it if it is still to be read.
    fn body(&mut self, length: u64) -> (Inbound, Option<Feed>) {
        let here = usize::try_from(length).unwrap_or(usize::MAX).min(self.unread.len());
        let first = self.unread.split_to(here);
        let to_come = length - here as u64;
        if to_come == 0 {
            return (Inbound::whole(first), None);
        }
        let (body, feed) = Arriving::new(first, to_come);
        (Inbound::arriving(body), Some(feed))
    }

    /// Waits for the answer, and reads of the body what is asked for meanwhile.
    async fn answered<F, E>(
        &mut self,
        mut answer: Pin<&mut F>,
        feed: Option<&Feed>,
    ) -> Response<AnswerBody>
    where
        F: Future<Output = Result<Response<AnswerBody>, E>>,
        E: Into<std::convert::Infallible>,
    {
        poll_fn(|cx| {
            loop {
                if let Poll::Ready(answer) = answer.as_mut().poll(cx) {
                    return Poll::Ready(answer.unwrap_or_else(|never| match never.into() {}));
                }
                let Some(feed) = feed else { return Poll::Pending };
                let Some(wanted) = feed.wanted(cx) else { return Poll::Pending };
                feed.deliver(ready!(self.poll_body(cx, wanted)));
            }
        })
        .await
    }

    /// Reads of the body, and nothing behind it.
    fn poll_body(&mut self, cx: &mut Context<'_>, wanted: u64) -> Poll<io::Result<Bytes>> {
        let most = usize::try_from(wanted.min(PIECE)).unwrap_or(usize::MAX);
        let mut piece = BytesMut::with_capacity(most).limit(most);
        let count = ready!(pin!(self.wire.read_buf(&mut piece)).poll(cx))?;
        if count == 0 {
            return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
        }
        let piece = piece.into_inner();
        // A trickle must not hold, of every few bytes, room for many.
        let small = count < most / 16;
        Poll::Ready(Ok(if small { Bytes::copy_from_slice(&piece) } else { piece.freeze() }))
    }
}
