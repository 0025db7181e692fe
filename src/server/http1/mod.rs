//! Serves an HTTP/1 connection from its first head to its lingering end.
//!
//! [`quick`] reads plain deliveries itself: `POST` with a `Content-Length`, which is what nearly all
//! requests are. From the first request on that is anything else, or that is refused by its head,
//! the connection is hyper's ([`library`]).

mod answer;
#[cfg(any(test, feature = "fuzzing"))]
pub(super) mod differential;
mod library;
mod quick;
mod request;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use tokio::io::AsyncWriteExt;

use super::{
    connection::Connection,
    service::AnswerService,
    socket::{Socket, Wire, into_socket},
    watch::Phase,
};

/// What is read of an ended connection before it is closed, in bytes.
const LINGER: usize = 256 * 1024;

/// Serves requests until either side ends the connection.
pub(super) async fn serve<S>(wire: Wire, connection: Arc<Connection>, service: S, limit: usize)
where
    S: AnswerService,
{
    let ended = match quick::serve(wire, &connection, service, limit).await {
        quick::Ended::Broken => None,
        quick::Ended::Done(wire) => Some(wire),
        quick::Ended::Other { wire, unread, service } => {
            // Boxed: it is large, and most connections never get here.
            Box::pin(library::serve(wire, unread, &connection, service, limit)).await
        }
    };
    let Some(mut wire) = ended else { return };
    // Behind a request that asked for another protocol, hyper leaves this to whoever speaks that,
    // and nobody does. Where it is done already it does no harm; nor does failing.
    drop(wire.shutdown().await);
    linger(into_socket(wire), &connection).await;
}

/// Throws away what the sender still sends, so that it sees our answer and no reset.
async fn linger(mut socket: Socket, connection: &Connection) {
    if socket.has_ended() {
        return;
    }
    connection.watch().enter(Phase::Linger);
    let mut sink = vec![0; 16 * 1024];
    let mut left = LINGER;
    while left > 0 {
        match socket.read_raw(&mut sink).await {
            Ok(0) | Err(_) => return,
            Ok(count) => left = left.saturating_sub(count),
        }
    }
}
