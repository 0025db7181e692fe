//! A connection's life, from its first byte to its last.

use std::{
    error::Error,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::net::TcpStream;

use super::{
    arrival::Arrival,
    connection::Connection,
    http1, http2, opening,
    service::AnswerService,
    socket::Socket,
    watch::{Phase, Watch},
};

/// Serves a connection until it ends, or until its watch says so.
pub(super) fn live<M, S>(
    arrival: Arrival<TcpStream>,
    watch: Arc<Watch>,
    make: M,
) -> impl Future<Output = ()>
where
    M: Fn(Arc<Connection>) -> S,
    S: AnswerService,
{
    let told = watch.clone();
    let connection = async move {
        let peer = arrival.peer;
        if let Err(error) = connect(arrival, told, make).await {
            tracing::debug!(%peer, %error, "a connection ended before its first request");
        }
    };
    Supervised { connection, watch }
}

async fn connect<M, S>(arrival: Arrival<TcpStream>, watch: Arc<Watch>, make: M) -> io::Result<()>
where
    M: Fn(Arc<Connection>) -> S,
    S: AnswerService,
{
    let Arrival { tcp, peer, mut permit, settings, load: _load } = arrival;
    let mut socket = Socket::new(tcp, watch.clone());
    let announced = opening::announcement(&mut socket, peer, &settings).await?;
    if announced.is_some_and(|source| !permit.announce(source.ip(), &settings)) {
        return Ok(());
    }
    let limit = settings.limits.header_bytes;
    let (wire, opened) = opening::open(socket, peer, announced, &settings).await?;
    // Kept no longer than needed: a reload's old certificates go with the last that holds them.
    drop(settings);
    let connection = Arc::new(Connection::new(opened, watch));
    let service = make(connection.clone());
    if !connection.is_http2() {
        http1::serve(wire, connection, service, limit).await;
    } else if let Err(error) = http2::serve(wire, connection, service, limit).await
        && !error.source().is_some_and(|cause| cause.is::<io::Error>())
    {
        // Not for a connection that was merely lost.
        permit.note_http2_error();
    }
    Ok(())
}

pin_project_lite::pin_project! {
    /// A connection that its sweep can end.
    struct Supervised<F> {
        #[pin]
        connection: F,
        watch: Arc<Watch>,
    }
}

impl<F: Future<Output = ()>> Future for Supervised<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let me = self.project();
        me.watch.follow(cx);
        // Polled before it is judged: what is there already is neither late nor silence.
        let ended = me.connection.poll(cx);
        let is_silent = || me.watch.phase() == Phase::Silent;
        if me.watch.must_close() || (me.watch.must_drain() && is_silent()) {
            return Poll::Ready(());
        }
        ended
    }
}
