//! What may be done to a value before it is signed, and what may be demanded of it.

use std::borrow::Cow;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::crc32::crc32;
use crate::verify::{form, time};

/// One filter of a template's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filter {
    Base64,
    Base64Url,
    Crc32,
    Digits,
    EncodeTarget,
    Free,
    Hex,
    Json,
    Line,
    Lower,
    OpenQuery,
    OrEmpty,
    Origin,
    Rfc3339,
    Sha1,
    Sha256,
    Sha384,
    Sha512,
    Sorted,
    SortedDistinct,
    SortedQuery,
    UrlDecode,
    Utf8,
    Uuid,
    WithPort,
    WithoutPort,
    Word,
}

/// What is known of the form of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// ASCII digits, any number of them.
    Digits,
    /// Anything, but not what separates it from the next part.
    Free,
    /// Anything at all: the one part of a template that may be.
    Open,
    /// Exactly so many bytes.
    Width(usize),
    /// Never a proper prefix or suffix of another value of the same class: RFC 3339, methods.
    SelfDelimiting,
    /// Letters, digits and `-._~+/=`: above all no colon, so that an RFC 3339 time can follow.
    Word,
}

/// The names of the language.
const NAMES: &[(&str, Filter)] = &[
    ("sha1", Filter::Sha1),
    ("sha256", Filter::Sha256),
    ("sha384", Filter::Sha384),
    ("sha512", Filter::Sha512),
    ("crc32", Filter::Crc32),
    ("hex", Filter::Hex),
    ("json", Filter::Json),
    ("base64", Filter::Base64),
    ("base64url", Filter::Base64Url),
    ("lower", Filter::Lower),
    ("urldecode", Filter::UrlDecode),
    ("sorted", Filter::Sorted),
    ("sorted-distinct", Filter::SortedDistinct),
    ("sorted-query", Filter::SortedQuery),
    ("open-query", Filter::OpenQuery),
    ("encode-target", Filter::EncodeTarget),
    ("origin", Filter::Origin),
    ("with-port", Filter::WithPort),
    ("without-port", Filter::WithoutPort),
    ("digits", Filter::Digits),
    ("rfc3339", Filter::Rfc3339),
    ("utf8", Filter::Utf8),
    ("uuid", Filter::Uuid),
    ("word", Filter::Word),
    ("line", Filter::Line),
    ("free", Filter::Free),
    ("or-empty", Filter::OrEmpty),
];

impl Filter {
    /// The names of the language.
    pub(super) fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(name, _)| *name)
    }

    /// Reads a name.
    pub(super) fn parse(name: &str) -> Option<Self> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, filter)| *filter)
    }

    /// Whether two values that it maps to the same bytes are the same value, for all that can be
    /// computed.
    pub(super) const fn keeps_apart(self) -> bool {
        match self {
            Self::Base64
            | Self::Base64Url
            | Self::Digits
            | Self::EncodeTarget
            | Self::Free
            | Self::Hex
            | Self::Json
            | Self::Line
            | Self::Rfc3339
            | Self::Sha256
            | Self::Sha384
            | Self::Sha512
            | Self::Utf8
            | Self::Uuid
            | Self::Word => true,
            // Anybody can find another value of the same sum.
            Self::Crc32 | Self::Sha1 => false,
            // What stood where is lost.
            Self::Sorted | Self::SortedDistinct | Self::SortedQuery | Self::OpenQuery => false,
            Self::Lower | Self::UrlDecode => false,
            // What is not there is the same as what is empty.
            Self::OrEmpty => false,
            Self::Origin | Self::WithPort | Self::WithoutPort => false,
        }
    }

    /// Whether its result never holds a line break.
    pub(super) const fn is_line(self) -> bool {
        matches!(
            self,
            Self::Base64
                | Self::Base64Url
                | Self::Digits
                | Self::Hex
                | Self::Json
                | Self::Line
                | Self::Rfc3339
                | Self::Uuid
                | Self::Word
        )
    }

    /// Whether no result of it can go on with a byte of 0x80, with which the padding of a digest
    /// begins (FIPS 180-4, section 5.1).
    pub(super) const fn is_text(self) -> bool {
        matches!(
            self,
            Self::Base64
                | Self::Base64Url
                | Self::Crc32
                | Self::Digits
                | Self::Hex
                | Self::Json
                | Self::Rfc3339
                | Self::Utf8
                | Self::Uuid
                | Self::Word
        )
    }

    /// What is known of the form of its result.
    pub(super) const fn class(self, before: Class) -> Class {
        match (self, before) {
            (Self::Free | Self::Json | Self::Sorted | Self::SortedDistinct, _) => Class::Open,
            (Self::Line | Self::OrEmpty | Self::Utf8, _) => before,
            (Self::Crc32, _) => Class::Digits,
            (Self::Sha1, _) => Class::Width(20),
            (Self::Sha256, _) => Class::Width(32),
            (Self::Sha384, _) => Class::Width(48),
            (Self::Sha512, _) => Class::Width(64),
            (Self::Uuid, _) => Class::Width(36),
            (Self::Rfc3339, _) => Class::SelfDelimiting,
            (Self::Word, Class::Free | Class::Open) => Class::Word,
            (Self::Word, _) => before,
            (Self::Digits, Class::Width(n)) => Class::Width(n),
            (Self::Digits, _) => Class::Digits,
            (Self::Hex, Class::Width(n)) => Class::Width(2 * n),
            (Self::Base64, Class::Width(n)) => Class::Width(n.div_ceil(3) * 4),
            (Self::Base64Url, Class::Width(n)) => Class::Width((n * 4).div_ceil(3)),
            (Self::Lower, Class::Digits | Class::Width(_)) => before,
            _ => Class::Free,
        }
    }

    /// Applies it; `None` where the value is not of the demanded grammar.
    pub(super) fn apply(self, value: Cow<'_, [u8]>) -> Option<Cow<'_, [u8]>> {
        Some(match self {
            Self::Crc32 => crc32(&value).to_string().into_bytes().into(),
            Self::Sha1 => Sha1::digest(&value).to_vec().into(),
            Self::Sha256 => Sha256::digest(&value).to_vec().into(),
            Self::Sha384 => Sha384::digest(&value).to_vec().into(),
            Self::Sha512 => Sha512::digest(&value).to_vec().into(),
            Self::Hex => hex::encode(&value).into_bytes().into(),
            Self::Base64 => STANDARD.encode(&value).into_bytes().into(),
            Self::Base64Url => URL_SAFE_NO_PAD.encode(&value).into_bytes().into(),
            Self::Json => serde_json::to_vec(std::str::from_utf8(&value).ok()?).ok()?.into(),
            Self::Lower => value.to_ascii_lowercase().into(),
            Self::UrlDecode => form::decode(&value).into_owned().into(),
            Self::Sorted => form::sorted(&value)?.into(),
            Self::SortedDistinct => form::sorted_distinct(&value)?.into(),
            Self::SortedQuery => form::sorted_query(&value)?.into(),
            Self::OpenQuery => form::open_query(&value)?.into(),
            Self::EncodeTarget => form::encode_target(&value)?.into(),
            Self::Origin => form::origin(&value)?.into(),
            Self::WithPort => form::with_port(&value)?.into(),
            Self::WithoutPort => form::without_port(&value)?.into(),
            Self::Digits => time::is_digits(&value).then_some(value)?,
            Self::Rfc3339 => time::rfc3339(&value).and(Some(value))?,
            Self::Utf8 => std::str::from_utf8(&value).is_ok().then_some(value)?,
            Self::Uuid => time::is_uuid(&value).then_some(value)?,
            Self::Word => is_word(&value).then_some(value)?,
            Self::Line => (!value.iter().any(u8::is_ascii_control)).then_some(value)?,
            Self::Free | Self::OrEmpty => value,
        })
    }
}

/// Letters, digits and `-._~+/=`, at least one.
fn is_word(value: &[u8]) -> bool {
    let in_word = |b: &u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(b);
    !value.is_empty() && value.iter().all(in_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(filters: &str, value: &str) -> Option<String> {
        let mut value: Cow<'_, [u8]> = Cow::Borrowed(value.as_bytes());
        for name in filters.split('|') {
            value = Filter::parse(name).unwrap().apply(value)?;
        }
        Some(String::from_utf8(value.into_owned()).unwrap())
    }

    #[test]
    fn values_are_changed_as_the_names_say() {
        for (filters, value, expected) in [
            ("crc32", "123456789", "3421780262"),
            ("sorted", "b=2&a=1&a=0", "a0a1b2"),
            ("sorted-distinct", "b=2&a=1&a=1", "a1b2"),
            ("sorted-query", "/p?b=2&a=%31", "/p?a=1&b=2"),
            ("open-query", "https://h/p?a=1", "https://h/p?a=1."),
            ("encode-target", "/p?a=1", "/p?a%253D1"),
            ("origin|with-port", "https://h/p", "https://h:443"),
            ("without-port", "https://h:1/p", "https://h/p"),
            ("utf8", "é", "é"),
            ("free", "a:b", "a:b"),
        ] {
            assert_eq!(apply(filters, value).as_deref(), Some(expected), "{filters}");
        }
        assert_eq!(Filter::Utf8.apply(Cow::Borrowed(b"{}\x80")), None);
        assert_eq!(Filter::Json.apply(Cow::Borrowed(b"{}\x80")), None);
        let quoted = apply("json", "{\"a\":\n\u{1}\u{e9}/<\u{2028}\\}");
        assert_eq!(quoted.unwrap(), "\"{\\\"a\\\":\\n\\u0001\u{e9}/<\u{2028}\\\\}\"");
        assert_eq!(apply("with-port", "/p"), None);
    }

    #[test]
    fn every_name_is_read() {
        for (name, filter) in NAMES {
            assert_eq!(Filter::parse(name), Some(*filter));
        }
        assert_eq!(Filter::names().count(), NAMES.len());
    }
}
