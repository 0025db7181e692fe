//! What may be done to a value before it is signed, and what may be demanded of it.

use std::borrow::Cow;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

use crate::verify::{form, time};

/// One filter of a template's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filter {
    Base64,
    Base64Url,
    Digits,
    Hex,
    Line,
    Lower,
    Rfc3339,
    Sha1,
    Sha256,
    Sha384,
    Sha512,
    UrlDecode,
    Uuid,
    Word,
}

/// What is known of the form of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// ASCII digits, any number of them.
    Digits,
    /// Anything.
    Free,
    /// Exactly so many bytes.
    Width(usize),
    /// Never a proper prefix or suffix of another value of the same class: RFC 3339, methods.
    SelfDelimiting,
    /// Letters, digits and `-._~+/=`: above all no colon, so that an RFC 3339 time can follow.
    Word,
}

impl Filter {
    /// The names of the language.
    pub(super) const NAMES: &'static [&'static str] = &[
        "sha1",
        "sha256",
        "sha384",
        "sha512",
        "hex",
        "base64",
        "base64url",
        "lower",
        "urldecode",
        "digits",
        "rfc3339",
        "uuid",
        "word",
        "line",
    ];

    /// Names that a later version brings.
    pub(super) const LATER: &'static [&'static str] =
        &["sorted-distinct", "sorted-last", "sorted", "crc32", "urlencode"];

    /// Reads a name.
    pub(super) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "sha1" => Self::Sha1,
            "sha256" => Self::Sha256,
            "sha384" => Self::Sha384,
            "sha512" => Self::Sha512,
            "hex" => Self::Hex,
            "base64" => Self::Base64,
            "base64url" => Self::Base64Url,
            "lower" => Self::Lower,
            "urldecode" => Self::UrlDecode,
            "digits" => Self::Digits,
            "rfc3339" => Self::Rfc3339,
            "uuid" => Self::Uuid,
            "word" => Self::Word,
            "line" => Self::Line,
            _ => return None,
        })
    }

    /// Whether two values that it maps to the same bytes are the same value, for all that can be
    /// computed.
    pub(super) const fn keeps_apart(self) -> bool {
        !matches!(self, Self::Lower | Self::Sha1 | Self::UrlDecode)
    }

    /// Whether its result never holds a line break.
    pub(super) const fn is_line(self) -> bool {
        matches!(
            self,
            Self::Base64
                | Self::Base64Url
                | Self::Digits
                | Self::Hex
                | Self::Line
                | Self::Rfc3339
                | Self::Uuid
                | Self::Word
        )
    }

    /// What is known of the form of its result.
    pub(super) const fn class(self, before: Class) -> Class {
        match (self, before) {
            (Self::Sha1, _) => Class::Width(20),
            (Self::Sha256, _) => Class::Width(32),
            (Self::Sha384, _) => Class::Width(48),
            (Self::Sha512, _) => Class::Width(64),
            (Self::Uuid, _) => Class::Width(36),
            (Self::Rfc3339, _) => Class::SelfDelimiting,
            (Self::Word, Class::Free) => Class::Word,
            (Self::Word | Self::Line, _) => before,
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
            Self::Sha1 => Sha1::digest(&value).to_vec().into(),
            Self::Sha256 => Sha256::digest(&value).to_vec().into(),
            Self::Sha384 => Sha384::digest(&value).to_vec().into(),
            Self::Sha512 => Sha512::digest(&value).to_vec().into(),
            Self::Hex => hex::encode(&value).into_bytes().into(),
            Self::Base64 => STANDARD.encode(&value).into_bytes().into(),
            Self::Base64Url => URL_SAFE_NO_PAD.encode(&value).into_bytes().into(),
            Self::Lower => value.to_ascii_lowercase().into(),
            Self::UrlDecode => form::decode(&value).into_owned().into(),
            Self::Digits => time::is_digits(&value).then_some(value)?,
            Self::Rfc3339 => time::rfc3339(&value).and(Some(value))?,
            Self::Uuid => time::is_uuid(&value).then_some(value)?,
            Self::Word => is_word(&value).then_some(value)?,
            Self::Line => (!value.iter().any(u8::is_ascii_control)).then_some(value)?,
        })
    }
}

/// Letters, digits and `-._~+/=`, at least one.
fn is_word(value: &[u8]) -> bool {
    let in_word = |b: &u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(b);
    !value.is_empty() && value.iter().all(in_word)
}
