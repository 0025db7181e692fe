//! A receiver that records every byte and can fail in every way.

use std::{
    collections::VecDeque,
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex},
    time::Duration,
};

use rustls::{ServerConnection, StreamOwned};

use super::{client::Stream, tls::Identity};

/// What the upstream does with one request.
#[derive(Clone, Debug)]
pub enum Act {
    /// Answers with a status and a body.
    Answer(u16, &'static str),
    /// Writes these bytes as they are, and closes.
    Raw(&'static str),
    /// Waits until [`Upstream::open_gate`] is called, then answers 200.
    Gate,
    /// Closes without answering.
    Close,
}

/// One recorded request.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub head: String,
    pub body: Vec<u8>,
}

impl Recorded {
    pub fn header<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.headers(name).next()
    }

    pub fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.head.lines().skip(1).filter_map(move |line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub fn target(&self) -> &str {
        self.head.split(' ').nth(1).unwrap()
    }
}

#[derive(Default)]
struct State {
    requests: Vec<Recorded>,
    acts: VecDeque<Act>,
    gate_open: bool,
    /// What `/healthz` answers; health checks are not recorded.
    unwell: bool,
    checked: usize,
}

/// A recording upstream; ends with the process.
pub struct Upstream {
    pub address: SocketAddr,
    state: Arc<(Mutex<State>, Condvar)>,
}

impl Upstream {
    pub fn start() -> Self {
        Self::start_with(|tcp| tcp)
    }

    /// One that speaks TLS with this certificate.
    pub fn start_tls(identity: &Identity) -> Self {
        let config = identity.server();
        Self::start_with(move |tcp| {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            StreamOwned::new(connection, tcp)
        })
    }

    fn start_with<S: Stream>(wrap: impl Fn(TcpStream) -> S + Clone + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new((Mutex::new(State::default()), Condvar::new()));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (state, wrap) = (Arc::clone(&shared), wrap.clone());
                std::thread::spawn(move || serve(wrap(stream), &state));
            }
        });
        Self { address, state }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What happens to the next requests; afterwards it answers 200.
    pub fn next(&self, acts: impl IntoIterator<Item = Act>) -> &Self {
        self.state.0.lock().unwrap().acts.extend(acts);
        self
    }

    /// Answers 200 from now on.
    pub fn forget(&self) {
        self.state.0.lock().unwrap().acts.clear();
    }

    pub fn open_gate(&self) {
        self.state.0.lock().unwrap().gate_open = true;
        self.state.1.notify_all();
    }

    /// Whether health checks fail from now on.
    pub fn unwell(&self, unwell: bool) {
        self.state.0.lock().unwrap().unwell = unwell;
    }

    /// How many health checks were answered.
    pub fn checked(&self) -> usize {
        self.state.0.lock().unwrap().checked
    }

    pub fn requests(&self) -> Vec<Recorded> {
        self.state.0.lock().unwrap().requests.clone()
    }

    pub fn count(&self) -> usize {
        self.state.0.lock().unwrap().requests.len()
    }

    /// Waits until so many requests have arrived.
    pub fn wait_for(&self, count: usize) {
        let state = self.state.0.lock().unwrap();
        let waited = self
            .state
            .1
            .wait_timeout_while(state, Duration::from_secs(10), |s| s.requests.len() < count)
            .unwrap();
        assert!(!waited.1.timed_out(), "the upstream saw only {}", waited.0.requests.len());
    }

    pub fn last(&self) -> Recorded {
        self.requests().pop().expect("the upstream saw no request")
    }
}

fn serve(mut stream: impl Stream, state: &(Mutex<State>, Condvar)) {
    let mut pending = Vec::new();
    while let Some(recorded) = read_request(&mut stream, &mut pending) {
        let act = {
            let mut guard = state.0.lock().unwrap();
            if recorded.target() == "/healthz" {
                guard.checked += 1;
                Act::Answer(if guard.unwell { 500 } else { 204 }, "")
            } else {
                guard.requests.push(recorded);
                guard.acts.pop_front().unwrap_or(Act::Answer(200, "ok"))
            }
        };
        state.1.notify_all();
        let answer = match act {
            Act::Answer(status, body) => {
                format!(
                    "HTTP/1.1 {status} X\r\nX-From: upstream\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                )
            }
            Act::Raw(bytes) => {
                let _ = stream.write_all(bytes.as_bytes());
                return;
            }
            Act::Gate => {
                let guard = state.0.lock().unwrap();
                let _open = state
                    .1
                    .wait_timeout_while(guard, Duration::from_secs(10), |s| !s.gate_open)
                    .unwrap();
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\ngated".to_owned()
            }
            Act::Close => return,
        };
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

fn read_request(stream: &mut impl Stream, pending: &mut Vec<u8>) -> Option<Recorded> {
    let mut chunk = [0; 65536];
    loop {
        if let Some(end) = pending.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&pending[..end]).into_owned();
            let mut recorded = Recorded { head, body: Vec::new() };
            let length = recorded.header("content-length").map_or(0, |v| v.parse().unwrap());
            while pending.len() < end + 4 + length {
                let n = stream.read(&mut chunk).ok().filter(|n| *n > 0)?;
                pending.extend_from_slice(&chunk[..n]);
            }
            recorded.body = pending[end + 4..end + 4 + length].to_vec();
            pending.drain(..end + 4 + length);
            return Some(recorded);
        }
        let n = stream.read(&mut chunk).ok().filter(|n| *n > 0)?;
        pending.extend_from_slice(&chunk[..n]);
    }
}
