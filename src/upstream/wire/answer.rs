//! The head of a receiver's answer.

use std::mem::MaybeUninit;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header, response::Parts};
use httparse::{ParserConfig, Status};
use hyper::ext::ReasonPhrase;

use super::framing::Framing;

/// The longest head of an answer, in bytes.
pub(super) const MAX_HEAD: usize = 64 * 1024;
/// The most fields of an answer.
const MAX_FIELDS: usize = 100;
/// No body is longer, in bytes.
const MAX_LENGTH: u64 = u64::MAX >> 1;

/// An answer's head, and what it says of the connection.
#[derive(Debug)]
pub(in super::super) struct Head {
    /// Status and fields, as they came.
    pub(in super::super) parts: Parts,
    pub(in super::super) framing: Framing,
    /// Whether the connection may be used again once the body was read.
    pub(in super::super) persists: bool,
}

/// Why bytes are no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(in super::super) enum BadAnswer {
    #[error("what it answered is not HTTP: {0}")]
    Syntax(httparse::Error),
    #[error("the head of its answer is larger than {MAX_HEAD} bytes")]
    TooLarge,
    #[error("its answer has a Content-Length that is no length, or two that differ")]
    Length,
    #[error("its answer has a Transfer-Encoding that is no text, or is of HTTP/1.0")]
    Coding,
    #[error("it switched protocols unasked")]
    Switched,
}

/// Reads the head that these bytes begin with, and how long it is; nothing if it is not whole.
/// Interim answers are passed over; all of them together may have [`MAX_HEAD`] bytes, too.
///
/// # Errors
///
/// If these bytes are, or can become, no answer.
pub(super) fn read(bytes: &Bytes, to_head: bool) -> Result<Option<(usize, Head)>, BadAnswer> {
    let mut at = 0;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let mut fields = [const { MaybeUninit::uninit() }; MAX_FIELDS];
        let mut response = httparse::Response::new(&mut []);
        let parsed = ParserConfig::default()
            .parse_response_with_uninit_headers(&mut response, rest, &mut fields)
            .map_err(BadAnswer::Syntax)?;
        let Status::Complete(length) = parsed else {
            return if rest.len() > MAX_HEAD { Err(BadAnswer::TooLarge) } else { Ok(None) };
        };
        if length > MAX_HEAD {
            return Err(BadAnswer::TooLarge);
        }
        at += length;
        match response.code {
            Some(101) => return Err(BadAnswer::Switched),
            Some(100..200) if at > MAX_HEAD => return Err(BadAnswer::TooLarge),
            Some(100..200) => {}
            _ => return Ok(Some((at, head(bytes, &response, to_head)?))),
        }
    }
}

fn head(
    bytes: &Bytes,
    response: &httparse::Response<'_, '_>,
    to_head: bool,
) -> Result<Head, BadAnswer> {
    let (mut parts, ()) = Response::new(()).into_parts();
    let status = StatusCode::from_u16(response.code.unwrap_or_default());
    parts.status = status.map_err(|_| BadAnswer::Syntax(httparse::Error::Status))?;
    let said = response.reason.unwrap_or_default();
    if parts.status.canonical_reason() != Some(said)
        && let Ok(reason) = ReasonPhrase::try_from(said.as_bytes())
    {
        parts.extensions.insert(reason);
    }
    // And two of our own.
    parts.headers.reserve(response.headers.len() + 2);
    let mut said = Said::default();
    for field in &*response.headers {
        let name = HeaderName::from_bytes(field.name.as_bytes());
        let value = HeaderValue::from_maybe_shared(bytes.slice_ref(field.value));
        let (Ok(name), Ok(value)) = (name, value) else {
            return Err(BadAnswer::Syntax(httparse::Error::HeaderValue));
        };
        said.hear(&name, value.as_bytes())?;
        parts.headers.append(name, value);
    }
    let is_11 = response.version == Some(1);
    let framing = said.framing(parts.status, to_head, is_11)?;
    let persists = said.persists(is_11);
    Ok(Head { parts, framing, persists })
}

/// What the fields say of the body's end and the connection's.
#[derive(Default)]
struct Said {
    length: Option<u64>,
    coding: Option<Coding>,
    close: bool,
    keep_alive: bool,
}

/// The last transfer coding.
#[derive(Clone, Copy)]
enum Coding {
    Chunked,
    Other,
    /// What it is others may read otherwise.
    Unclear,
}

impl Said {
    fn hear(&mut self, name: &HeaderName, value: &[u8]) -> Result<(), BadAnswer> {
        let items = || value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        if *name == header::CONTENT_LENGTH {
            for item in items() {
                // Saying it several times is saying it once.
                let length = length(item)?;
                if self.length.replace(length).is_some_and(|other| other != length) {
                    return Err(BadAnswer::Length);
                }
            }
        } else if *name == header::TRANSFER_ENCODING {
            let last = items().next_back().unwrap_or_default();
            self.coding = Some(match last.eq_ignore_ascii_case(b"chunked") {
                _ if !value.is_ascii() => Coding::Unclear,
                true => Coding::Chunked,
                false => Coding::Other,
            });
        } else if *name == header::CONNECTION {
            for option in items() {
                self.close |= option.eq_ignore_ascii_case(b"close");
                // Only where the whole of it is text: what others may not see must not be relied on.
                self.keep_alive |= value.is_ascii() && option.eq_ignore_ascii_case(b"keep-alive");
            }
        }
        Ok(())
    }

    fn framing(
        &self,
        status: StatusCode,
        to_head: bool,
        is_11: bool,
    ) -> Result<Framing, BadAnswer> {
        if to_head || status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED {
            return Ok(Framing::EMPTY);
        }
        match (self.coding, self.length) {
            // HTTP/1.0 has no such field (RFC 9112 section 6.1).
            (Some(_), _) if !is_11 => Err(BadAnswer::Coding),
            (Some(Coding::Unclear), _) => Err(BadAnswer::Coding),
            (Some(Coding::Chunked), _) => Ok(Framing::CHUNKED),
            (None, Some(length)) => Ok(Framing::length(length)),
            (Some(Coding::Other), _) | (None, None) => Ok(Framing::UNTIL_CLOSE),
        }
    }

    /// Connections of HTTP/1.1 persist unless they say otherwise, older ones only if they say so.
    const fn persists(&self, is_11: bool) -> bool {
        (is_11 || self.keep_alive) && !self.close
    }
}

fn length(digits: &[u8]) -> Result<u64, BadAnswer> {
    let text = std::str::from_utf8(digits).map_err(|_| BadAnswer::Length)?;
    if text.starts_with('+') {
        return Err(BadAnswer::Length);
    }
    text.parse().ok().filter(|length| *length <= MAX_LENGTH).ok_or(BadAnswer::Length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Option<(usize, Head)>, BadAnswer> {
        read(&Bytes::copy_from_slice(text.as_bytes()), false)
    }

    fn framed(status: u16, fields: &str) -> Result<(Framing, bool), BadAnswer> {
        let text = format!("HTTP/1.1 {status} Any\r\n{fields}\r\n");
        of(&text).map(|whole| {
            let (length, head) = whole.expect("whole");
            assert_eq!(length, text.len());
            (head.framing, head.persists)
        })
    }

    #[test]
    fn a_body_ends_where_the_standard_says() {
        for (status, fields, framing, persists) in [
            (200, "Content-Length: 12\r\n", Framing::length(12), true),
            (200, "Content-Length: 12\r\ncontent-length: 12\r\n", Framing::length(12), true),
            (200, "Content-Length: 3, 3\r\n", Framing::length(3), true),
            (200, "", Framing::UNTIL_CLOSE, true),
            (204, "Content-Length: 5\r\n", Framing::EMPTY, true),
            (304, "Content-Length: 5\r\n", Framing::EMPTY, true),
            (200, "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n", Framing::CHUNKED, true),
            (200, "Transfer-Encoding: gzip, Chunked\r\n", Framing::CHUNKED, true),
            (200, "Transfer-Encoding: gzip\r\n", Framing::UNTIL_CLOSE, true),
            (200, "Connection: x, Close\r\nContent-Length: 1\r\n", Framing::length(1), false),
        ] {
            assert_eq!(framed(status, fields), Ok((framing, persists)), "{status} {fields:?}");
        }
        let to_head = Bytes::from_static(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
        assert_eq!(read(&to_head, true).unwrap().unwrap().1.framing, Framing::EMPTY);
    }

    #[test]
    fn old_connections_persist_only_if_they_say_so() {
        let persists = |fields: &str| {
            of(&format!("HTTP/1.0 200 OK\r\n{fields}\r\n")).unwrap().unwrap().1.persists
        };
        assert!(!persists(""));
        assert!(persists("Connection: Keep-Alive\r\n"));
        assert!(!persists("Connection: keep-alive, close\r\n"));
        assert!(!persists("Connection: keep-alive, \u{e9}\r\n"));
    }

    #[test]
    fn lengths_that_are_none_or_differ_are_refused() {
        for bad in [
            "x",
            "",
            "+1",
            "-1",
            "1 2",
            "0x1",
            "1, 2",
            "99999999999999999999",
            "9223372036854775808",
            "1,",
        ] {
            let verdict = framed(200, &format!("Content-Length: {bad}\r\n"));
            assert_eq!(verdict, Err(BadAnswer::Length), "{bad:?}");
        }
        let verdict = framed(200, "Content-Length: 1\r\nContent-Length: 2\r\n");
        assert_eq!(verdict, Err(BadAnswer::Length));
    }

    #[test]
    fn codings_that_others_may_read_otherwise_are_refused() {
        for fields in ["chunked", "", "gzip"] {
            let old = format!("HTTP/1.0 200 OK\r\nTransfer-Encoding: {fields}\r\n\r\n");
            assert_eq!(of(&old).unwrap_err(), BadAnswer::Coding, "{fields}");
        }
        let verdict = framed(200, "Transfer-Encoding: \u{e9}, chunked\r\n");
        assert_eq!(verdict, Err(BadAnswer::Coding));
        // Of what has no body nobody asks for its coding.
        assert_eq!(framed(304, "Transfer-Encoding: \u{e9}\r\n"), Ok((Framing::EMPTY, true)));
    }

    #[test]
    fn interim_answers_have_an_end() {
        let interim = "HTTP/1.1 100 Continue\r\n\r\n".repeat(MAX_HEAD / 25 + 1);
        assert_eq!(of(&interim).unwrap_err(), BadAnswer::TooLarge);
    }

    #[test]
    fn interim_answers_are_passed_over_and_pieces_waited_for() {
        let text = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n\
                    HTTP/1.1 201 Made So\r\nA: b\r\n\r\n";
        for cut in 0..text.len() {
            assert!(of(text.get(..cut).unwrap()).unwrap().is_none(), "{cut}");
        }
        let (length, head) = of(text).unwrap().unwrap();
        assert_eq!((length, head.parts.status.as_u16()), (text.len(), 201));
        assert_eq!(head.parts.headers["a"], "b");
        assert_eq!(head.parts.extensions.get::<ReasonPhrase>().unwrap().as_bytes(), b"Made So");
        let switched = of("HTTP/1.1 101 Switching Protocols\r\n\r\n");
        assert_eq!(switched.unwrap_err(), BadAnswer::Switched);
    }

    #[test]
    fn a_head_has_its_limits() {
        let long = format!("HTTP/1.1 200 OK\r\nX: {}", "a".repeat(MAX_HEAD));
        assert_eq!(of(&long).unwrap_err(), BadAnswer::TooLarge);
        assert_eq!(of(&format!("{long}\r\n\r\n")).unwrap_err(), BadAnswer::TooLarge);
        let many = |count| format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(count));
        assert!(of(&many(MAX_FIELDS)).is_ok());
        let too_many = of(&many(MAX_FIELDS + 1)).unwrap_err();
        assert_eq!(too_many, BadAnswer::Syntax(httparse::Error::TooManyHeaders));
    }
}
