//! A server on port 0 and a client that writes raw bytes.

use std::{
    convert::Infallible,
    io::{self, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    num::NonZeroUsize,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::service::service_fn;

use crate::{
    body::AnswerBody,
    clock::Clock,
    config::model::{Answers, Limits, ProxyProtocol, Server},
    server::{Bound, Connection, Control, HeadFault, Inbound, Running, ServerSettings, serve},
};

pub(super) fn config() -> Server {
    Server {
        listen: vec![],
        tls: vec![],
        answers: Answers::Uniform,
        trusted_proxies: vec![],
        proxy_protocol: ProxyProtocol::Off,
        limits: Limits {
            connections: 100,
            connections_per_source: 100,
            header_bytes: 4096,
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(10),
            body_memory: 1 << 20,
            shutdown_grace: Duration::from_secs(10),
        },
    }
}

/// A server that answers with what it saw, by path:
/// `/unread` without reading the body, `/slow` after a while, `/drain` a while after a drain began.
pub(super) struct TestServer {
    pub(super) address: SocketAddr,
    pub(super) control: Control,
    pub(super) settings: Arc<ArcSwap<ServerSettings>>,
    running: Option<Running>,
}

impl TestServer {
    pub(super) fn start(change: impl FnOnce(&mut Server)) -> Self {
        let mut config = config();
        change(&mut config);
        let settings = Arc::new(ArcSwap::from_pointee(
            ServerSettings::new(&config, &Clock::system()).unwrap(),
        ));
        let bound = Bound::new("127.0.0.1:0".parse().unwrap()).unwrap();
        let (address, control) = (bound.address(), Control::new());
        let handle = control.clone();
        let make = move |connection: Arc<Connection>| {
            let handle = handle.clone();
            service_fn(move |request| answer(connection.clone(), handle.clone(), request))
        };
        let cores = NonZeroUsize::new(2).unwrap();
        let running = serve(vec![bound], cores, &settings, &make, &control).unwrap();
        Self { address, control, settings, running: Some(running) }
    }

    pub(super) fn client(&self) -> Client {
        Client::connect(self.address)
    }

    /// Waits for the drain to end, and says how long it took.
    pub(super) fn join(mut self) -> Duration {
        let begun = Instant::now();
        self.running.take().unwrap().join();
        begun.elapsed()
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        let mut quick = ServerSettings::clone(&self.settings.load());
        quick.limits.shutdown_grace = Duration::ZERO;
        self.settings.store(Arc::new(quick));
        self.control.shut_down();
        if let Some(running) = self.running.take() {
            running.join();
        }
    }
}

async fn answer(
    connection: Arc<Connection>,
    control: Control,
    request: Request<Inbound>,
) -> Result<Response<AnswerBody>, Infallible> {
    let fixed = |status: u16, text: String| {
        let body = AnswerBody::Fixed(Bytes::from(text));
        Ok(Response::builder().status(status).body(body).unwrap())
    };
    if let Some(fault) = request.extensions().get::<HeadFault>() {
        return fixed(400, format!("fault: {fault}"));
    }
    let (head, body) = request.into_parts();
    match head.uri.path() {
        "/unread" => return fixed(413, "unread".into()),
        "/slow" => tokio::time::sleep(Duration::from_millis(150)).await,
        "/drain" => {
            control.draining().await;
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        _ => {}
    }
    let length = length(body).await;
    fixed(
        200,
        format!(
            "source={} tls={} http2={} core={} path={} body={length:?}",
            connection.source(),
            connection.is_tls(),
            connection.is_http2(),
            crate::server::core_index(),
            head.uri.path(),
        ),
    )
}

async fn length(body: Inbound) -> Option<usize> {
    let mut body = std::pin::pin!(body);
    let mut length = 0;
    while let Some(frame) = std::future::poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        length += frame.ok()?.into_data().map_or(0, |data| data.len());
    }
    Some(length)
}

pub(super) struct Client(pub(super) TcpStream);

impl Client {
    pub(super) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(stream)
    }

    pub(super) fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.0.write_all(bytes.as_ref()).unwrap();
        self
    }

    pub(super) fn finish(&mut self) -> &mut Self {
        self.0.shutdown(Shutdown::Write).unwrap();
        self
    }

    /// Everything until the server ends the connection.
    pub(super) fn rest(&mut self) -> String {
        let mut all = Vec::new();
        let ended = self.0.read_to_end(&mut all);
        let kind = ended.map_err(|e| e.kind());
        assert!(matches!(kind, Ok(_) | Err(io::ErrorKind::ConnectionReset)), "{kind:?}");
        String::from_utf8_lossy(&all).into_owned()
    }

    /// One answer with `Content-Length`.
    pub(super) fn answer(&mut self) -> String {
        let mut all = Vec::new();
        let mut byte = [0];
        while !all.ends_with(b"\r\n\r\n") {
            if self.0.read(&mut byte).unwrap() == 0 {
                return String::from_utf8_lossy(&all).into_owned();
            }
            all.push(byte[0]);
        }
        let head = String::from_utf8_lossy(&all).to_ascii_lowercase();
        let length = head.split("content-length: ").nth(1).unwrap_or("0");
        let length = length.split("\r\n").next().unwrap().parse().unwrap();
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        all.extend(body);
        String::from_utf8_lossy(&all).into_owned()
    }

    /// How long it takes until the server ends the connection without a word.
    pub(super) fn closed_after(&mut self) -> Duration {
        let begun = Instant::now();
        assert_eq!(self.rest(), "");
        begun.elapsed()
    }
}

pub(super) fn post(path: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: a.example\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Waits for what comes about in other threads.
#[track_caller]
pub(super) fn eventually(what: impl Fn() -> bool) {
    let begun = Instant::now();
    while !what() {
        assert!(begun.elapsed() < Duration::from_secs(10), "it does not come about");
        std::thread::yield_now();
    }
}

/// One at a time, for tests that measure time: they must not slow each other down.
pub(super) fn alone() -> std::sync::MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
