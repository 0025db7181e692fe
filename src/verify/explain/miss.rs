//! What would have matched, in words.

use std::{fmt, sync::Arc};

use super::Reshaped;
use crate::verify::Algorithm;

/// Something that would have matched. Its text never holds a byte of a secret, nor a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NearMiss {
    /// The signature is of another algorithm.
    Algorithm {
        /// Which.
        is: Algorithm,
        /// What the definition takes.
        wanted: Algorithm,
    },
    /// The body was changed on its way.
    Body(Reshaped),
    /// A secret that is configured, but has expired.
    Expired(Arc<str>),
    /// A public key that is configured, but has expired, itself or its certificate.
    ExpiredKey(Arc<str>),
    /// The message names a key that no secret or public key has as its id.
    KeyId(Arc<str>),
    /// A secret, changed in this way.
    Key(Arc<str>, KeyChange),
    /// The token differs in case alone.
    LetterCase(Arc<str>),
    /// The signature is right, but the request came to another path or query than the registered.
    OtherPath,
    /// The registered URL is another.
    Url {
        /// Which, without its query.
        shown: String,
    },
    /// A configured secret, which the scheme takes for another signature.
    Slot(Arc<str>),
    /// The signature is spelled in another way.
    Spelling {
        /// How it is spelled.
        is: &'static str,
        /// How the definition has it.
        wanted: &'static str,
    },
    /// The timestamp was signed in another unit.
    TimestampUnit {
        /// What was signed.
        signed: &'static str,
    },
    /// The signature is right but for what must stand before it.
    Unprefixed,
}

/// What was done to a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyChange {
    /// Decoded from base64.
    FromBase64,
    /// Decoded from hexadecimal.
    FromHex,
    /// Taken as it is written.
    NotDecoded,
    /// Its whitespace taken off.
    Trimmed,
    /// A newline put at its end.
    WithNewline,
    /// What stands before its first underscore taken off.
    WithoutPrefix,
}

impl fmt::Display for KeyChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FromBase64 => "decoded from base64",
            Self::FromHex => "decoded from hexadecimal",
            Self::NotDecoded => "as it is written, not decoded",
            Self::Trimmed => "without the whitespace around it",
            Self::WithNewline => "with a newline at its end",
            Self::WithoutPrefix => "without its prefix",
        })
    }
}

impl fmt::Display for NearMiss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Algorithm { is, wanted } => {
                write!(f, "it matches as {is}; the definition takes {wanted}")
            }
            Self::Body(how) => {
                write!(f, "it matches the body {how}: something on the way changed the body")
            }
            Self::Expired(id) => write!(f, "it matches the secret `{id}`, which has expired"),
            Self::ExpiredKey(id) => write!(f, "it matches the key `{id}`, which has expired"),
            Self::KeyId(id) => {
                write!(f, "it matches `{id}`, but the message names another key id: check its `id`")
            }
            Self::Key(id, how) => write!(f, "it matches the secret `{id}` {how}"),
            Self::LetterCase(id) => {
                write!(f, "it equals the secret `{id}` but for upper and lower case")
            }
            Self::OtherPath => f.write_str(
                "it matches expect.url, but the request came to another path or query than that",
            ),
            Self::Url { shown } => write!(f, "it matches with expect.url = \"{shown}\""),
            Self::Slot(id) => write!(
                f,
                "it matches the secret `{id}`, which stands at another place in `secrets`"
            ),
            Self::Spelling { is, wanted } => {
                write!(f, "it matches, but is spelled in {is}; the definition has {wanted}")
            }
            Self::TimestampUnit { signed } => {
                write!(f, "it matches with the timestamp in {signed}")
            }
            Self::Unprefixed => f.write_str("it matches, but lacks the prefix of the definition"),
        }
    }
}
