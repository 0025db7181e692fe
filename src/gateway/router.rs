//! Which route a host and a path lead to.
//!
//! The host decides first, and a configured host never falls back to a hostless route. Then an
//! exact path wins over one with `{}`, and that over the longest `/*`. What could be read as
//! another path by somebody behind us (dot segments, encoded slashes) is no path at all.

use std::{collections::HashMap, ops::Range};

/// A compiled table of `host` and `path` patterns; values are indices of the caller's.
#[derive(Debug, Default)]
pub struct Router {
    hosts: HashMap<Box<str>, Table>,
    hostless: Table,
}

#[derive(Debug, Default)]
struct Table {
    exact: HashMap<Box<str>, usize>,
    patterns: Node,
}

#[derive(Debug, Default)]
struct Node {
    literal: HashMap<Box<str>, Self>,
    param: Option<Box<Self>>,
    route: Option<usize>,
    tail: Option<usize>,
}

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The index that was given to [`Router::insert`].
    pub route: usize,
    /// What `/*` stood for, as a range of the path, without the slash before it.
    pub remainder: Option<Range<usize>>,
}

impl Router {
    /// Adds a pattern; of two equal ones the first stays (the configuration refuses those).
    pub fn insert(&mut self, host: Option<&str>, path: &str, route: usize) {
        let table = match host {
            Some(host) => self.hosts.entry(host.into()).or_default(),
            None => &mut self.hostless,
        };
        if !path.contains(['{', '*']) {
            table.exact.entry(path.into()).or_insert(route);
            return;
        }
        let mut node = &mut table.patterns;
        for segment in segments(path) {
            node = match segment {
                "*" => {
                    node.tail.get_or_insert(route);
                    return;
                }
                _ if segment.starts_with('{') => node.param.get_or_insert_default(),
                _ => node.literal.entry(segment.into()).or_default(),
            };
        }
        node.route.get_or_insert(route);
    }

    /// Finds the route of a request. `host` is lower case and without port.
    pub fn find(&self, host: &str, path: &str) -> Option<Found> {
        if !is_plain(path) {
            return None;
        }
        let table = self.hosts.get(host).unwrap_or(&self.hostless);
        if let Some(&route) = table.exact.get(path) {
            return Some(Found { route, remainder: None });
        }
        if table.patterns.is_leaf() {
            return None;
        }
        let start = path.strip_prefix('/').map(|_| 1)?;
        let route = table.patterns.matched(path, start);
        let found = route.map(|route| Found { route, remainder: None });
        found.or_else(|| table.patterns.tailed(path, start))
    }
}

impl Node {
    fn is_leaf(&self) -> bool {
        self.literal.is_empty() && self.param.is_none() && self.tail.is_none()
    }

    /// A pattern that matches to the end of the path; literal segments are preferred.
    fn matched(&self, path: &str, at: usize) -> Option<usize> {
        let (segment, next) = segment_at(path, at)?;
        self.children(segment).find_map(|child| match next {
            None => child.route,
            Some(next) => child.matched(path, next),
        })
    }

    /// The longest `/*` that the path lies under.
    fn tailed(&self, path: &str, at: usize) -> Option<Found> {
        let (segment, next) = segment_at(path, at)?;
        let deeper =
            next.and_then(|next| self.children(segment).find_map(|c| c.tailed(path, next)));
        deeper.or_else(|| {
            let rest = path.get(at..).filter(|rest| rest.split('/').all(is_harmless))?;
            let remainder = at..at + rest.len();
            self.tail.map(|route| Found { route, remainder: Some(remainder) })
        })
    }

    fn children(&self, segment: &str) -> impl Iterator<Item = &Self> {
        let param = self.param.as_deref().filter(|_| is_harmless(segment));
        self.literal.get(segment).into_iter().chain(param)
    }
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.strip_prefix('/').unwrap_or(path).split('/')
}

/// The segment that begins at `at`, and where the next one begins.
fn segment_at(path: &str, at: usize) -> Option<(&str, Option<usize>)> {
    let rest = path.get(at..)?;
    Some(match rest.split_once('/') {
        Some((segment, _)) => (segment, Some(at + segment.len() + 1)),
        None => (rest, None),
    })
}

/// Whether a path means the same to everybody: no dot segments, raw or encoded, and no encoded
/// slashes.
fn is_plain(path: &str) -> bool {
    if !path.starts_with('/') {
        return false;
    }
    // Almost every path has neither a dot nor a percent sign.
    if !path.bytes().any(|b| matches!(b, b'.' | b'%')) {
        return true;
    }
    let lower = path.to_ascii_lowercase();
    if lower.contains("%2f") || lower.contains("%5c") {
        return false;
    }
    lower.replace("%2e", ".").split('/').all(|segment| !matches!(segment, "." | ".."))
}

/// Whether a segment may stand for `{}` or be part of `*`.
fn is_harmless(segment: &str) -> bool {
    !segment.is_empty() && !segment.contains([';', '\\']) && !segment.contains("%00")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn router() -> Router {
        let mut router = Router::default();
        let patterns = [
            (None, "/github"),
            (None, "/stripe/{account}"),
            (None, "/stripe/main"),
            (None, "/x/*"),
            (None, "/x/y/*"),
            (Some("a.example"), "/github"),
            (None, "/t/{a}/end"),
            (None, "/t/*"),
        ];
        for (i, (host, path)) in patterns.into_iter().enumerate() {
            router.insert(host, path, i);
        }
        router
    }

    fn route(host: &str, path: &str) -> Option<usize> {
        router().find(host, path).map(|found| found.route)
    }

    #[test]
    fn exact_before_param_before_longest_tail() {
        assert_eq!(route("h", "/github"), Some(0));
        assert_eq!(route("h", "/stripe/acct_1"), Some(1));
        assert_eq!(route("h", "/stripe/main"), Some(2));
        assert_eq!(route("h", "/x/1/2"), Some(3));
        assert_eq!(route("h", "/x/y/2"), Some(4));
        assert_eq!(route("h", "/x/y"), Some(3));
        assert_eq!(route("h", "/t/1/end"), Some(6));
        assert_eq!(route("h", "/t/1/other"), Some(7));
        assert_eq!(route("h", "/github/"), None);
        assert_eq!(route("h", "/x"), None);
    }

    #[test]
    fn a_configured_host_never_falls_back() {
        assert_eq!(route("a.example", "/github"), Some(5));
        assert_eq!(route("a.example", "/stripe/1"), None);
    }

    #[test]
    fn the_remainder_is_what_the_star_stood_for() {
        let path = "/x/a/b";
        let found = router().find("h", path).unwrap();
        assert_eq!(path.get(found.remainder.unwrap()), Some("a/b"));
    }

    #[test]
    fn what_others_could_read_differently_is_no_path() {
        for path in [
            "/x/../github",
            "/./github",
            "/x/%2e%2E/github",
            "/x/.%2e/a",
            "/x/a%2fb",
            "/x/a%2Fb",
            "/x/a%5cb",
            "github",
            "*",
            "",
            "/x/a//b",
            "/x/a;b",
            "/x/a\\b",
            "/x/a%00",
            "/x/",
            "/stripe/",
            "/stripe/a;b",
        ] {
            assert_eq!(route("h", path), None, "{path}");
        }
        assert_eq!(route("h", "/x/a.b/%20c"), Some(3));
    }
}
