//! Headers that a header of the message lists, each on a line of its own: part of what senders of
//! canonical requests sign.

use std::{borrow::Cow, fmt};

use http::HeaderName;
use memchr::memmem;

use super::{BadText, parse::header_name};
use crate::verify::head::{Head, Read};

/// A header that lists names of headers, and those names that must be among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    /// The list, which must name itself, before the others.
    names: Vec<HeaderName>,
}

/// Longer lists are refused.
const MAX_NAMES: usize = 64;

impl Listed {
    /// Reads `LIST,NAME,NAME…`: the header with the list, and names that it must hold.
    pub(super) fn parse(text: &str) -> Result<Self, BadText> {
        let names = text.split(',').map(header_name).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { names })
    }

    /// The headers that are always among them.
    pub(crate) fn names(&self) -> &[HeaderName] {
        &self.names
    }

    /// `name:value` of every header that is listed, with `;` between them.
    ///
    /// The names must be in lower case, in order and each once, as senders write them: then the
    /// text says by itself where each value ends, because no value may hold what follows it.
    pub(super) fn read<'a>(&self, head: Head<'a>) -> Read<'a> {
        let Some(list) = self.names.first() else { return Read::Absent };
        let text = match head.header(list) {
            Read::Value(text) => text,
            other => return other,
        };
        let Some(names) = self.listed(&text) else {
            return Read::Malformed("is no list of headers in the provider's form");
        };
        let own = format!(";{list}:");
        let mut out = Vec::new();
        for (at, name) in names.iter().enumerate() {
            let value = match head.header(name) {
                Read::Value(value) => value,
                other => return other,
            };
            let value = value.trim_ascii();
            let next = names.get(at + 1).map(|next| format!(";{next}:"));
            let runs_on = |literal: &String| memmem::find(value, literal.as_bytes()).is_some();
            if runs_on(&own) || next.as_ref().is_some_and(runs_on) {
                return Read::Malformed("contains what separates the signed parts");
            }
            if at > 0 {
                out.push(b';');
            }
            out.extend_from_slice(name.as_str().as_bytes());
            out.push(b':');
            out.extend_from_slice(value);
        }
        Read::Value(Cow::Owned(out))
    }

    /// The names in the list, if it is one.
    fn listed(&self, text: &[u8]) -> Option<Vec<HeaderName>> {
        let names = text.split(|b| *b == b',');
        let names = names.take(MAX_NAMES + 1).map(|name| {
            let is_lower = !name.iter().any(u8::is_ascii_uppercase);
            HeaderName::from_bytes(name).ok().filter(|_| is_lower)
        });
        let names = names.collect::<Option<Vec<_>>>()?;
        let in_order = names.windows(2).all(|pair| match pair {
            [one, next] => one.as_str() < next.as_str(),
            _ => true,
        });
        let complete = self.names.iter().all(|name| names.contains(name));
        (names.len() <= MAX_NAMES && in_order && complete).then_some(names)
    }
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.names.iter().map(HeaderName::as_str).collect();
        write!(f, "listed:{}", names.join(","))
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, Method, Uri};
    use proptest::prelude::*;

    use super::*;

    fn read(headers: &[(&str, &str)]) -> Result<String, &'static str> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        let head = Head { method: &Method::POST, uri: &Uri::from_static("/"), headers: &map };
        match Listed::parse("X-Names,X-Time").unwrap().read(head) {
            Read::Value(text) => Ok(String::from_utf8(text.into_owned()).unwrap()),
            Read::Absent => Err("absent"),
            Read::Malformed(what) => Err(what),
            Read::Repeated => Err("repeated"),
        }
    }

    #[test]
    fn listed_headers_stand_in_order() {
        let text = read(&[("x-time", "1"), ("X-A", " b;c "), ("x-names", "x-a,x-names,x-time")]);
        assert_eq!(text.as_deref(), Ok("x-a:b;c;x-names:x-a,x-names,x-time;x-time:1"));
        let text = read(&[("x-time", "1"), ("x-names", "x-names,x-time"), ("x-other", "2")]);
        assert_eq!(text.as_deref(), Ok("x-names:x-names,x-time;x-time:1"));
    }

    #[test]
    fn a_list_is_complete_ordered_and_plain() {
        for list in [
            "",
            "x-names",
            "x-time",
            "x-time,x-names",
            "x-names,x-names,x-time",
            "X-Names,x-time",
            "x-names, x-time",
            "x-names,x-time,",
            "x-names,,x-time",
            "x-names,x time,x-time",
            &(0..80).map(|n| format!("a{n:02},")).collect::<String>(),
        ] {
            assert!(read(&[("x-time", "1"), ("x-names", list)]).is_err(), "{list}");
        }
        assert_eq!(read(&[("x-time", "1")]), Err("absent"));
        assert_eq!(read(&[("x-names", "x-names,x-time")]), Err("absent"));
        let twice = [("x-time", "1"), ("x-time", "1"), ("x-names", "x-names,x-time")];
        assert_eq!(read(&twice), Err("repeated"));
        let list = ("x-names", "x-names,x-time");
        assert_eq!(read(&[("x-time", "1"), list, list]), Err("repeated"));
    }

    #[test]
    fn values_cannot_run_into_what_follows() {
        let list = "a,b,x-names,x-time";
        let with = |a, b| read(&[("a", a), ("b", b), ("x-names", list), ("x-time", "1")]);
        assert!(with("1", "2;c:3").is_ok());
        assert!(with("1;b:2", "3").is_err());
        assert!(with("1;x-names:a,x-names,x-time", "2").is_err());
        assert!(with("1", "2;x-names:x").is_err());
    }

    proptest! {
        #[test]
        fn different_values_have_different_texts(
            one in ("[;:ab]{0,6}", "[;:ab]{0,6}"),
            other in ("[;:ab]{0,6}", "[;:ab]{0,6}"),
        ) {
            let with = |pair: &(String, String)| {
                let (a, b) = (pair.0.as_str(), pair.1.as_str());
                let list = "a,b,x-names,x-time";
                read(&[("a", a), ("b", b), ("x-names", list), ("x-time", "1")])
            };
            prop_assume!(one != other);
            if let (Ok(one), Ok(other)) = (with(&one), with(&other)) {
                prop_assert_ne!(one, other);
            }
        }
    }
}
