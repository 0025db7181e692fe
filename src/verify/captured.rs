//! A request as somebody saved it: raw HTTP/1.1, or one line of the vector format.

use std::{fmt, net::IpAddr};

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};

use super::Head;
use crate::clock::UnixMs;

/// A saved request.
#[derive(Clone, Debug)]
pub struct Captured {
    /// The method.
    pub method: Method,
    /// Path and query, as they would be received.
    pub uri: Uri,
    /// The headers; `Host` is there where the URL or the capture has it.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
    /// When it was received, where the capture says so.
    pub at: Option<UnixMs>,
    /// The whole URL, where the capture has it.
    url: Option<String>,
}

/// Why a saved request cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadCapture {
    /// The body is not in standard base64.
    #[error("body_b64 is not base64")]
    Body,
    /// It says that it is chunked; the chunks' frames are not part of the body.
    #[error("the body is chunked: save it decoded, without Transfer-Encoding")]
    Chunked,
    /// A header that cannot be one.
    #[error("`{0}` is no header line")]
    Header(String),
    /// The JSON is not a line of the vector format.
    #[error("not a line of the vector format: {0}")]
    Json(String),
    /// There is no blank line.
    #[error("no blank line ends the head")]
    NoHead,
    /// The first line is not `METHOD target HTTP/1.1`.
    #[error("the first line is no HTTP/1.1 request line")]
    RequestLine,
    /// The body is shorter than its `Content-Length`.
    #[error("the body has {is} bytes and Content-Length says {says}")]
    Short {
        /// Bytes there are.
        is: usize,
        /// Bytes there should be.
        says: usize,
    },
    /// The URL cannot be read.
    #[error("`{0}` is no URL")]
    Url(String),
}

/// The members of a vector line that make up the request.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct RawRequest {
    pub(super) method: String,
    pub(super) url: String,
    #[serde(default)]
    pub(super) headers: Lines,
    #[serde(default)]
    pub(super) body_b64: String,
    pub(super) now: Option<i64>,
}

/// Header lines as they are written: a name that is there twice stays there twice.
#[derive(Clone, Debug, Default)]
pub(super) struct Lines(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Lines {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Lines;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of headers")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Lines, A::Error> {
                let mut lines = Vec::new();
                while let Some(line) = map.next_entry()? {
                    lines.push(line);
                }
                Ok(Lines(lines))
            }
        }

        deserializer.deserialize_map(Collect)
    }
}

impl Captured {
    /// What the engine looks at besides the body.
    pub const fn head(&self) -> Head<'_> {
        Head { method: &self.method, uri: &self.uri, headers: &self.headers }
    }

    /// The URL that it was sent to, as far as can be told: over HTTPS unless it says otherwise or
    /// went to this machine, as what `hookward sign` makes does.
    pub fn url(&self) -> String {
        let host = self.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let target = self.head().target();
        match &self.url {
            Some(url) => url.clone(),
            None => {
                let host = host.unwrap_or("localhost");
                let scheme = if is_loopback(host) { "http" } else { "https" };
                format!("{scheme}://{host}{target}")
            }
        }
    }

    /// Reads one line of the vector format; members that are no part of the request are ignored.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn from_json(line: &str) -> Result<Self, BadCapture> {
        let raw = serde_json::from_str(line).map_err(|e| BadCapture::Json(e.to_string()))?;
        Self::from_raw(&raw)
    }

    pub(super) fn from_raw(raw: &RawRequest) -> Result<Self, BadCapture> {
        let method = raw.method.parse().map_err(|_| BadCapture::RequestLine)?;
        let url = || BadCapture::Url(raw.url.clone());
        let whole: Uri = raw.url.parse().map_err(|_| url())?;
        let target = whole.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let uri = target.parse().map_err(|_| url())?;
        let mut headers = HeaderMap::new();
        for (name, value) in &raw.headers.0 {
            add(&mut headers, name, value.as_bytes())?;
        }
        if let (Some(authority), false) = (whole.authority(), headers.contains_key(header::HOST)) {
            add(&mut headers, "host", authority.as_str().as_bytes())?;
        }
        let body = BASE64_STANDARD.decode(&raw.body_b64).map_err(|_| BadCapture::Body)?;
        let (at, url) = (raw.now.map(UnixMs::from_secs), Some(raw.url.clone()));
        Ok(Self { method, uri, headers, body, at, url })
    }

    /// Reads a raw HTTP/1.1 request; lines may end in LF alone. With a `Content-Length`, bytes
    /// beyond it (an editor's last newline) are no part of the body.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn from_http(bytes: &[u8]) -> Result<Self, BadCapture> {
        let (head, mut body) = split_head(bytes).ok_or(BadCapture::NoHead)?;
        let mut lines = head.split(|b| *b == b'\n').map(|l| l.strip_suffix(b"\r").unwrap_or(l));
        let first = std::str::from_utf8(lines.next().unwrap_or_default())
            .map_err(|_| BadCapture::RequestLine)?;
        let [method, target, version] = first.split(' ').collect::<Vec<_>>()[..] else {
            return Err(BadCapture::RequestLine);
        };
        if !version.starts_with("HTTP/") {
            return Err(BadCapture::RequestLine);
        }
        let method = method.parse().map_err(|_| BadCapture::RequestLine)?;
        let whole: Uri = target.parse().map_err(|_| BadCapture::Url(target.to_owned()))?;
        let mut headers = HeaderMap::new();
        for line in lines {
            let text = || BadCapture::Header(String::from_utf8_lossy(line).into_owned());
            let at = memchr::memchr(b':', line).ok_or_else(text)?;
            let (name, value) = line.split_at_checked(at).ok_or_else(text)?;
            let name = std::str::from_utf8(name).map_err(|_| text())?;
            add(&mut headers, name, value.get(1..).unwrap_or_default().trim_ascii())?;
        }
        let target = whole.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let uri = target.parse().map_err(|_| BadCapture::Url(target.to_owned()))?;
        if headers.contains_key(header::TRANSFER_ENCODING) {
            return Err(BadCapture::Chunked);
        }
        let length = headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok());
        if let Some(says) = length.and_then(|l| l.parse::<usize>().ok()) {
            body = body.get(..says).ok_or(BadCapture::Short { is: body.len(), says })?;
        }
        Ok(Self { method, uri, headers, body: body.to_vec(), at: None, url: None })
    }
}

/// Whether `host`, with or without a port, is this machine.
fn is_loopback(host: &str) -> bool {
    let name = host.parse::<http::uri::Authority>();
    let name = name.as_ref().map_or(host, |authority| authority.host());
    let ip = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    name.eq_ignore_ascii_case("localhost") || ip.is_ok_and(|ip| ip.is_loopback())
}

/// Head without its blank line, and body.
fn split_head(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let crlf = memchr::memmem::find(bytes, b"\r\n\r\n").map(|at| (at, 4));
    let lf = memchr::memmem::find(bytes, b"\n\n").map(|at| (at, 2));
    let (at, len) = match (crlf, lf) {
        (Some(a), Some(b)) => a.min(b),
        (a, b) => a.or(b)?,
    };
    Some((bytes.get(..at)?, bytes.get(at + len..)?))
}

fn add(headers: &mut HeaderMap, name: &str, value: &[u8]) -> Result<(), BadCapture> {
    let line = || BadCapture::Header(name.to_owned());
    let name = HeaderName::try_from(name).map_err(|_| line())?;
    let value = HeaderValue::from_bytes(value).map_err(|_| line())?;
    headers.append(name, value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_http_with_either_line_ending() {
        for end in ["\r\n", "\n"] {
            let text = ["POST /a?b=1 HTTP/1.1", "Host: h", "X-A:  v ", "Content-Length: 3", "", ""]
                .join(end);
            let captured = Captured::from_http(format!("{text}a\n\n\n").as_bytes()).unwrap();
            assert_eq!(captured.body, b"a\n\n");
            assert_eq!(captured.headers["x-a"], "v");
            assert_eq!(captured.uri, "/a?b=1");
        }
    }

    #[test]
    fn a_capture_without_a_url_was_sent_over_https_unless_it_stayed_here() {
        let url = |host: &str| {
            let text = format!("POST /a?b=1 HTTP/1.1\nHost: {host}\n\n");
            Captured::from_http(text.as_bytes()).unwrap().url()
        };
        assert_eq!(url("h.example"), "https://h.example/a?b=1");
        assert_eq!(url("127.0.0.1.example:8080"), "https://127.0.0.1.example:8080/a?b=1");
        for here in ["127.0.0.1:8080", "localhost", "LocalHost:1", "[::1]:8080"] {
            assert_eq!(url(here), format!("http://{here}/a?b=1"));
        }
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let http = |text: &str| Captured::from_http(text.as_bytes()).unwrap_err();
        assert_eq!(http("POST / HTTP/1.1\r\n"), BadCapture::NoHead);
        assert_eq!(http("POST /\n\n"), BadCapture::RequestLine);
        assert_eq!(http("POST / HTTP/1.1\nx y\n\n"), BadCapture::Header("x y".into()));
        assert_eq!(http("POST / HTTP/1.1\nTransfer-Encoding: chunked\n\n"), BadCapture::Chunked);
        assert_eq!(
            http("POST / HTTP/1.1\nContent-Length: 2\n\nx"),
            BadCapture::Short { is: 1, says: 2 }
        );
        assert!(matches!(Captured::from_json("{}"), Err(BadCapture::Json(_))));
    }

    #[test]
    fn a_vector_line_has_the_host_of_its_url() {
        let line = r#"{"method":"POST","url":"https://h:8/p?q","body_b64":"YQ==","now":5}"#;
        let captured = Captured::from_json(line).unwrap();
        assert_eq!(captured.headers["host"], "h:8");
        assert_eq!((captured.body.as_slice(), captured.at), (&b"a"[..], Some(UnixMs(5000))));
    }

    #[test]
    fn a_header_that_a_vector_line_has_twice_is_there_twice() {
        let line =
            r#"{"method":"POST","url":"https://h/","headers":{"X-A":"1","X-A":"2","x-a":"3"}}"#;
        let captured = Captured::from_json(line).unwrap();
        assert_eq!(captured.headers.get_all("x-a").iter().collect::<Vec<_>>(), ["1", "2", "3"]);
    }
}
