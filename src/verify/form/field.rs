//! One field by its decoded name.

use std::borrow::Cow;

/// What looking for one field came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Field<'a> {
    /// Not there.
    Absent,
    /// There once, decoded.
    Once(Cow<'a, [u8]>),
    /// There more than once.
    Repeated,
}

/// Finds the one field of this decoded name in `a=b&c=d`.
pub(crate) fn field<'a>(encoded: &'a [u8], name: &str) -> Field<'a> {
    let mut found = Field::Absent;
    for pair in encoded.split(|b| *b == b'&') {
        let at = memchr::memchr(b'=', pair).unwrap_or(pair.len());
        let (key, value) = pair.split_at(at);
        if *decode(key) != *name.as_bytes() || (pair.is_empty() && name.is_empty()) {
            continue;
        }
        if found != Field::Absent {
            return Field::Repeated;
        }
        found = Field::Once(decode(value.get(1..).unwrap_or_default()));
    }
    found
}

/// Decodes `+` and `%XX`; a `%` without two digits stands for itself, as in the URL standard.
pub(crate) fn decode(text: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr2(b'%', b'+', text).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        out.push(match (first, tail) {
            (b'+', _) => b' ',
            (b'%', [high, low, after @ ..]) => match (nibble(*high), nibble(*low)) {
                (Some(high), Some(low)) => {
                    rest = after;
                    high << 4 | low
                }
                _ => b'%',
            },
            (other, _) => *other,
        });
    }
    Cow::Owned(out)
}

const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn once(text: &str) -> Field<'_> {
        Field::Once(Cow::Borrowed(text.as_bytes()))
    }

    #[test]
    fn fields_are_found_by_decoded_name() {
        assert_eq!(field(b"a=1&b=2", "b"), once("2"));
        assert_eq!(field(b"%61=x%20y+z", "a"), once("x y z"));
        assert_eq!(field(b"a&b=", "a"), once(""));
        assert_eq!(field(b"a=1=2", "a"), once("1=2"));
        assert_eq!(field(b"aa=1", "a"), Field::Absent);
        assert_eq!(field(b"", ""), Field::Absent);
        assert_eq!(field(b"a=1&%61=1", "a"), Field::Repeated);
    }

    #[test]
    fn a_percent_sign_without_digits_stands_for_itself() {
        assert_eq!(*decode(b"100%"), *b"100%");
        assert_eq!(*decode(b"%zz%4"), *b"%zz%4");
        assert_eq!(*decode(b"%%41"), *b"%A");
    }
}
