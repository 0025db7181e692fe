//! Published lists of addresses: how one is read, and whether a new one is believed.

use std::fmt;

use ipnet::IpNet;
use serde_json::Value;

use super::{breadth::cover_half, network};

/// Where the networks stand in a document.
///
/// Without a pointer, a text with one network a line, or a JSON array.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    pointers: Vec<Pointer>,
    filters: Vec<Filter>,
}

/// A JSON pointer (RFC 6901) in which `*` stands for every element of an array.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pointer(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Every,
    Named(Box<str>),
}

/// What must hold of the element that the pointer's last `*` stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Filter {
    at: Pointer,
    equals: Value,
}

/// Why a list is not taken over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unbelievable {
    /// No network.
    #[error("it is empty")]
    Empty,
    /// Shorter than /8, or /19 for IPv6.
    #[error("{0} is wider than any list should be")]
    Wide(IpNet),
    /// All together.
    #[error("it covers half of all addresses or more")]
    Half,
    /// Half as many as before, or fewer.
    #[error("it shrank from {before} networks to {now}")]
    Shrunk {
        /// How many there were.
        before: usize,
        /// How many there are.
        now: usize,
    },
    /// More than four times as many as before.
    #[error("it grew from {before} networks to {now}")]
    Grown {
        /// How many there were.
        before: usize,
        /// How many there are.
        now: usize,
    },
}

/// The shortest prefixes that a fetched list may hold.
const SHORTEST: (u8, u8) = (8, 19);

impl Shape {
    /// A shape by its pointers and filters, each of which is a pointer below the element and the
    /// value that must stand there.
    ///
    /// # Errors
    ///
    /// What is wrong, to be read after the key that it is about: 0 for `pointer`, 1 for `filters`,
    /// with the number of the element.
    pub fn new<'a>(
        pointers: impl IntoIterator<Item = &'a str>,
        filters: impl IntoIterator<Item = (&'a str, Value)>,
    ) -> Result<Self, ShapeError> {
        let pointers = pointers.into_iter().enumerate().map(|(number, text)| {
            Pointer::parse(text).ok_or(ShapeError::Pointer { number, text: text.into() })
        });
        let pointers = pointers.collect::<Result<Vec<_>, _>>()?;
        let filters = filters.into_iter().enumerate().map(|(number, (text, equals))| {
            let at = Pointer::parse(text);
            let at = at.ok_or(ShapeError::Filter { number, text: text.into() })?;
            Ok(Filter { at, equals })
        });
        let filters = filters.collect::<Result<Vec<_>, _>>()?;
        let without = |pointer: &Pointer| !pointer.0.contains(&Part::Every);
        if !filters.is_empty() && (pointers.is_empty() || pointers.iter().any(without)) {
            return Err(ShapeError::NothingToFilter);
        }
        Ok(Self { pointers, filters })
    }

    /// The networks of a document, sorted, each once; none is an error of [`believe`].
    ///
    /// # Errors
    ///
    /// What the document is not, or which text is no network: of a list that is half understood
    /// nothing is taken.
    pub fn read(&self, document: &[u8]) -> Result<Vec<IpNet>, String> {
        let mut networks = self.texts(document)?.iter().try_fold(Vec::new(), |mut all, text| {
            all.push(network::parse(text).map_err(|wrong| wrong.message)?);
            Ok::<_, String>(all)
        })?;
        networks.sort_unstable();
        networks.dedup();
        Ok(networks)
    }

    fn texts(&self, document: &[u8]) -> Result<Vec<String>, String> {
        let text = std::str::from_utf8(document).map_err(|_| "not UTF-8".to_owned())?;
        if self.pointers.is_empty() && !text.trim_start().starts_with(['[', '{']) {
            let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
            return Ok(lines.filter(|line| !line.is_empty()).map(str::to_owned).collect());
        }
        let document: Value =
            serde_json::from_str(text).map_err(|error| format!("no JSON: {error}"))?;
        let mut out = Vec::new();
        let root = [Pointer(Vec::new())];
        let pointers = if self.pointers.is_empty() { &root } else { self.pointers.as_slice() };
        for pointer in pointers {
            let mut values = Vec::new();
            let found = pointer.find(&document, None, &mut values);
            found.ok_or_else(|| {
                format!("there is no array of texts at {:?}", pointer.to_string())
            })?;
            for (value, element) in values {
                if self.filters.iter().all(|filter| filter.holds(element)) {
                    let text = value.as_str().ok_or("a network is no text")?;
                    out.push(text.to_owned());
                }
            }
        }
        Ok(out)
    }
}

/// Whether a list that was fetched may replace the one before it: a mistake at the provider, or
/// somebody who got hold of its list, should not open the gateway, nor close it.
///
/// # Errors
///
/// Why it may not.
pub fn believe(before: Option<&[IpNet]>, list: &[IpNet]) -> Result<(), Unbelievable> {
    if list.is_empty() {
        return Err(Unbelievable::Empty);
    }
    let (v4, v6) = SHORTEST;
    let is_wide = |network: &&IpNet| match network {
        IpNet::V4(network) => network.prefix_len() < v4,
        IpNet::V6(network) => network.prefix_len() < v6,
    };
    if let Some(wide) = list.iter().find(is_wide) {
        return Err(Unbelievable::Wide(*wide));
    }
    if cover_half(list) {
        return Err(Unbelievable::Half);
    }
    let (before, now) = (before.map_or(0, <[_]>::len), list.len());
    match before {
        0 => Ok(()),
        _ if now.saturating_mul(2) <= before => Err(Unbelievable::Shrunk { before, now }),
        _ if now > before.saturating_mul(4) => Err(Unbelievable::Grown { before, now }),
        _ => Ok(()),
    }
}

/// What is wrong with a shape.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    /// Of `pointer`.
    #[error("{text:?} is no JSON pointer")]
    Pointer {
        /// Which one.
        number: usize,
        /// As it is written.
        text: Box<str>,
    },
    /// Of a filter's `json`.
    #[error("{text:?} is no JSON pointer")]
    Filter {
        /// Which one.
        number: usize,
        /// As it is written.
        text: Box<str>,
    },
    /// Filters pick elements.
    #[error("there are elements to pick from only where each `pointer` has a `*`")]
    NothingToFilter,
}

impl Pointer {
    fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self(Vec::new()));
        }
        let part = |part: &str| match part {
            "*" => Part::Every,
            name => Part::Named(name.replace("~1", "/").replace("~0", "~").into()),
        };
        Some(Self(text.strip_prefix('/')?.split('/').map(part).collect()))
    }

    /// Every value that it leads to, each with the element of the last `*` on the way; an array at
    /// the end stands for its members. `None` if it leads nowhere, in any of the elements.
    fn find<'v>(
        &self,
        value: &'v Value,
        element: Option<&'v Value>,
        out: &mut Vec<(&'v Value, Option<&'v Value>)>,
    ) -> Option<()> {
        walk(&self.0, value, element, out)
    }
}

fn walk<'v>(
    parts: &[Part],
    value: &'v Value,
    element: Option<&'v Value>,
    out: &mut Vec<(&'v Value, Option<&'v Value>)>,
) -> Option<()> {
    match parts.split_first() {
        None => {
            match value {
                Value::Array(members) => out.extend(members.iter().map(|one| (one, element))),
                // A single network, but no document that has lost its array.
                one if element.is_some() => out.push((one, element)),
                _ => return None,
            }
            Some(())
        }
        Some((Part::Every, rest)) => {
            value.as_array()?.iter().try_for_each(|one| walk(rest, one, Some(one), out))
        }
        Some((Part::Named(name), rest)) => {
            let next = match value {
                Value::Array(members) => members.get(name.parse::<usize>().ok()?)?,
                other => other.get(&**name)?,
            };
            walk(rest, next, element, out)
        }
    }
}

impl Filter {
    fn holds(&self, element: Option<&Value>) -> bool {
        let Some(element) = element else { return false };
        let mut found = Vec::new();
        let there = self.at.find(element, Some(element), &mut found);
        there.is_some() && found.iter().any(|(value, _)| **value == self.equals)
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.0 {
            match part {
                Part::Every => f.write_str("/*")?,
                Part::Named(name) => write!(f, "/{}", name.replace('~', "~0").replace('/', "~1"))?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pointers: &[&str], filters: &[(&str, &str)], text: &str) -> Result<String, String> {
        let filters = filters.iter().map(|(at, equals)| (*at, Value::from(*equals)));
        let shape = Shape::new(pointers.iter().copied(), filters).unwrap();
        let networks = shape.read(text.as_bytes())?;
        Ok(networks.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn lines_arrays_and_pointers() {
        let want = Ok("10.0.0.0/8 192.0.2.1/32".to_owned());
        assert_eq!(read(&[], &[], "# ours\n10.0.0.0/8\n\n192.0.2.1  # one\n10.0.0.0/8"), want);
        assert_eq!(read(&[], &[], r#"["10.0.0.0/8", "192.0.2.1"]"#), want);
        let nested = r#"{"a": {"b/c": ["10.0.0.0/8", "192.0.2.1"]}}"#;
        assert_eq!(read(&["/a/b~1c"], &[], nested), want);
        assert!(read(&[], &[], nested).is_err() && read(&["/x"], &[], nested).is_err());
        assert!(read(&["/a"], &[], nested).is_err());
        for broken in ["[1]", "[\"x\"]", "[\"10.0.0.1/8\"]", "<html>", "{", "[[\"10.0.0.0/8\"]]"] {
            assert!(read(&[], &[], broken).is_err(), "{broken}");
        }
        assert!(Shape::default().read(b"\xff").is_err());
    }

    #[test]
    fn elements_are_picked_by_filters() {
        let list = r#"{"items": [
            {"cidr": "192.0.2.0/24", "product": ["jira", "trello"], "direction": ["egress"]},
            {"cidr": "198.51.100.0/24", "product": ["jira"], "direction": ["ingress"]},
            {"cidr": "2001:db8::/32", "product": ["trello"], "direction": "egress"},
            {"cidr": "203.0.113.0/24"}
        ]}"#;
        let pick = |filters: &[(&str, &str)]| read(&["/items/*/cidr"], filters, list);
        assert_eq!(pick(&[("/product/*", "jira")]).unwrap(), "192.0.2.0/24 198.51.100.0/24");
        let both = [("/product", "trello"), ("/direction", "egress")];
        assert_eq!(pick(&both).unwrap(), "192.0.2.0/24 2001:db8::/32");
        assert_eq!(pick(&[("/product/*", "none")]).unwrap(), "");
        // An element without its network makes the whole list unreadable.
        assert!(read(&["/items/*/prefix"], &[], list).is_err());
    }

    #[test]
    fn several_pointers_and_nested_arrays() {
        let aws = r#"{"prefixes": [{"ip_prefix": "192.0.2.0/24"}],
            "ipv6_prefixes": [{"ipv6_prefix": "2001:db8::/32"}]}"#;
        let both = ["/prefixes/*/ip_prefix", "/ipv6_prefixes/*/ipv6_prefix"];
        assert_eq!(read(&both, &[], aws).unwrap(), "192.0.2.0/24 2001:db8::/32");
        assert!(read(&["/prefixes/*/ip_prefix", "/x"], &[], aws).is_err());
        let lists = r#"{"prefixes": [{"p": ["192.0.2.0/24", "192.0.3.0/24"]}, {"p": []}]}"#;
        assert_eq!(read(&["/prefixes/*/p"], &[], lists).unwrap(), "192.0.2.0/24 192.0.3.0/24");
        assert_eq!(read(&["/prefixes/0/p"], &[], lists).unwrap(), "192.0.2.0/24 192.0.3.0/24");
    }

    proptest::proptest! {
        #[test]
        fn no_document_panics(text in "[\\[\\]{}\":,a0-9./ *]{0,60}", pointer in "(/[a0*~]{0,2}){0,3}") {
            if let Ok(shape) = Shape::new([pointer.as_str()], []) {
                drop(shape.read(text.as_bytes()));
            }
            drop(Shape::default().read(text.as_bytes()));
        }

        #[test]
        fn every_written_network_is_read(bits in proptest::collection::vec(0_u32.., 1..20)) {
            let nets: Vec<_> = bits.iter().map(|b| std::net::Ipv4Addr::from_bits(*b)).collect();
            let lines: String = nets.iter().map(|net| format!("{net}\n")).collect();
            let array = format!("{nets:?}").replace('[', "[\"").replace(", ", "\",\"").replace(']', "\"]");
            let read = Shape::default().read(lines.as_bytes()).unwrap();
            proptest::prop_assert_eq!(&read, &Shape::default().read(array.as_bytes()).unwrap());
            proptest::prop_assert!(nets.iter().all(|net| read.iter().any(|n| n.contains(&std::net::IpAddr::from(*net)))));
        }
    }

    #[test]
    fn shapes_that_make_no_sense() {
        let shape = |pointers: &[&'static str], filters: &[&'static str]| {
            let filters = filters.iter().map(|at| (*at, Value::from("x")));
            Shape::new(pointers.iter().copied(), filters)
        };
        assert!(matches!(shape(&["/a", "b"], &[]), Err(ShapeError::Pointer { number: 1, .. })));
        assert!(matches!(shape(&["/a/*"], &["b"]), Err(ShapeError::Filter { number: 0, .. })));
        assert_eq!(shape(&["/a"], &["/b"]), Err(ShapeError::NothingToFilter));
        assert_eq!(shape(&[], &["/b"]), Err(ShapeError::NothingToFilter));
    }

    #[test]
    fn what_is_believed() {
        let nets = |count: u32| -> Vec<IpNet> {
            let nth = |n: u32| ipnet::Ipv4Net::new((0xc000_0000 + n).into(), 32).unwrap().into();
            (0..count).map(nth).collect()
        };
        let one = |text: &str| believe(None, &[text.parse().unwrap()]);
        assert_eq!(believe(None, &[]), Err(Unbelievable::Empty));
        assert!(one("10.0.0.0/8").is_ok() && one("2001:2000::/19").is_ok());
        for wide in ["10.0.0.0/7", "0.0.0.0/0", "2001::/18", "::/0"] {
            assert!(matches!(one(wide), Err(Unbelievable::Wide(_))), "{wide}");
        }
        let half: Vec<IpNet> = (0..128).map(|n| format!("{n}.0.0.0/8").parse().unwrap()).collect();
        assert_eq!(believe(None, &half), Err(Unbelievable::Half));
        let from = |before, now| believe(Some(&nets(before)), &nets(now));
        assert!(from(10, 6).is_ok() && from(10, 40).is_ok() && from(10, 10).is_ok());
        assert_eq!(from(10, 5), Err(Unbelievable::Shrunk { before: 10, now: 5 }));
        assert_eq!(from(10, 41), Err(Unbelievable::Grown { before: 10, now: 41 }));
        assert_eq!(from(10, 0), Err(Unbelievable::Empty));
        assert!(from(0, 100).is_ok());
    }
}
