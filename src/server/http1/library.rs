//! Serves an HTTP/1 connection with hyper, behind the guard: everything that `quick` leaves to it.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::Request;
use hyper::{body::Incoming, server::conn::http1::Builder, service::Service};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::super::{
    connection::Connection, guard::Guard, inbound::Inbound, service::AnswerService, watch::Phase,
};

/// What hyper may buffer of a connection at least: large enough to read large bodies in few calls,
/// small enough to be had ten thousand times.
const BUFFER: usize = 64 * 1024;

/// Serves requests until either side ends the connection.
///
/// `unread` was read of the wire and is not served yet. Gives back the wire for its lingering end;
/// nothing where the answer broke off: then the sender had better notice than be seen off politely.
pub(super) async fn serve<W, S>(
    wire: W,
    unread: Bytes,
    connection: &Arc<Connection>,
    service: S,
    limit: usize,
) -> Option<W>
where
    W: AsyncRead + AsyncWrite + Unpin,
    S: AnswerService,
{
    let guard = Guard::new(wire, connection.clone(), limit, unread);
    let service = Judged { service, connection: connection.clone() };
    let mut http = Builder::new()
        // Timeouts are the sweep's; hyper's own runs while idle and costs a timer a request.
        .header_read_timeout(None)
        // A sender may close its side and still wait for the answer; its delivery goes on.
        .half_close(true)
        // One write for head and body.
        .writev(false)
        // A head never reaches this: the guard refuses it before.
        .max_buf_size(BUFFER.max(limit.saturating_add(8192)))
        .serve_connection(TokioIo::new(guard), service);
    let mut told = false;
    let ended = poll_fn(|cx| {
        loop {
            if let ended @ Poll::Ready(_) = poll(&mut http, cx) {
                return ended;
            }
            if told || !must_end(connection) {
                return Poll::Pending;
            }
            told = true;
            Pin::new(&mut http).graceful_shutdown();
        }
    });
    ended.await.ok()?;
    Some(http.into_parts().io.into_inner().into_inner())
}

fn poll<F: Future + Unpin>(future: &mut F, cx: &mut Context<'_>) -> Poll<F::Output> {
    Pin::new(future).poll(cx)
}

/// Whether this connection's current request is to be its last. A head that has begun to arrive is
/// still waited for.
fn must_end(connection: &Connection) -> bool {
    let watch = connection.watch();
    connection.is_at_last() || (watch.must_drain() && watch.phase() != Phase::Head)
}

/// Hands each request's fault to the service.
struct Judged<S> {
    service: S,
    connection: Arc<Connection>,
}

impl<S: Service<Request<Inbound>>> Service<Request<Incoming>> for Judged<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn call(&self, mut request: Request<Incoming>) -> S::Future {
        if let Some(fault) = self.connection.next_fault() {
            request.extensions_mut().insert(fault);
        }
        self.service.call(request.map(Inbound::http1))
    }
}
