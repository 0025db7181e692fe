//! A client that writes exactly the bytes it is given.

use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    time::Duration,
};

/// A raw connection, or one inside TLS.
pub struct Client {
    stream: Box<dyn Stream>,
    tcp: TcpStream,
    pending: Vec<u8>,
}

pub trait Stream: Read + Write + Send {}

impl<S: Read + Write + Send> Stream for S {}

/// One response.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    /// The problem's or acknowledgement's code.
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}

impl Client {
    pub fn connect(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).unwrap())
    }

    fn over(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream.set_nodelay(true).unwrap();
        let tcp = stream.try_clone().unwrap();
        Self { stream: Box::new(stream), tcp, pending: Vec::new() }
    }

    /// The same over what `wrap` makes of the connection.
    pub fn wrapped<S: Stream + 'static>(self, wrap: impl FnOnce(TcpStream) -> S) -> Self {
        let stream = Box::new(wrap(self.tcp.try_clone().unwrap()));
        Self { stream, ..self }
    }

    /// Writes as much as the other side takes; a closed connection is not an error here.
    pub fn write(&mut self, bytes: &[u8]) -> &mut Self {
        let _ = self.stream.write_all(bytes);
        self
    }

    pub fn finish_writing(&mut self) -> &mut Self {
        let _ = self.tcp.shutdown(Shutdown::Write);
        self
    }

    /// The next response; `None` if the connection ends before one.
    pub fn read(&mut self) -> Option<Answer> {
        loop {
            let end = loop {
                if let Some(at) = find(&self.pending, b"\r\n\r\n") {
                    break at;
                }
                if !self.more() {
                    return None;
                }
            };
            let head = String::from_utf8_lossy(&self.pending[..end]).into_owned();
            self.pending.drain(..end + 4);
            let status = head.split(' ').nth(1)?.parse().ok()?;
            let mut answer = Answer { status, head, body: Vec::new() };
            if (100..200).contains(&status) {
                continue;
            }
            let length = answer.header("content-length").and_then(|v| v.parse::<usize>().ok());
            if answer.header("transfer-encoding").is_some() {
                answer.body = self.chunked();
            } else if let Some(length) = length {
                while self.pending.len() < length && self.more() {}
                let take = length.min(self.pending.len());
                answer.body = self.pending.drain(..take).collect();
            }
            return Some(answer);
        }
    }

    /// The first line of the next head, an interim one too; its body is left alone.
    pub fn read_head(&mut self) -> Option<String> {
        while find(&self.pending, b"\r\n\r\n").is_none() {
            if !self.more() {
                return None;
            }
        }
        let end = find(&self.pending, b"\r\n\r\n")?;
        let head: Vec<_> = self.pending.drain(..end + 4).collect();
        String::from_utf8_lossy(&head).lines().next().map(str::to_owned)
    }

    fn chunked(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let line = loop {
                if let Some(at) = find(&self.pending, b"\r\n") {
                    break at;
                }
                if !self.more() {
                    return body;
                }
            };
            let size = String::from_utf8_lossy(&self.pending[..line]).into_owned();
            let size = usize::from_str_radix(size.split(';').next().unwrap().trim(), 16).unwrap();
            self.pending.drain(..line + 2);
            while self.pending.len() < size + 2 && self.more() {}
            if self.pending.len() < size + 2 {
                return body;
            }
            body.extend(self.pending.drain(..size));
            self.pending.drain(..2);
            if size == 0 {
                return body;
            }
        }
    }

    fn more(&mut self) -> bool {
        let mut chunk = [0; 16384];
        match self.stream.read(&mut chunk) {
            Ok(0) | Err(_) => false,
            Ok(n) => {
                self.pending.extend_from_slice(&chunk[..n]);
                true
            }
        }
    }

    /// Whether the other side closes without sending anything more.
    pub fn is_closed(&mut self) -> bool {
        self.pending.is_empty() && !self.more()
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

/// The bytes of a request; `Host` and `Content-Length` are added.
pub fn request(method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut bytes =
        format!("{method} {target} HTTP/1.1\r\nHost: hooks.example.com\r\n").into_bytes();
    for (name, value) in headers {
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    bytes.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
    bytes.extend_from_slice(body);
    bytes
}
