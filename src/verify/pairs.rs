//! Structured headers: elements between separators, each bare or `key=value`.
//!
//! Where the elements are bare, their keys are their positions, from 1.

use std::borrow::Cow;

use memchr::memmem;

use super::head::Read;

/// What stands between the elements of a structured header, and between key and value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Split {
    pub(crate) separator: Box<str>,
    /// Empty where elements are bare.
    pub(crate) assign: Box<str>,
}

impl Default for Split {
    fn default() -> Self {
        Self { separator: ",".into(), assign: "=".into() }
    }
}

impl Split {
    /// How the elements of a list are told apart.
    pub(crate) fn of_list(separator: Box<str>) -> Self {
        Self { separator, assign: Box::default() }
    }

    /// Whether elements have no key but their position.
    pub(crate) fn is_list(&self) -> bool {
        self.assign.is_empty()
    }

    /// The elements in order.
    pub(crate) fn elements<'a>(&self, header: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        let mut rest = Some(header);
        let separator = self.separator.as_bytes();
        std::iter::from_fn(move || {
            let all = rest.take()?;
            let Some((element, after)) = split_once(all, separator) else { return Some(all) };
            rest = Some(after);
            Some(element)
        })
    }

    /// Key and value of an element; `None` where it is not a pair.
    pub(crate) fn key_value<'a>(&self, element: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
        split_once(element, self.assign.as_bytes())
    }

    /// The one value of a key.
    pub(crate) fn pair<'a>(&self, header: Read<'a>, key: &str) -> Read<'a> {
        let header = match header {
            Read::Value(Cow::Borrowed(header)) => header,
            other => return other,
        };
        if self.is_list() {
            let at = key.parse().ok().and_then(|n: usize| n.checked_sub(1));
            let element = at.and_then(|at| self.elements(header).nth(at));
            return element.map_or(Read::Absent, |value| Read::Value(Cow::Borrowed(value)));
        }
        let mut found = Read::Absent;
        for element in self.elements(header) {
            match self.key_value(element) {
                Some((k, value)) if k == key.as_bytes() => {
                    if found != Read::Absent {
                        return Read::Repeated;
                    }
                    found = Read::Value(Cow::Borrowed(value));
                }
                _ => {}
            }
        }
        found
    }
}

/// Splits at the first occurrence; `at` is one byte nearly always.
pub(crate) fn split_once<'a>(text: &'a [u8], at: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let index = match at {
        [one] => memchr::memchr(*one, text)?,
        several => memmem::find(text, several)?,
    };
    let (before, rest) = text.split_at_checked(index)?;
    Some((before, rest.get(at.len()..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<'a>(header: &'a str, key: &str) -> Read<'a> {
        let split = Split { separator: ",".into(), assign: "=".into() };
        split.pair(Read::Value(Cow::Borrowed(header.as_bytes())), key)
    }

    #[test]
    fn a_key_counts_once_and_exactly() {
        assert_eq!(read("t=1,v1=a=b", "v1"), Read::Value(b"a=b".into()));
        assert_eq!(read("t=1,v1=a", "v"), Read::Absent);
        assert_eq!(read("t=1, v1=a", "v1"), Read::Absent);
        assert_eq!(read("t=1,t=1", "t"), Read::Repeated);
        assert_eq!(read("t", "t"), Read::Absent);
        assert_eq!(read("t=", "t"), Read::Value(b"".into()));
        assert_eq!(read(",,=,", "t"), Read::Absent);
    }

    #[test]
    fn elements_of_a_list_are_counted() {
        let list = Split::of_list(",".into());
        let read = |text: &'static str, key| list.pair(Read::Value(text.as_bytes().into()), key);
        assert_eq!(read("1,a=b,c", "1"), Read::Value(b"1".into()));
        assert_eq!(read("1,a=b,c", "2"), Read::Value(b"a=b".into()));
        assert_eq!(read("1, a", "2"), Read::Value(b" a".into()));
        assert_eq!(read("", "1"), Read::Value(b"".into()));
        for key in ["0", "2", "x", "-1", "99999999999999999999"] {
            assert_eq!(read("1", key), Read::Absent, "{key}");
        }
        assert_eq!(list.pair(Read::Repeated, "1"), Read::Repeated);
    }

    #[test]
    fn separators_may_be_longer() {
        let split = Split { separator: ", ".into(), assign: ",".into() };
        let all: Vec<_> = split.elements(b"v1,a, v2,b").collect();
        assert_eq!(all, [&b"v1,a"[..], b"v2,b"]);
    }
}
