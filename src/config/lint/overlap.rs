//! Which routes claim the same requests.
//!
//! Patterns are grouped by *shape* (which segments are fixed). Two patterns of given shapes meet
//! exactly when the segments that are fixed in both are equal, which one hash look-up tells; so
//! ten thousand routes cost ten thousand look-ups a pair of shapes, of which there are few.

use std::collections::HashMap;

/// A route as far as its claim on requests goes.
pub(super) struct Claim<'a> {
    /// A number for the file that the route stands in.
    pub(super) file: usize,
    /// Lower case; empty is any host that no other route names.
    pub(super) hosts: &'a [String],
    /// The path patterns.
    pub(super) paths: &'a [String],
}

/// Two routes that claim the same requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Overlap {
    /// The later one, by index.
    pub(super) route: usize,
    /// Which of its paths.
    pub(super) path: usize,
    /// The earlier one, by index.
    pub(super) other: usize,
    /// Which of its paths.
    pub(super) other_path: usize,
    /// What makes it a problem.
    pub(super) kind: Kind,
}

/// Why an overlap is a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The very same requests.
    Same,
    /// In one file, and neither pattern is the more specific one.
    Ambiguous,
    /// One file takes requests away from a route of another file.
    OtherFile,
}

/// Finds overlaps, at most one a route, sorted by route.
///
/// Within one file a more specific pattern beside a wider one is how routes are written, and is no
/// problem; across files it takes somebody else's requests away.
pub(super) fn find(claims: &[Claim<'_>]) -> Vec<Overlap> {
    let mut by_shape: HashMap<Shape, Vec<Pattern<'_>>> = HashMap::new();
    for (route, claim) in claims.iter().enumerate() {
        for (path, text) in claim.paths.iter().enumerate() {
            let (shape, segments) = read(text);
            let hosts: Vec<Option<&str>> = if claim.hosts.is_empty() {
                vec![None]
            } else {
                claim.hosts.iter().map(|host| Some(host.as_str())).collect()
            };
            for host in hosts {
                let pattern =
                    Pattern { route, path, file: claim.file, host, segments: segments.clone() };
                by_shape.entry(shape.clone()).or_default().push(pattern);
            }
        }
    }
    let mut shapes: Vec<_> = by_shape.into_iter().collect();
    shapes.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut found: HashMap<usize, Overlap> = HashMap::new();
    for (at, (shape, patterns)) in shapes.iter().enumerate() {
        compare_within(patterns, &mut found);
        for (other_shape, others) in shapes.iter().skip(at + 1) {
            if let Some(meeting) = Meeting::of(shape, other_shape) {
                meeting.compare(patterns, others, &mut found);
            }
        }
    }
    let mut found: Vec<_> = found.into_values().collect();
    found.sort_by_key(|overlap| overlap.route);
    found
}

/// Which segments of a pattern are fixed, and whether it ends in `/*`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Shape {
    fixed: Vec<bool>,
    rest: bool,
}

struct Pattern<'a> {
    route: usize,
    path: usize,
    file: usize,
    host: Option<&'a str>,
    segments: Vec<&'a str>,
}

fn read(path: &str) -> (Shape, Vec<&str>) {
    let path = path.strip_prefix('/').unwrap_or(path);
    let (path, rest) = match path.strip_suffix('*') {
        Some("") => return (Shape { fixed: Vec::new(), rest: true }, Vec::new()),
        Some(path) => (path.strip_suffix('/').unwrap_or(path), true),
        None => (path, false),
    };
    let segments: Vec<_> = path.split('/').collect();
    let fixed = segments.iter().map(|segment| !segment.starts_with('{')).collect();
    (Shape { fixed, rest }, segments)
}

/// The places in which two shapes must agree to meet.
struct Meeting {
    common: Vec<usize>,
    /// Places at which one of them has a parameter or its `/*`, which no empty segment matches.
    filled: Vec<usize>,
    /// Each is the more specific one somewhere.
    crossing: bool,
}

impl Meeting {
    fn of(a: &Shape, b: &Shape) -> Option<Self> {
        let (short, long) = (a.fixed.len().min(b.fixed.len()), a.fixed.len().max(b.fixed.len()));
        let shorter_has_rest = if a.fixed.len() <= b.fixed.len() { a.rest } else { b.rest };
        // `/*` stands for at least one segment.
        let meet = match (a.rest, b.rest) {
            (true, true) => true,
            (false, false) => short == long,
            _ => shorter_has_rest && short < long,
        };
        if !meet {
            return None;
        }
        let pairs = || a.fixed.iter().zip(&b.fixed).enumerate();
        let common = pairs().filter(|(_, (a, b))| **a && **b).map(|(at, _)| at).collect();
        let filled =
            pairs().filter(|(_, (a, b))| a != b).map(|(at, _)| at).chain(short..long).collect();
        let a_wins = pairs().any(|(_, (a, b))| *a && !*b);
        let b_wins = pairs().any(|(_, (a, b))| *b && !*a);
        // An exact or `{}` pattern goes before `/*`, and the longer of two `/*` before the shorter.
        let ranked = short != long || a.rest != b.rest;
        let crossing = a_wins && b_wins && !ranked;
        Some(Self { common, filled, crossing })
    }

    fn key<'p>(&self, pattern: &Pattern<'p>) -> (Option<&'p str>, Vec<&'p str>) {
        let at = |at: &usize| pattern.segments.get(*at).copied().unwrap_or_default();
        (pattern.host, self.common.iter().map(at).collect())
    }

    fn compare(&self, a: &[Pattern<'_>], b: &[Pattern<'_>], found: &mut HashMap<usize, Overlap>) {
        let (few, many) = if a.len() <= b.len() { (a, b) } else { (b, a) };
        let usable = |pattern: &&Pattern<'_>| {
            self.filled.iter().all(|at| pattern.segments.get(*at).is_none_or(|s| !s.is_empty()))
        };
        let mut index: HashMap<_, Bucket<'_, '_>> = HashMap::new();
        for pattern in few.iter().filter(usable) {
            index.entry(self.key(pattern)).or_default().add(pattern);
        }
        for pattern in many.iter().filter(usable) {
            if let Some(bucket) = index.get(&self.key(pattern)) {
                if let Some(other) = bucket.rival(pattern, true) {
                    report(pattern, other, Kind::OtherFile, found);
                } else if self.crossing
                    && let Some(other) = bucket.rival(pattern, false)
                {
                    report(pattern, other, Kind::Ambiguous, found);
                }
            }
        }
    }
}

/// Patterns of one shape meet when they are equal but for their parameters' names.
fn compare_within(patterns: &[Pattern<'_>], found: &mut HashMap<usize, Overlap>) {
    let mut index: HashMap<(Option<&str>, Vec<&str>), Bucket<'_, '_>> = HashMap::new();
    for pattern in patterns {
        let segments = pattern.segments.iter();
        let key = segments.map(|s| if s.starts_with('{') { "{}" } else { *s }).collect();
        let bucket = index.entry((pattern.host, key)).or_default();
        if let Some(other) = bucket.rival(pattern, false) {
            report(pattern, other, Kind::Same, found);
        }
        bucket.add(pattern);
    }
}

fn report(a: &Pattern<'_>, b: &Pattern<'_>, kind: Kind, found: &mut HashMap<usize, Overlap>) {
    let (other, later) = if a.route < b.route { (a, b) } else { (b, a) };
    let overlap = Overlap {
        route: later.route,
        path: later.path,
        other: other.route,
        other_path: other.path,
        kind,
    };
    let entry = found.entry(later.route).or_insert(overlap);
    // What is an error is not hidden behind what is none.
    if entry.kind == Kind::Ambiguous {
        *entry = overlap;
    }
}

/// As many patterns of equal key as are needed to answer [`Self::rival`]: one, one of another
/// route and one of another file.
#[derive(Default)]
struct Bucket<'p, 'a> {
    first: Option<&'p Pattern<'a>>,
    other_route: Option<&'p Pattern<'a>>,
    other_file: Option<&'p Pattern<'a>>,
}

impl<'p, 'a> Bucket<'p, 'a> {
    fn add(&mut self, pattern: &'p Pattern<'a>) {
        let Some(first) = self.first else {
            self.first = Some(pattern);
            return;
        };
        if first.route != pattern.route {
            self.other_route.get_or_insert(pattern);
        }
        if first.file != pattern.file {
            self.other_file.get_or_insert(pattern);
        }
    }

    fn rival(&self, pattern: &Pattern<'_>, across_files_only: bool) -> Option<&'p Pattern<'a>> {
        [self.first, self.other_route, self.other_file].into_iter().flatten().find(|other| {
            other.route != pattern.route && (!across_files_only || other.file != pattern.file)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each route: file, host ("" for none), path.
    fn overlaps(routes: &[(usize, &str, &str)]) -> Vec<(usize, usize, Kind)> {
        let owned: Vec<(usize, Vec<String>, Vec<String>)> = routes
            .iter()
            .map(|(file, host, path)| {
                let hosts = if host.is_empty() { vec![] } else { vec![(*host).to_owned()] };
                (*file, hosts, vec![(*path).to_owned()])
            })
            .collect();
        let claims: Vec<_> =
            owned.iter().map(|(file, hosts, paths)| Claim { file: *file, hosts, paths }).collect();
        find(&claims).into_iter().map(|o| (o.other, o.route, o.kind)).collect()
    }

    #[test]
    fn the_same_path_is_a_problem_in_any_file() {
        assert_eq!(overlaps(&[(0, "", "/a"), (0, "", "/a")]), [(0, 1, Kind::Same)]);
        assert_eq!(overlaps(&[(0, "", "/a"), (1, "", "/a")]), [(0, 1, Kind::Same)]);
        assert_eq!(overlaps(&[(0, "", "/a/{x}"), (0, "", "/a/{y}")]), [(0, 1, Kind::Same)]);
        assert_eq!(overlaps(&[(0, "h", "/a/*"), (0, "h", "/a/*")]), [(0, 1, Kind::Same)]);
        assert_eq!(overlaps(&[(0, "", "/*"), (0, "", "/*")]), [(0, 1, Kind::Same)]);
    }

    #[test]
    fn hosts_keep_routes_apart() {
        assert_eq!(overlaps(&[(0, "h", "/a"), (1, "g", "/a"), (2, "", "/a")]), []);
    }

    #[test]
    fn a_wider_pattern_is_a_problem_only_across_files() {
        for (wide, narrow) in
            [("/a/*", "/a/b"), ("/{x}", "/a"), ("/*", "/a/b/c"), ("/a/*", "/a/b/*"), ("/*", "/")]
        {
            assert_eq!(overlaps(&[(0, "", wide), (0, "", narrow)]), [], "{wide} {narrow}");
            let across = overlaps(&[(0, "", wide), (1, "", narrow)]);
            let expected: &[_] = if narrow == "/" { &[] } else { &[(0, 1, Kind::OtherFile)] };
            assert_eq!(across, expected, "{wide} {narrow}");
        }
    }

    #[test]
    fn patterns_that_cross_are_ambiguous() {
        assert_eq!(overlaps(&[(0, "", "/a/{x}"), (0, "", "/{x}/b")]), [(0, 1, Kind::Ambiguous)]);
        assert_eq!(overlaps(&[(0, "", "/a/{x}"), (1, "", "/{x}/b")]), [(0, 1, Kind::OtherFile)]);
        assert_eq!(overlaps(&[(0, "", "/a/{x}"), (0, "", "/{x}/{y}")]), []);
        assert_eq!(overlaps(&[(0, "", "/a/{x}"), (0, "", "/b/{x}")]), []);
    }

    #[test]
    fn an_error_is_not_hidden_behind_a_warning() {
        let routes = [(0, "", "/a/{x}"), (1, "", "/b/b"), (0, "", "/{x}/b")];
        assert_eq!(overlaps(&routes), [(1, 2, Kind::OtherFile)]);
    }

    #[test]
    fn what_cannot_meet_does_not() {
        let apart = [
            (0, "", "/a"),
            (1, "", "/a/"),
            (2, "", "/a/b/{x}/d"),
            (3, "", "/a/c/*"),
            (4, "", "/A"),
            (5, "", "/e/{x}"),
            (6, "", "/e/"),
        ];
        assert_eq!(overlaps(&apart), []);
    }

    #[test]
    fn a_route_does_not_meet_itself() {
        let hosts = ["h".to_owned()];
        let paths = ["/a".to_owned(), "/a".to_owned(), "/*".to_owned(), "/{x}".to_owned()];
        assert_eq!(find(&[Claim { file: 0, hosts: &hosts, paths: &paths }]), []);
    }

    /// What the router takes a pattern for.
    fn matches(pattern: &str, path: &[&str]) -> bool {
        let mut path = path.iter();
        for segment in pattern.split('/').skip(1) {
            if segment == "*" {
                return path.clone().next().is_some() && path.all(|s| !s.is_empty());
            }
            match path.next() {
                Some(s) if segment.starts_with('{') && !s.is_empty() => {}
                Some(s) if *s == segment => {}
                _ => return false,
            }
        }
        path.next().is_none()
    }

    proptest::proptest! {
        #[test]
        fn patterns_overlap_exactly_when_a_path_fits_both(
            a in "(/(a|b|\\{x\\})){0,3}(/|/\\*|/a)",
            b in "(/(a|b|\\{y\\})){0,3}(/|/\\*|/a)",
        ) {
            let segments = ["a", "b", "c", ""];
            let mut paths: Vec<Vec<&str>> = segments.iter().map(|s| vec![*s]).collect();
            for length in 1..5 {
                let longer = paths.iter().filter(|path| path.len() == length).flat_map(|path| {
                    segments.iter().map(|s| path.iter().copied().chain([*s]).collect())
                });
                let longer: Vec<Vec<&str>> = longer.collect();
                paths.extend(longer);
            }
            let both = paths.iter().any(|path| matches(&a, path) && matches(&b, path));
            let found = !overlaps(&[(0, "", &a), (1, "", &b)]).is_empty();
            proptest::prop_assert_eq!(found, both, "{} {}", a, b);
        }
    }

    #[test]
    fn ten_thousand_routes_are_compared_at_once() {
        let routes: Vec<(usize, String)> = (0..10_000)
            .map(|n| {
                let path = match n % 4 {
                    0 => format!("/s{n}/y"),
                    1 => format!("/{{t}}/x{n}"),
                    2 => format!("/w{n}/*"),
                    _ => format!("/a/b{n}/{{id}}"),
                };
                (n % 7, path)
            })
            .collect();
        let routes: Vec<_> = routes.iter().map(|(file, path)| (*file, "", path.as_str())).collect();
        // Only the parameter in front of `/x…` meets a `/w…/*`; each is reported once.
        let found = overlaps(&routes);
        assert!(found.iter().all(|(_, _, kind)| *kind == Kind::OtherFile));
        assert!(found.len() <= 5_000);
    }
}
