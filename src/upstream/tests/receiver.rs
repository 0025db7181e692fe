//! A receiver on a raw socket that records what arrives, byte for byte, and fails on demand.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
    sync::Notify,
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

/// One thing that a receiver does with a connection. After the last it closes it.
#[derive(Clone)]
pub(super) enum Act {
    /// Reads and records a whole request.
    Read,
    /// Reads and records a head, leaves the body.
    ReadHead,
    /// Records what one system call reads.
    ReadOnce,
    /// Reads a request and answers with its body.
    Mirror,
    /// Writes.
    Write(Vec<u8>),
    /// Goes on once told to.
    Wait(Arc<Notify>),
    /// Says that it got here.
    Tell(Arc<Notify>),
    /// Reads to the connection's end and says so.
    End(Arc<Notify>),
    /// Does nothing any more, and keeps the connection.
    Stall,
}

pub(super) fn write(text: &str) -> Act {
    Act::Write(text.as_bytes().to_vec())
}

/// Reads a request and answers 200 with these bytes.
pub(super) fn ok(body: &str) -> [Act; 2] {
    let length = body.len();
    [Act::Read, write(&format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}"))]
}

#[derive(Clone, Default)]
struct Seen {
    requests: Arc<Mutex<Vec<Vec<u8>>>>,
    connections: Arc<AtomicUsize>,
}

pub(super) struct Receiver {
    pub(super) address: SocketAddr,
    seen: Seen,
    _tasks: JoinSet<()>,
}

impl Receiver {
    /// Does with every connection what `acts` says; later connections than there are lists of acts
    /// get the last list.
    pub(super) async fn start(acts: impl Into<Vec<Vec<Act>>>) -> Self {
        Self::listen(acts.into(), None).await
    }

    pub(super) async fn start_tls(acts: Vec<Vec<Act>>, tls: TlsAcceptor) -> Self {
        Self::listen(acts, Some(tls)).await
    }

    /// Answers every request on every connection with 200 and this body.
    pub(super) async fn answering(body: &str) -> Self {
        Self::start([vec![ok(body); 100].concat()]).await
    }

    async fn listen(scripts: Vec<Vec<Act>>, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Seen::default();
        let mut tasks = JoinSet::new();
        let ours = seen.clone();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let stream = listener.accept().await.unwrap().0;
                let at = ours.connections.fetch_add(1, Ordering::SeqCst);
                let acts = scripts.get(at).or(scripts.last()).unwrap().clone();
                let (tls, seen) = (tls.clone(), ours.clone());
                connections.spawn(async move {
                    match tls {
                        None => act(stream, &acts, &seen).await,
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => act(stream, &acts, &seen).await,
                            Err(_) => None,
                        },
                    }
                });
            }
        });
        Self { address, seen, _tasks: tasks }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What arrived so far, one text for each request.
    pub(super) fn requests(&self) -> Vec<String> {
        let requests = self.seen.requests.lock().unwrap();
        requests.iter().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect()
    }

    pub(super) fn raw(&self) -> Vec<Vec<u8>> {
        self.seen.requests.lock().unwrap().clone()
    }

    pub(super) fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }
}

/// `None` once the other side is gone.
async fn act(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    acts: &[Act],
    seen: &Seen,
) -> Option<()> {
    for act in acts {
        match act {
            Act::Read => record(seen, read(&mut stream, true).await?),
            Act::ReadHead => record(seen, read(&mut stream, false).await?),
            Act::ReadOnce => {
                let mut buffer = vec![0; 1 << 20];
                let length = stream.read(&mut buffer).await.ok()?;
                buffer.truncate(length);
                record(seen, buffer);
            }
            Act::Mirror => {
                let request = read(&mut stream, true).await?;
                let head = request.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
                let body = &request[head..];
                let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
                stream.write_all(&[answer.as_bytes(), body].concat()).await.ok()?;
            }
            Act::Write(bytes) => {
                stream.write_all(bytes).await.ok()?;
                stream.flush().await.ok()?;
            }
            Act::Wait(gate) => gate.notified().await,
            Act::Tell(gate) => gate.notify_one(),
            Act::End(gate) => {
                while stream.read(&mut [0; 64]).await.is_ok_and(|read| read > 0) {}
                gate.notify_one();
            }
            Act::Stall => std::future::pending().await,
        }
    }
    stream.shutdown().await.ok()
}

fn record(seen: &Seen, request: Vec<u8>) {
    seen.requests.lock().unwrap().push(request);
}

async fn read(stream: &mut (impl AsyncRead + Unpin), whole: bool) -> Option<Vec<u8>> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8_lossy(&request).to_ascii_lowercase();
    assert!(!head.contains("transfer-encoding"), "a forwarded body has a length: {head}");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length = length.map_or(0, |length| length.parse().unwrap());
    if whole {
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.ok()?;
        request.extend(body);
    }
    Some(request)
}
