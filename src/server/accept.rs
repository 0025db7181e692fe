//! Accepts connections, as many as there may be.

use std::{io, net::TcpListener, pin::pin, sync::Arc, time::Duration};

use tokio::time::sleep;

use super::{
    connection::Connection,
    cores::{Core, LAST_LOOK},
    service::AnswerService,
};

/// How long to wait when the system has no descriptor left for another connection.
const BACK_OFF: Duration = Duration::from_millis(100);

/// How many connections that the kernel has taken already are still accepted when draining begins.
const LAST: usize = 4096;

/// Accepts until draining begins, and then what has already arrived.
pub(super) async fn accept<M, S>(core: Arc<Core<M>>, listener: TcpListener)
where
    M: Fn(Arc<Connection>) -> S + Clone + Send + Sync + 'static,
    S: AnswerService,
{
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!(%error, "a listener cannot be used"),
    };
    let mut draining = pin!(core.control.draining());
    let mut failing = false;
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut draining => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((tcp, peer)) => {
                failing = false;
                core.let_in(tcp, peer);
            }
            // The sender went away before its turn came.
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                if !failing {
                    tracing::warn!(%error, "no connection can be accepted");
                }
                failing = true;
                sleep(BACK_OFF).await;
            }
        }
    }
    // A sender whose connection the kernel took may have sent its request; do not reset it.
    let mut last_look = pin!(sleep(LAST_LOOK));
    for _ in 0..LAST {
        tokio::select! {
            biased;
            Ok((tcp, peer)) = listener.accept() => core.let_in(tcp, peer),
            () = &mut last_look => break,
        }
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}
