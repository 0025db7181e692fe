//! Which path and query the receiver sees.

use std::borrow::Cow;

use http::{Uri, uri::PathAndQuery};

/// What an upstream's URL does to the path of a request. Bytes are joined, never re-encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PathRule {
    /// Whether the URL has no path, not even `/`, so that the request keeps its own. Otherwise the
    /// URL's path stands in its place, and what a route's `*` stood for is appended.
    keeps: bool,
    /// The URL's path and query.
    own: PathAndQuery,
}

/// The joined path is longer than a URI may be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLong;

impl PathRule {
    /// The rule of a receiver that has no URL.
    pub(super) fn keep() -> Self {
        Self { keeps: true, own: PathAndQuery::from_static("/") }
    }

    /// Reads the rule from an upstream's URL.
    pub(super) fn new(url: &Uri) -> Self {
        let own = url.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
        Self { keeps: own.as_str().starts_with('?'), own }
    }

    fn query(&self) -> Option<&str> {
        self.own.query().filter(|query| !query.is_empty())
    }

    /// Writes the request target for a request with this path and query, of whose path the route's
    /// `*` stood for the given range.
    pub(super) fn write(
        &self,
        request: &PathAndQuery,
        remainder: Option<(usize, usize)>,
        bytes: &mut Vec<u8>,
    ) -> Result<(), TooLong> {
        let start = bytes.len();
        if self.keeps {
            bytes.extend_from_slice(request.path().as_bytes());
        } else {
            let remainder = remainder.and_then(|(from, to)| request.path().get(from..to));
            bytes
                .extend_from_slice(join(self.own.path(), remainder.unwrap_or_default()).as_bytes());
        }
        let queries = [self.query(), request.query()];
        for (query, mark) in queries.into_iter().flatten().zip([b'?', b'&']) {
            bytes.push(mark);
            bytes.extend_from_slice(query.as_bytes());
        }
        if bytes.len() - start > LONGEST { Err(TooLong) } else { Ok(()) }
    }
}

/// The longest request target, in bytes: what the `http` crate's own may have.
const LONGEST: usize = u16::MAX as usize - 1;

/// Reads an upstream's URL so that the absence of a path is kept: `http::Uri` itself reads `http://h`
/// as `http://h/`, which means something else here. An absent path is held as an empty query.
///
/// `None` for what is not `http://` or `https://` with a host, or has a fragment.
pub fn parse_url(text: &str) -> Option<Uri> {
    let (_, rest) = text.split_once("://")?;
    if rest.contains('#') {
        return None;
    }
    let pathless = !rest.contains(['/', '?']);
    let uri = if pathless { format!("{text}?").parse() } else { text.parse::<Uri>() };
    uri.ok()
        .filter(|uri| is_secure(uri).is_some() && uri.host().is_some_and(|host| !host.is_empty()))
}

/// Whether a URL is `https://` (rather than `http://`); `None` for any other.
pub(super) fn is_secure(url: &Uri) -> Option<bool> {
    let scheme = url.scheme_str()?;
    let is = |name: &str| scheme.eq_ignore_ascii_case(name);
    (is("http") || is("https")).then(|| is("https"))
}

/// Appends with exactly one slash between.
fn join<'a>(base: &'a str, remainder: &str) -> Cow<'a, str> {
    if remainder.is_empty() {
        return base.into();
    }
    let base = base.strip_suffix('/').unwrap_or(base);
    let remainder = remainder.strip_prefix('/').unwrap_or(remainder);
    format!("{base}/{remainder}").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(url: &str, request: &str, remainder: Option<&str>) -> String {
        let rule = PathRule::new(&parse_url(url).unwrap());
        let request: PathAndQuery = request.parse().unwrap();
        let range = remainder.map(|text| {
            let from = request.path().find(text).unwrap();
            (from, from + text.len())
        });
        let mut bytes = Vec::new();
        rule.write(&request, range, &mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_url_without_a_path_keeps_the_requests() {
        for url in ["http://h", "http://h:81", "https://[::1]:8443"] {
            for path in ["/", "/a/b?x=1", "/a//b/%2f%7E;v=1?&a=%20b&", "/?", "/a?"] {
                assert_eq!(applied(url, path, None), path, "{url}");
                assert_eq!(applied(url, path, Some("/")), path, "{url}");
            }
        }
    }

    #[test]
    fn what_is_no_url_of_an_upstream_is_refused() {
        for bad in [
            "",
            "h",
            "/x",
            "h:80",
            "http://",
            "http://h#a",
            "http://h/#",
            "http:/h",
            "://h",
            "ftp://h/",
            "http:///x",
        ] {
            assert_eq!(parse_url(bad), None, "{bad}");
        }
        assert_eq!(parse_url("http://[::1]:80").unwrap().host(), Some("[::1]"));
    }

    #[test]
    fn a_url_with_a_path_replaces_it_and_keeps_the_query() {
        assert_eq!(applied("http://h/", "/a/b?x=%20", None), "/?x=%20");
        assert_eq!(applied("http://h/hooks", "/a/b", None), "/hooks");
        assert_eq!(applied("http://h/hooks/", "/a?", None), "/hooks/?");
        assert_eq!(applied("http://h/hooks?t=1", "/a", None), "/hooks?t=1");
        assert_eq!(applied("http://h/hooks?t=1", "/a?b=2", None), "/hooks?t=1&b=2");
        assert_eq!(applied("http://h?t=1", "/a?b=2", None), "/a?t=1&b=2");
    }

    #[test]
    fn a_remainder_is_appended_as_it_is() {
        assert_eq!(applied("http://h/hooks", "/x/a/b%2Bc", Some("a/b%2Bc")), "/hooks/a/b%2Bc");
        assert_eq!(applied("http://h/hooks/", "/x/a?q=%C3", Some("a")), "/hooks/a?q=%C3");
        assert_eq!(applied("http://h/", "/x/a/", Some("a/")), "/a/");
        assert_eq!(applied("http://h/hooks", "/x/a", Some("/a")), "/hooks/a");
        assert_eq!(applied("http://h/hooks", "/x/", Some("")), "/hooks");
    }

    #[test]
    fn what_gets_too_long_is_not_sent_as_something_else() {
        let rule = PathRule::new(&format!("http://h/{}", "a".repeat(60_000)).parse().unwrap());
        let request: PathAndQuery = format!("/x?{}", "b".repeat(10_000)).parse().unwrap();
        assert_eq!(rule.write(&request, None, &mut Vec::new()), Err(TooLong));
    }
}
