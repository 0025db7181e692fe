//! The host that a request is for: its form, and where it may be said twice.

use http::{
    Method, Uri,
    header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING},
    request::Parts,
};

/// Whether these bytes are `host` or `host:port` (RFC 9110 section 7.2) and nothing more: no user,
/// no path, no list, not empty.
pub fn is_host(bytes: &[u8]) -> bool {
    let (name, port) = if let Some(literal) = bytes.strip_prefix(b"[") {
        let Some(end) = literal.iter().position(|b| *b == b']') else { return false };
        let (inside, rest) = literal.split_at_checked(end).unwrap_or_default();
        let ip =
            std::str::from_utf8(inside).ok().and_then(|t| t.parse::<std::net::Ipv6Addr>().ok());
        if ip.is_none() {
            return false;
        }
        (inside, rest.get(1..).unwrap_or_default())
    } else {
        let end = bytes.iter().position(|b| *b == b':').unwrap_or(bytes.len());
        let (name, port) = bytes.split_at_checked(end).unwrap_or_default();
        if !name.iter().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(b)) {
            return false;
        }
        (name, port)
    };
    let port_fits = match port.strip_prefix(b":") {
        Some(digits) => (1..=5).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit),
        None => port.is_empty(),
    };
    !name.is_empty() && name.len() <= 255 && port_fits
}

/// The host that a request is for, as it was sent: without port, its letters' case untouched.
pub fn host_of(head: &Parts) -> Option<&str> {
    let authority = match head.uri.authority() {
        Some(authority) => authority.as_str(),
        None => head.headers.get(HOST)?.to_str().ok()?,
    };
    Some(without_port(authority))
}

fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => host,
        _ => authority,
    }
}

/// Judges what the raw guard cannot see of an HTTP/2 request: one host, said once or twice alike,
/// and one length.
///
/// # Errors
///
/// What is wrong, to be shown to operators as the detail of `bad_request`.
pub fn judge_h2(head: &Parts) -> Result<(), &'static str> {
    if head.method == Method::CONNECT || !head.uri.path().starts_with('/') {
        return Err("a request for a tunnel or for the server as a whole");
    }
    let mut hosts = head.headers.get_all(HOST).iter();
    let (host, second) = (hosts.next(), hosts.next());
    if second.is_some() {
        return Err("host is there twice");
    }
    match (host.map(|h| h.as_bytes()), authority(&head.uri)) {
        (None, None) => return Err("neither :authority nor host is there"),
        (Some(host), Some(authority)) if !host.eq_ignore_ascii_case(authority) => {
            return Err("host differs from :authority");
        }
        (Some(any), _) | (None, Some(any)) if !is_host(any) => {
            return Err("the host is malformed");
        }
        _ => {}
    }
    if head.headers.contains_key(TRANSFER_ENCODING) {
        return Err("transfer-encoding has no place in HTTP/2");
    }
    if head.headers.get_all(CONTENT_LENGTH).iter().nth(1).is_some() {
        return Err("content-length is there twice");
    }
    Ok(())
}

fn authority(uri: &Uri) -> Option<&[u8]> {
    uri.authority().map(|authority| authority.as_str().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(uri: &str, lines: &[(&str, &str)]) -> Parts {
        let mut request = http::Request::builder().uri(uri);
        for (name, value) in lines {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn forms_of_a_host() {
        for fine in ["a", "a.b-c.example", "127.0.0.1", "a:1", "[::1]", "[::1]:65535", "A_b~"] {
            assert!(is_host(fine.as_bytes()), "{fine}");
        }
        for bad in [
            "", ":80", "a:", "a:b", "a:123456", "a b", "a,b", "u@a", "a/b", "a?b", "a#b", "[::1",
            "[]", "[a]", "[::1]80", "[::1]:", "é", "a\\b", "a%2eb", "a:1:2",
        ] {
            assert!(!is_host(bad.as_bytes()), "{bad}");
        }
        assert!(!is_host(&[b'a'; 256]));
    }

    #[test]
    fn the_host_without_its_port() {
        assert_eq!(host_of(&head("https://Ex.org:8/x", &[("host", "other")])), Some("Ex.org"));
        assert_eq!(host_of(&head("/x", &[("host", "ex.org:80")])), Some("ex.org"));
        assert_eq!(host_of(&head("/x", &[("host", "[::1]")])), Some("[::1]"));
        assert_eq!(host_of(&head("/x", &[("host", "[::1]:80")])), Some("[::1]"));
        assert_eq!(host_of(&head("/x", &[])), None);
    }

    #[test]
    fn http2_says_its_host_once() {
        assert_eq!(judge_h2(&head("https://a.org/x", &[])), Ok(()));
        assert_eq!(judge_h2(&head("https://a.org/x", &[("host", "A.ORG")])), Ok(()));
        assert_eq!(judge_h2(&head("/x", &[("host", "a.org")])), Ok(()));
        for (uri, lines) in [
            ("/x", &[][..]),
            ("https://a.org/x", &[("host", "b.org")]),
            ("https://a.org/x", &[("host", "a.org"), ("host", "a.org")]),
            ("https://u@a.org/x", &[]),
            ("/x", &[("host", "a.org/b")]),
            ("https://a.org/x", &[("content-length", "1"), ("content-length", "1")]),
            ("https://a.org/x", &[("transfer-encoding", "chunked")]),
        ] {
            assert!(judge_h2(&head(uri, lines)).is_err(), "{uri} {lines:?}");
        }
        assert!(judge_h2(&head("*", &[("host", "a.org")])).is_err());
        let mut tunnel = head("https://a.org/x", &[]);
        tunnel.method = Method::CONNECT;
        assert!(judge_h2(&tunnel).is_err());
    }
}
