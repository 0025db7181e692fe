//! A registered URL as senders spell it: with its port, without it, without its path.

/// The pieces of `scheme://user@host:port/path?query`.
struct Url<'a> {
    /// With its `://`.
    scheme: &'a [u8],
    /// With its `@`.
    user: &'a [u8],
    host: &'a [u8],
    /// With its colon.
    port: &'a [u8],
    /// From the first `/` or `?` on.
    rest: &'a [u8],
}

impl<'a> Url<'a> {
    fn parse(url: &'a [u8]) -> Option<Self> {
        let mark = memchr::memmem::find(url, b"://")?;
        let (scheme, after) = url.split_at_checked(mark + 3)?;
        let end = after.iter().position(|b| b"/?#".contains(b)).unwrap_or(after.len());
        let (authority, rest) = after.split_at_checked(end)?;
        let at = memchr::memrchr(b'@', authority).map_or(0, |at| at + 1);
        let (user, host) = authority.split_at_checked(at)?;
        // Behind the bracket, for an IPv6 address has colons of its own.
        let bracket = memchr::memchr(b']', host).unwrap_or_default();
        let colon = memchr::memchr(b':', host.get(bracket..)?).map(|at| bracket + at);
        let (host, port) = host.split_at_checked(colon.unwrap_or(host.len()))?;
        Some(Self { scheme, user, host, port, rest })
    }
}

/// The URL with its port; one that names none gets its scheme's.
pub(crate) fn with_port(url: &[u8]) -> Option<Vec<u8>> {
    let Url { scheme, user, host, port, rest } = Url::parse(url)?;
    let standard: &[u8] = if scheme.eq_ignore_ascii_case(b"https://") { b":443" } else { b":80" };
    let port = if port.is_empty() { standard } else { port };
    Some([scheme, user, host, port, rest].concat())
}

/// The URL without its port.
pub(crate) fn without_port(url: &[u8]) -> Option<Vec<u8>> {
    let Url { scheme, user, host, rest, .. } = Url::parse(url)?;
    Some([scheme, user, host, rest].concat())
}

/// Scheme, host and port alone.
pub(crate) fn origin(url: &[u8]) -> Option<Vec<u8>> {
    let Url { scheme, user, host, port, .. } = Url::parse(url)?;
    Some([scheme, user, host, port].concat())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(url: &str) -> [String; 3] {
        [with_port, without_port, origin]
            .map(|f| String::from_utf8(f(url.as_bytes()).unwrap()).unwrap())
    }

    #[test]
    fn ports_come_and_go() {
        assert_eq!(
            all("https://h.example/a?b=c:d"),
            ["https://h.example:443/a?b=c:d", "https://h.example/a?b=c:d", "https://h.example"]
        );
        assert_eq!(all("http://h/a"), ["http://h:80/a", "http://h/a", "http://h"]);
        assert_eq!(all("https://h:8443/"), ["https://h:8443/", "https://h/", "https://h:8443"]);
        assert_eq!(all("https://u:p@h?x")[0], "https://u:p@h:443?x");
        assert_eq!(all("https://u:p@h:1?x")[1], "https://u:p@h?x");
        assert_eq!(all("https://[::1]/a")[0], "https://[::1]:443/a");
        assert_eq!(all("https://[::1]:8443/a")[1], "https://[::1]/a");
    }

    #[test]
    fn what_is_no_url_has_no_port() {
        for text in ["", "h/a", "/a", "https:/h"] {
            assert_eq!(with_port(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_input_panics(url in proptest::collection::vec(any::<u8>(), 0..60)) {
            drop((with_port(&url), without_port(&url), origin(&url)));
        }

        #[test]
        fn a_port_that_was_added_can_be_taken_away(
            url in "https?://([a-z.]{1,9}|\\[[0-9:]{2,9}\\])(/[a-z:]{0,5})?",
        ) {
            let there = with_port(url.as_bytes()).unwrap();
            prop_assert_eq!(without_port(&there).unwrap(), url.as_bytes());
        }
    }
}
