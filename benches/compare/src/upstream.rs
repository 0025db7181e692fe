//! The receiver behind the gateways: answers 200, counts, and on request verifies what got through.

use std::{
    collections::{HashMap, HashSet},
    io::{self, ErrorKind, Read, Write},
    net::SocketAddr,
};

use hmac::{Hmac, KeyInit, Mac};
use mio::{
    Events, Interest, Poll, Token,
    net::{TcpListener, TcpStream},
};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::{
    http::{Answer, body_length, field, head_length},
    message::secret,
};

/// What came through.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub struct Stats {
    /// Requests with a whole body.
    pub requests: u64,
    /// Of them, those whose signature does not fit the body; only where it verifies.
    pub bad_signatures: u64,
    /// Of them, those whose body was there before; only where it verifies.
    pub repeats: u64,
}

/// A listener and its connections.
#[derive(Debug)]
pub struct Upstream {
    listener: TcpListener,
    address: SocketAddr,
    judge: Judge,
    connections: HashMap<Token, Connection>,
    next: usize,
    buffer: Vec<u8>,
}

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    /// Bytes of a request that is not whole yet: its head, and its body where it is verified.
    kept: Vec<u8>,
    /// Body bytes still to come that nobody looks at.
    to_skip: usize,
}

#[derive(Debug)]
struct Judge {
    verify: bool,
    stats: Stats,
    bodies: HashSet<[u8; 32]>,
}

impl Upstream {
    /// Listens; with `verify` it judges every body, which is too dear for a measurement.
    ///
    /// # Errors
    ///
    /// The address is taken.
    pub fn bind(address: SocketAddr, verify: bool) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let judge = Judge { verify, stats: Stats::default(), bodies: HashSet::new() };
        Ok(Self {
            listener: TcpListener::from_std(listener),
            address,
            judge,
            connections: HashMap::new(),
            next: 0,
            buffer: vec![0; 512 * 1024],
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the process ends.
    ///
    /// # Errors
    ///
    /// No epoll.
    pub fn run(mut self) -> io::Result<()> {
        let mut poll = Poll::new()?;
        poll.registry().register(&mut self.listener, LISTENER, Interest::READABLE)?;
        let mut events = Events::with_capacity(256);
        loop {
            poll.poll(&mut events, None)?;
            for event in &events {
                if event.token() == LISTENER {
                    self.accept(&poll)?;
                } else if self.serve(event.token()).is_err() {
                    self.connections.remove(&event.token());
                }
            }
        }
    }

    fn accept(&mut self, poll: &Poll) -> io::Result<()> {
        loop {
            match self.listener.accept() {
                Ok((mut stream, _)) => {
                    let token = Token(self.next);
                    self.next += 1;
                    stream.set_nodelay(true)?;
                    poll.registry().register(&mut stream, token, Interest::READABLE)?;
                    let connection = Connection { stream, kept: Vec::new(), to_skip: 0 };
                    self.connections.insert(token, connection);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                // Out of descriptors, or gone again: those that are open go on.
                Err(_) => return Ok(()),
            }
        }
    }

    /// Reads what is there and answers each request that is whole. An error ends the connection.
    fn serve(&mut self, token: Token) -> io::Result<()> {
        let Some(connection) = self.connections.get_mut(&token) else { return Ok(()) };
        loop {
            let read = match connection.stream.read(&mut self.buffer) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            let fresh = self.buffer.get(..read).unwrap_or_default();
            if connection.take(fresh, &mut self.judge)? && read < self.buffer.len() {
                return Ok(());
            }
        }
    }
}

impl Connection {
    /// Takes in what was read: whether no request is open any more.
    fn take(&mut self, fresh: &[u8], judge: &mut Judge) -> io::Result<bool> {
        let (skipped, mut rest) = fresh.split_at(self.to_skip.min(fresh.len()));
        if self.to_skip > 0 {
            self.to_skip -= skipped.len();
            if self.to_skip > 0 {
                return Ok(false);
            }
            judge.stats.requests += 1;
            self.stream.write_all(ANSWER)?;
        }
        let kept = std::mem::take(&mut self.kept);
        let joined;
        if !kept.is_empty() {
            joined = [&kept, rest].concat();
            rest = &joined;
        }
        while let Some(length) = head_length(rest) {
            let (head, after) = rest.split_at(length);
            let body = body_length(head).map_err(io::Error::other)?;
            if after.len() < body && !judge.verify {
                self.to_skip = body - after.len();
                return Ok(false);
            }
            let Some((body, after)) = after.split_at_checked(body) else { break };
            let asked = head.starts_with(STATS);
            let answer = if asked { judge.report() } else { judge.count(head, body) };
            self.stream.write_all(&answer)?;
            rest = after;
        }
        self.kept = rest.to_vec();
        Ok(rest.is_empty())
    }
}

impl Judge {
    fn count(&mut self, head: &[u8], body: &[u8]) -> std::borrow::Cow<'static, [u8]> {
        self.stats.requests += 1;
        if self.verify {
            let key = secret(0, 0);
            let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes());
            let mac = mac.expect("HMAC takes keys of any length").chain_update(body);
            let mac = mac.finalize().into_bytes();
            let written = field(head, b"x-hub-signature-256").unwrap_or_default();
            let fits = written == format!("sha256={}", hex::encode(mac)).as_bytes();
            self.stats.bad_signatures += u64::from(!fits);
            self.stats.repeats += u64::from(!self.bodies.insert(mac.into()));
        }
        ANSWER.into()
    }

    fn report(&self) -> std::borrow::Cow<'static, [u8]> {
        let body = serde_json::to_string(&self.stats).unwrap_or_default();
        let length = body.len();
        format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes().into()
    }
}

/// Asks an upstream what came through.
///
/// # Errors
///
/// Nobody there, or nobody who counts.
pub fn stats(address: SocketAddr) -> io::Result<Stats> {
    let mut stream = std::net::TcpStream::connect(address)?;
    stream.write_all(STATS)?;
    stream.write_all(b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")?;
    let (mut answer, mut buffer) = (Vec::new(), [0; 1024]);
    loop {
        let read = stream.read(&mut buffer)?;
        answer.extend_from_slice(buffer.get(..read).unwrap_or_default());
        match Answer::parse(&answer).map_err(io::Error::other)? {
            Some(whole) if answer.len() >= whole.length => break,
            _ if read == 0 => return Err(ErrorKind::UnexpectedEof.into()),
            _ => {}
        }
    }
    let head = head_length(&answer).unwrap_or_default();
    serde_json::from_slice(answer.get(head..).unwrap_or_default()).map_err(io::Error::other)
}

const LISTENER: Token = Token(usize::MAX - 1);
const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
const STATS: &[u8] = b"GET /stats";
