//! Structured headers: elements between separators, each bare or `key=value`.

use std::borrow::Cow;

use memchr::memmem;

use super::head::Read;

/// What stands between the elements of a structured header, and between key and value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Split {
    pub(crate) separator: Box<str>,
    pub(crate) assign: Box<str>,
}

impl Default for Split {
    fn default() -> Self {
        Self { separator: ",".into(), assign: "=".into() }
    }
}

impl Split {
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
    fn separators_may_be_longer() {
        let split = Split { separator: ", ".into(), assign: ",".into() };
        let all: Vec<_> = split.elements(b"v1,a, v2,b").collect();
        assert_eq!(all, [&b"v1,a"[..], b"v2,b"]);
    }
}
