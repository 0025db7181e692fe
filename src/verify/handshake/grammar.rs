//! What a challenge may look like.

use super::MAX_ANSWER;

/// The bytes and the lengths of which a challenge may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Grammar {
    pub(super) class: Class,
    pub(super) min: usize,
    pub(super) max: usize,
}

/// Which bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Class {
    /// Any.
    #[default]
    Any,
    /// Decimal digits.
    Digits,
    /// Hexadecimal digits, lower case.
    Hex,
    /// 8-4-4-4-12 hexadecimal digits of either case.
    Uuid,
    /// Letters, digits and `-._~+/=`.
    Word,
}

impl Class {
    /// The names of the language.
    pub(super) const NAMES: &'static [&'static str] = &["digits", "hex", "uuid", "word"];

    pub(super) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "digits" => Self::Digits,
            "hex" => Self::Hex,
            "uuid" => Self::Uuid,
            "word" => Self::Word,
            _ => return None,
        })
    }

    const fn has(self, at: usize, byte: u8) -> bool {
        match self {
            Self::Any => true,
            Self::Digits => byte.is_ascii_digit(),
            Self::Hex => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            Self::Uuid if matches!(at, 8 | 13 | 18 | 23) => byte == b'-',
            Self::Uuid => byte.is_ascii_hexdigit(),
            Self::Word => {
                byte.is_ascii_alphanumeric()
                    || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
            }
        }
    }
}

impl Default for Grammar {
    fn default() -> Self {
        Self { class: Class::Any, min: 1, max: MAX_ANSWER }
    }
}

impl Grammar {
    /// Whether these pieces in a row are such a challenge.
    pub(super) fn fits<'c>(&self, chunks: impl Iterator<Item = &'c [u8]>) -> bool {
        let mut len = 0_usize;
        for chunk in chunks {
            // What is too long is not looked at: deliveries usually are.
            if len.saturating_add(chunk.len()) > self.max
                || !chunk.iter().zip(len..).all(|(byte, at)| self.class.has(at, *byte))
            {
                return false;
            }
            len += chunk.len();
        }
        len >= self.min && (self.class != Class::Uuid || len == 36)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fits(class: Class, text: &str) -> bool {
        Grammar { class, ..Grammar::default() }.fits([text.as_bytes()].into_iter())
    }

    #[test]
    fn classes_take_what_they_say() {
        assert!(fits(Class::Digits, "0123") && !fits(Class::Digits, "1a"));
        assert!(fits(Class::Hex, "09af") && !fits(Class::Hex, "AF"));
        let uuid = "9b4507b3-9040-4669-9CA3-6b94edb50553";
        assert!(fits(Class::Uuid, uuid));
        assert!(
            !fits(Class::Uuid, &uuid.replace('-', "0"))
                && !fits(Class::Uuid, uuid.trim_start_matches('9'))
        );
        assert!(fits(Class::Word, "aZ09-._~+/="));
        for other in ["{}", "[]", "\"a\"", "a b", "a\n", "a:b", "é", "a&b", "<a>"] {
            assert!(!fits(Class::Word, other), "{other}");
            assert!(fits(Class::Any, other), "{other}");
        }
        for class in [Class::Any, Class::Digits, Class::Hex, Class::Uuid, Class::Word] {
            assert!(!fits(class, ""));
        }
    }

    proptest! {
        #[test]
        fn pieces_are_judged_as_the_whole(text in "[a-f0-9-]{0,40}", at in 0_usize..40) {
            let at = at.min(text.len());
            let (a, b) = text.as_bytes().split_at(at);
            for class in [Class::Hex, Class::Uuid, Class::Word] {
                let grammar = Grammar { class, min: 3, max: 36 };
                prop_assert_eq!(
                    grammar.fits([a, b, b""].into_iter()),
                    grammar.fits([text.as_bytes()].into_iter())
                );
            }
        }
    }
}
