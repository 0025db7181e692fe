//! Accepts connections, as many as there may be.

use std::{convert::Infallible, io, net::TcpListener, sync::Arc, time::Duration};

use http::{Request, Response};
use hyper::{body::Incoming, service::Service};
use tokio::time::sleep;

use super::{
    connection::Connection,
    cores::{Arrival, Core},
};
use crate::body::AnswerBody;

/// How long to wait when the system has no descriptor left for another connection.
const BACK_OFF: Duration = Duration::from_millis(100);

/// Accepts until the task is aborted.
pub(super) async fn accept<M, S>(core: Arc<Core<M>>, listener: TcpListener)
where
    M: Fn(Arc<Connection>) -> S + Clone + Send + Sync + 'static,
    S: Service<Request<Incoming>, Response = Response<AnswerBody>, Error = Infallible>
        + Send
        + 'static,
    S::Future: Send + 'static,
{
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!(%error, "a listener cannot be used"),
    };
    let mut failing = false;
    loop {
        let (tcp, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            // The sender went away before its turn came.
            Err(error) if is_of_one_connection(&error) => continue,
            Err(error) => {
                if !failing {
                    tracing::warn!(%error, "no connection can be accepted");
                }
                failing = true;
                sleep(BACK_OFF).await;
                continue;
            }
        };
        failing = false;
        let settings = core.settings.load_full();
        // Too many: closed by being dropped. An answer would cost what the limit protects.
        let Some(permit) = core.control.gate.admit(peer.ip(), &settings) else { continue };
        // Each answer is one write, and waiting for another would only delay it.
        if tcp.set_nodelay(true).is_ok() {
            core.admit(Arrival { tcp, peer, permit, settings });
        }
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}
