//! A request's first line: method, target and version.

use memchr::memchr;

use super::fault::HeadFault;
use crate::net::host::is_host;

/// The longest target that `http::Uri` takes.
const MAX_TARGET: usize = 65_534;

/// What the first line says.
pub(super) struct RequestLine<'a> {
    pub(super) method: &'a [u8],
    pub(super) target: &'a [u8],
    /// The target's own host and port, where it is a whole URL.
    pub(super) authority: Option<&'a [u8]>,
    pub(super) is_http_10: bool,
}

/// Judges the first line of a head.
pub(super) fn request_line(line: &[u8]) -> Result<RequestLine<'_>, HeadFault> {
    let (method, rest) = split_space(line)?;
    let (target, version) = split_space(rest)?;
    if method.is_empty() || !method.iter().all(|b| is_token(*b)) {
        return Err(HeadFault::RequestLine);
    }
    let is_http_10 = match version {
        b"HTTP/1.1" => false,
        b"HTTP/1.0" => true,
        _ => return Err(HeadFault::RequestLine),
    };
    if target == b"*" || method == b"CONNECT" {
        return Err(HeadFault::Form);
    }
    if target.len() > MAX_TARGET {
        return Err(HeadFault::TooLarge);
    }
    if memchr(b'#', target).is_some() {
        return Err(HeadFault::Fragment);
    }
    if !target.iter().all(|b| is_target(*b)) {
        return Err(HeadFault::Target);
    }
    Ok(RequestLine { method, target, authority: authority(target)?, is_http_10 })
}

fn split_space(bytes: &[u8]) -> Result<(&[u8], &[u8]), HeadFault> {
    let at = memchr(b' ', bytes).ok_or(HeadFault::RequestLine)?;
    let (before, rest) = bytes.split_at_checked(at).ok_or(HeadFault::RequestLine)?;
    Ok((before, rest.get(1..).unwrap_or_default()))
}

/// The host and port of an absolute-form target; `None` for a path.
fn authority(target: &[u8]) -> Result<Option<&[u8]>, HeadFault> {
    if target.first() == Some(&b'/') {
        return Ok(None);
    }
    let scheme = |scheme: &'static [u8]| {
        let (start, rest) = target.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then_some(rest)
    };
    let rest = scheme(b"http://").or_else(|| scheme(b"https://")).ok_or(HeadFault::Target)?;
    let end = rest.iter().position(|b| matches!(b, b'/' | b'?')).unwrap_or(rest.len());
    let (authority, _) = rest.split_at_checked(end).unwrap_or_default();
    if is_host(authority) { Ok(Some(authority)) } else { Err(HeadFault::Target) }
}

/// Whether a byte may stand in a method or in a header's name.
pub(super) fn is_token(byte: u8) -> bool {
    TOKEN.get(usize::from(byte)).copied().unwrap_or(false)
}

fn is_target(byte: u8) -> bool {
    TARGET.get(usize::from(byte)).copied().unwrap_or(false)
}

/// `tchar` of RFC 9110 section 5.6.2.
static TOKEN: [bool; 256] = table(b"!#$%&'*+-.^_`|~");

/// Visible ASCII but for `"`, `<`, `>` and `` ` ``, which `http::Uri` refuses in a path or a query.
static TARGET: [bool; 256] = table(b"!$%&'()*+,-./:;=?@[\\]^_{|}~");

/// Letters, digits and these.
#[expect(clippy::indexing_slicing, reason = "evaluated at compile time, where it cannot panic")]
const fn table(also: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let mut at = 0;
    while at < also.len() {
        table[also[at] as usize] = true;
        at += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(line: &str) -> Result<bool, HeadFault> {
        request_line(line.as_bytes()).map(|request| request.authority.is_some())
    }

    #[test]
    fn paths_and_urls_pass() {
        assert_eq!(line("GET /x?y=%20{}&z=[^\\]|'~ HTTP/1.0"), Ok(false));
        assert_eq!(line("x!-A / HTTP/1.1"), Ok(false));
        assert_eq!(line("GET HTTP://A.example/x HTTP/1.1"), Ok(true));
        assert_eq!(line("GET https://a.example HTTP/1.1"), Ok(true));
        assert_eq!(line("GET http://[::1]:80?x HTTP/1.1"), Ok(true));
    }

    #[test]
    fn request_lines() {
        use HeadFault::{Form, Fragment, RequestLine, Target};
        for (first, fault) in [
            ("GET / HTTP/1.2", RequestLine),
            ("GET / HTTP/2.0", RequestLine),
            ("GET / http/1.1", RequestLine),
            ("GET /", RequestLine),
            ("GET", RequestLine),
            ("GET  / HTTP/1.1", RequestLine),
            ("GET / HTTP/1.1 ", RequestLine),
            (" GET / HTTP/1.1", RequestLine),
            ("G(T / HTTP/1.1", RequestLine),
            ("GET /a b HTTP/1.1", RequestLine),
            ("GET /a\tb HTTP/1.1", Target),
            ("GET /\u{e9} HTTP/1.1", Target),
            ("GET /<x> HTTP/1.1", Target),
            ("GET a.example/x HTTP/1.1", Target),
            ("GET ftp://a.example/x HTTP/1.1", Target),
            ("GET http:///x HTTP/1.1", Target),
            ("GET http://u@a.example/x HTTP/1.1", Target),
            ("GET ?x HTTP/1.1", Target),
            ("GET /x#y HTTP/1.1", Fragment),
            ("OPTIONS * HTTP/1.1", Form),
            ("CONNECT a.example:443 HTTP/1.1", Form),
        ] {
            assert_eq!(line(first), Err(fault), "{first:?}");
        }
    }
}
