//! Serves an HTTP/2 connection.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use http::Request;
use hyper::{body::Incoming, server::conn::http2::Builder, service::Service};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};

use super::{connection::Connection, inbound::Inbound, service::AnswerService, socket::Wire};

/// Requests at once on one connection.
const STREAMS: u32 = 128;
/// How much of one body may wait unread, in bytes; and of all bodies of a connection.
const WINDOW: u32 = 128 * 1024;
const WINDOW_ALL: u32 = 256 * 1024;
/// How often a peer is asked whether it is still there, and how long it has to say so.
const PING: Duration = Duration::from_secs(20);

/// Serves requests until either side ends the connection.
///
/// # Errors
///
/// If the peer broke HTTP/2 or the connection.
pub(super) async fn serve<S>(
    wire: Wire,
    connection: Arc<Connection>,
    service: S,
    limit: usize,
) -> hyper::Result<()>
where
    S: AnswerService,
{
    let service = Counted { service, connection: connection.clone() };
    let mut http = pin!(
        Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_header_list_size(u32::try_from(limit).unwrap_or(u32::MAX))
            .max_concurrent_streams(STREAMS)
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOW_ALL)
            .max_send_buf_size(64 * 1024)
            .keep_alive_interval(PING)
            .keep_alive_timeout(PING)
            // Streams that a peer opens and resets at once cost work that it does not pay for.
            .max_pending_accept_reset_streams(20)
            .max_local_error_reset_streams(256)
            .serve_connection(TokioIo::new(wire), service)
    );
    let mut told = false;
    let ended = poll_fn(|cx| {
        loop {
            if let ended @ Poll::Ready(_) = http.as_mut().poll(cx) {
                return ended;
            }
            if told || !connection.watch().must_drain() {
                return Poll::Pending;
            }
            told = true;
            http.as_mut().graceful_shutdown();
        }
    });
    ended.await
}

/// Counts the streams whose service runs, so that an idle connection can be told from a busy one.
struct Counted<S> {
    service: S,
    connection: Arc<Connection>,
}

impl<S: Service<Request<Inbound>>> Service<Request<Incoming>> for Counted<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = Counting<S::Future>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        self.connection.begin_stream();
        let stream = Stream(self.connection.clone());
        Counting { future: self.service.call(request.map(Inbound::http2)), stream: Some(stream) }
    }
}

/// A stream whose service runs; ends when dropped, by a reset too.
struct Stream(Arc<Connection>);

impl Drop for Stream {
    fn drop(&mut self) {
        self.0.end_stream();
    }
}

pin_project_lite::pin_project! {
    struct Counting<F> {
        #[pin]
        future: F,
        stream: Option<Stream>,
    }
}

impl<F: Future> Future for Counting<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let me = self.project();
        let done = ready!(me.future.poll(cx));
        *me.stream = None;
        Poll::Ready(done)
    }
}
