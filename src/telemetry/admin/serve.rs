//! A small HTTP/1 server for the answers above.

use std::{collections::VecDeque, convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    task::{AbortHandle, JoinSet},
};

use super::Admin;

/// Serves until it is dropped, and then ends its connections.
///
/// There are never more than 128: the oldest gives way to the newest, so that idle or
/// slow clients cannot keep a probe out.
pub async fn serve(listener: TcpListener, admin: Arc<Admin>) -> Infallible {
    let mut connections = JoinSet::new();
    let mut open: VecDeque<AbortHandle> = VecDeque::new();
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "an admin connection cannot be accepted");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        while connections.try_join_next().is_some() {}
        open.retain(|connection| !connection.is_finished());
        if open.len() >= CONNECTIONS
            && let Some(oldest) = open.pop_front()
        {
            oldest.abort();
        }
        open.push_back(connections.spawn(connection(stream, peer, Arc::clone(&admin))));
    }
}

async fn connection(stream: TcpStream, peer: SocketAddr, admin: Arc<Admin>) {
    let service = service_fn(|request| {
        let admin = Arc::clone(&admin);
        async move { Ok::<_, Infallible>(admin.respond(request, peer.ip()).await) }
    });
    let served = http1::Builder::new()
        // Without a timer, hyper's timeout does nothing.
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "an admin connection broke off");
    }
}

/// Connections at a time.
const CONNECTIONS: usize = 128;

/// For a request's head to arrive, and between requests.
const HEAD_TIMEOUT: Duration = Duration::from_secs(20);

const HEAD_BYTES: usize = 16 * 1024;

/// After a failed accept, such as for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::{
        clock::{Clock, UnixMs},
        telemetry::{
            Telemetry,
            admin::{Readiness, State},
        },
    };

    async fn start() -> (SocketAddr, tokio::task::JoinHandle<Infallible>) {
        let telemetry = Arc::new(Telemetry::new(Clock::manual(UnixMs(0)), None));
        let readiness = Arc::new(Readiness::default());
        readiness.set(State::Ready);
        let admin = Arc::new(Admin::guarded(telemetry, readiness, []));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        (listener.local_addr().unwrap(), tokio::spawn(serve(listener, admin)))
    }

    async fn ask(address: SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn it_answers_over_a_socket() {
        let (address, server) = start().await;
        let ready = "GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        let answer = ask(address, ready).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("ok\n"), "{answer}");
        let head = ask(address, &ready.replace("GET", "HEAD")).await;
        assert!(head.contains("content-length: 3") && head.ends_with("\r\n\r\n"), "{head}");
        let rebound = ask(address, &ready.replace("localhost", "evil.example")).await;
        assert!(rebound.starts_with("HTTP/1.1 403 "), "{rebound}");
        server.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn a_stalling_client_is_let_go() {
        let (address, server) = start().await;
        assert_eq!(ask(address, "GET /readyz HTTP/1.1\r\n").await, "");
        server.abort();
    }

    #[tokio::test]
    async fn stalling_clients_keep_nobody_out() {
        let (address, server) = start().await;
        let mut stalling = Vec::new();
        for _ in 0..CONNECTIONS + 10 {
            stalling.push(TcpStream::connect(address).await.unwrap());
        }
        let ready = "GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        assert!(ask(address, ready).await.starts_with("HTTP/1.1 200 OK\r\n"));
        let mut first = stalling.swap_remove(0);
        assert_eq!(first.read(&mut [0; 1]).await.unwrap_or(0), 0);
        server.abort();
    }
}
