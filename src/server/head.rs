//! Judges an HTTP/1 request head on its bytes, more strictly than the HTTP library does.
//!
//! What passes here has one meaning only: whatever stands before or behind the gateway frames it and
//! routes it the same way.

use memchr::memchr;

use super::{
    fault::HeadFault,
    request_line::{RequestLine, is_token, request_line},
};
use crate::net::host::is_host;

/// How a request's body is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// By a length; 0 without `Content-Length`.
    Length(u64),
    /// By chunks.
    Chunked,
}

/// As many header lines as hyper takes without allocating for them; it refuses more.
const MAX_LINES: usize = 100;
/// No name in use comes near; hyper's own limit is 64 KiB.
const MAX_NAME: usize = 256;
/// Blank lines that may stand before a request, left over from a careless sender's last body.
const MAX_BLANK: usize = 4;

/// Where a head ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Behind this many bytes, the first of which belong to blank lines.
    Complete {
        /// Bytes of blank lines before the head.
        blank: usize,
        /// Bytes of blank lines and head.
        end: usize,
    },
    /// Not in these bytes.
    Partial,
}

/// Looks for the end of the head that begins with `bytes`, the first `searched` of which hold none.
pub(super) fn find(bytes: &[u8], searched: usize) -> Result<Found, HeadFault> {
    let blank = bytes.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
    if blank > MAX_BLANK {
        return Err(HeadFault::RequestLine);
    }
    if blank == bytes.len() {
        return if b"\r\n\r\n".starts_with(bytes) {
            Ok(Found::Partial)
        } else {
            Err(HeadFault::Control)
        };
    }
    if !matches!(bytes.get(..blank), Some(b"" | b"\r\n" | b"\r\n\r\n")) {
        return Err(HeadFault::Control);
    }
    let mut from = searched.max(blank);
    while let Some(at) = memchr(b'\n', bytes.get(from..).unwrap_or_default()) {
        let (line, _) = bytes.split_at_checked(from + at).unwrap_or_default();
        if !line.ends_with(b"\r") {
            return Err(HeadFault::Control);
        }
        from += at + 1;
        if line.ends_with(b"\r\n\r") {
            return Ok(Found::Complete { blank, end: from });
        }
    }
    Ok(Found::Partial)
}

/// Judges bytes as the guard of a connection does; whether they begin with a whole head.
///
/// # Errors
///
/// Why the connection would be closed.
pub fn judge_head(bytes: &[u8]) -> Result<bool, HeadFault> {
    match find(bytes, 0)? {
        Found::Complete { blank, end } => {
            judge(bytes.get(blank..end).unwrap_or_default()).map(|_| true)
        }
        Found::Partial => Ok(false),
    }
}

/// Judges a complete head: request line, header lines and the blank line that ends them.
pub(super) fn judge(head: &[u8]) -> Result<Framing, HeadFault> {
    judge_each(head, &mut ()).map(|passed| passed.framing)
}

/// Who is shown the header lines of a head as they are met. What is shown is of use only once the
/// whole head has passed.
pub(super) trait Reader<'a> {
    /// The name that the next line probably has: one that was shown before, or nothing. Comparing
    /// with it is cheaper than judging a name byte by byte.
    fn expected(&self) -> &[u8];
    /// A line's name, and its value without the white space around it.
    fn field(&mut self, name: &'a [u8], value: &'a [u8]);
}

impl Reader<'_> for () {
    fn expected(&self) -> &[u8] {
        &[]
    }

    fn field(&mut self, _: &[u8], _: &[u8]) {}
}

/// A head that passed.
pub(super) struct Passed<'a> {
    pub(super) line: RequestLine<'a>,
    pub(super) framing: Framing,
}

/// The same for somebody who reads along.
pub(super) fn judge_each<'a>(
    head: &'a [u8],
    reader: &mut impl Reader<'a>,
) -> Result<Passed<'a>, HeadFault> {
    let (line, mut rest) = first_line(head)?;
    let request = request_line(line)?;
    let mut fields = Fields::default();
    let mut lines = 0;
    loop {
        let (line, after) = first_line(rest)?;
        if line.is_empty() {
            break;
        }
        lines += 1;
        rest = after;
        let (name, value) = fields.read(line, reader.expected())?;
        reader.field(name, value);
    }
    if lines > MAX_LINES {
        return Err(HeadFault::TooManyLines);
    }
    // Two for the end of each header line, of the request line and of the blank one: any other
    // control character is one too many. One pass over all bytes beats one over every value.
    if controls(head) != 2 * (lines + 2) {
        return Err(HeadFault::Control);
    }
    let framing = fields.judge(&request)?;
    Ok(Passed { line: request, framing })
}

fn first_line(bytes: &[u8]) -> Result<(&[u8], &[u8]), HeadFault> {
    let end = memchr(b'\n', bytes).ok_or(HeadFault::Control)?;
    let (line, rest) = bytes.split_at_checked(end).ok_or(HeadFault::Control)?;
    let line = line.strip_suffix(b"\r").ok_or(HeadFault::Control)?;
    Ok((line, rest.get(1..).unwrap_or_default()))
}

/// Counts control characters other than TAB. Without a branch, so that it is vectorised.
fn controls(bytes: &[u8]) -> usize {
    // Blocks of at most 255 let the compiler count in bytes.
    let count = |block: &[u8]| {
        block.iter().map(|b| u8::from((*b < 0x20 && *b != b'\t') || *b == 0x7f)).sum::<u8>()
    };
    bytes.chunks(255).map(|block| usize::from(count(block))).sum()
}

/// The header lines that say how a request is framed and whom it is for.
#[derive(Default)]
struct Fields<'a> {
    host: Option<&'a [u8]>,
    length: Option<u64>,
    chunked: bool,
}

impl<'a> Fields<'a> {
    /// Name and value of a line.
    fn read(&mut self, line: &'a [u8], expected: &[u8]) -> Result<(&'a [u8], &'a [u8]), HeadFault> {
        let is_expected = line.starts_with(expected) && line.get(expected.len()) == Some(&b':');
        // A name ends at the first byte that is not of one; that byte must be the colon.
        let colon = if is_expected {
            expected.len()
        } else {
            line.iter().position(|b| !is_token(*b)).ok_or(HeadFault::HeaderName)?
        };
        let (name, value) = line.split_at_checked(colon).ok_or(HeadFault::HeaderName)?;
        if name.is_empty() || name.len() > MAX_NAME || value.first() != Some(&b':') {
            return Err(HeadFault::HeaderName);
        }
        let value = trimmed(value);
        // By length first: most names differ in it from all three.
        match name.len() {
            4 if name.eq_ignore_ascii_case(b"host") => {
                once(&mut self.host, value, HeadFault::HostTwice)?;
            }
            14 if name.eq_ignore_ascii_case(b"content-length") => {
                let length = length(value).ok_or(HeadFault::LengthMalformed)?;
                once(&mut self.length, length, HeadFault::LengthTwice)?;
            }
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => {
                if self.chunked || !value.eq_ignore_ascii_case(b"chunked") {
                    return Err(HeadFault::TransferEncoding);
                }
                self.chunked = true;
            }
            _ => {}
        }
        Ok((name, value))
    }

    fn judge(&self, request: &RequestLine<'_>) -> Result<Framing, HeadFault> {
        let host = self.host.filter(|host| !host.is_empty()).ok_or(HeadFault::HostMissing)?;
        if !is_host(host) {
            return Err(HeadFault::HostMalformed);
        }
        if request.authority.is_some_and(|authority| !authority.eq_ignore_ascii_case(host)) {
            return Err(HeadFault::HostDiffers);
        }
        match (self.length, self.chunked) {
            (Some(_), true) => Err(HeadFault::TwoFramings),
            (None, true) if request.is_http_10 => Err(HeadFault::TransferEncoding),
            (None, true) => Ok(Framing::Chunked),
            (length, false) => Ok(Framing::Length(length.unwrap_or(0))),
        }
    }
}

/// Keeps the value of a header that may be there once.
fn once<T>(slot: &mut Option<T>, value: T, twice: HeadFault) -> Result<(), HeadFault> {
    if slot.replace(value).is_some() { Err(twice) } else { Ok(()) }
}

/// A value without the colon before it and the white space around it.
fn trimmed(colon_and_value: &[u8]) -> &[u8] {
    let mut value = colon_and_value.get(1..).unwrap_or_default();
    while let Some((b' ' | b'\t', rest)) = value.split_first() {
        value = rest;
    }
    while let Some((b' ' | b'\t', rest)) = value.split_last() {
        value = rest;
    }
    value
}

/// Digits alone; 18 of them are more bytes than there are and cannot overflow.
fn length(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    digits.iter().try_fold(0, |sum: u64, digit| {
        digit.is_ascii_digit().then(|| sum * 10 + u64::from(digit - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(head: &str) -> Result<Framing, HeadFault> {
        assert_eq!(
            find(head.as_bytes(), 0)?,
            Found::Complete { blank: 0, end: head.len() },
            "{head:?}"
        );
        judge(head.as_bytes())
    }

    fn with(lines: &str) -> Result<Framing, HeadFault> {
        verdict(&format!("POST /x HTTP/1.1\r\nHost: a.example\r\n{lines}\r\n"))
    }

    #[test]
    fn ordinary_heads_pass() {
        assert_eq!(with(""), Ok(Framing::Length(0)));
        assert_eq!(
            with("content-LENGTH: \t12 \r\nX: \u{e9}\t\r\nEmpty:\r\n"),
            Ok(Framing::Length(12))
        );
        assert_eq!(with("Transfer-Encoding: Chunked\r\n"), Ok(Framing::Chunked));
    }

    #[test]
    fn two_ways_to_frame_a_body_are_refused() {
        use HeadFault::{LengthMalformed, LengthTwice, TransferEncoding, TwoFramings};
        for (lines, fault) in [
            ("Content-Length: 1\r\nContent-Length: 1\r\n", LengthTwice),
            ("Content-Length: 1\r\ncontent-length: 2\r\n", LengthTwice),
            ("Content-Length: 1, 1\r\n", LengthMalformed),
            ("Content-Length: +1\r\n", LengthMalformed),
            ("Content-Length: 0x1\r\n", LengthMalformed),
            ("Content-Length:\r\n", LengthMalformed),
            ("Content-Length: 9999999999999999999\r\n", LengthMalformed),
            ("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", TwoFramings),
            ("Transfer-Encoding: chunked\r\nContent-Length: 1\r\n", TwoFramings),
            ("Transfer-Encoding: gzip, chunked\r\n", TransferEncoding),
            ("Transfer-Encoding: identity\r\n", TransferEncoding),
            ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", TransferEncoding),
            ("Transfer-Encoding:\r\n", TransferEncoding),
            ("Transfer-Encoding: \"chunked\"\r\n", TransferEncoding),
        ] {
            assert_eq!(with(lines), Err(fault), "{lines:?}");
        }
        let old = verdict("POST /x HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
        assert_eq!(old, Err(TransferEncoding));
    }

    #[test]
    fn one_host_only() {
        use HeadFault::{HostDiffers, HostMalformed, HostMissing, HostTwice};
        for (head, fault) in [
            ("GET / HTTP/1.1\r\n\r\n", HostMissing),
            ("GET / HTTP/1.0\r\n\r\n", HostMissing),
            ("GET / HTTP/1.1\r\nHost: \r\n\r\n", HostMissing),
            ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", HostTwice),
            ("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", HostMalformed),
            ("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", HostMalformed),
            ("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", HostMalformed),
            ("GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n", HostDiffers),
            ("GET http://a:80/ HTTP/1.1\r\nHost: a\r\n\r\n", HostDiffers),
        ] {
            assert_eq!(verdict(head), Err(fault), "{head:?}");
        }
    }

    #[test]
    fn line_ends_and_names() {
        use HeadFault::{Control, HeaderName, TooManyLines};
        for (lines, fault) in [
            ("a: b\n", Control),
            ("a: b\r\r\n", Control),
            ("a: b\rc: d\r\n", Control),
            ("a: \0\r\n", Control),
            ("a: \x7f\r\n", Control),
            ("a: b\r\n c\r\n", HeaderName),
            ("\ta: b\r\n", HeaderName),
            ("a : b\r\n", HeaderName),
            ("Content-Length : 1\r\n", HeaderName),
            (": b\r\n", HeaderName),
            ("a\r\n", HeaderName),
            ("a\u{e9}: b\r\n", HeaderName),
            ("a\0: b\r\n", HeaderName),
        ] {
            assert_eq!(with(lines), Err(fault), "{lines:?}");
        }
        assert_eq!(with(&"a: b\r\n".repeat(99)), Ok(Framing::Length(0)));
        assert_eq!(with(&"a: b\r\n".repeat(100)), Err(TooManyLines));
    }

    #[test]
    fn a_head_is_found_wherever_it_is_split() {
        let text = b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\nGET";
        let end = text.len() - 3;
        for cut in 0..end {
            assert_eq!(find(&text[..cut], 0), Ok(Found::Partial), "{cut}");
            assert_eq!(find(text, cut), Ok(Found::Complete { blank: 2, end }), "{cut}");
        }
        for bad in [&b"\n"[..], b"\r\r", b"\nGET", b"\rGET", b"GET / HTTP/1.1\n"] {
            assert_eq!(find(bad, 0), Err(HeadFault::Control), "{bad:?}");
        }
        assert_eq!(find(b"\r\n\r\n\r\n", 0), Err(HeadFault::RequestLine));
    }
}
