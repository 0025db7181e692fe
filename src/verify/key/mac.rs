//! Keyed states: built once per key, cloned per message.

use std::{borrow::Cow, fmt};

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};
use subtle::{Choice, ConstantTimeEq};

use crate::verify::{algorithm::Algorithm, encoding::MAX_SIGNATURE};

/// A keyed state of one algorithm; wiped when dropped.
#[derive(Clone)]
pub(crate) enum Keyed {
    Sha1(Hmac<Sha1>),
    Sha256(Hmac<Sha256>),
    Sha384(Hmac<Sha384>),
    Sha512(Hmac<Sha512>),
}

impl fmt::Debug for Keyed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// What a message's signature has to be under one key. A secret until it is compared.
pub(crate) struct MacBytes {
    bytes: [u8; MAX_SIGNATURE],
    len: usize,
}

impl MacBytes {
    pub(super) fn new(mac: &[u8]) -> Self {
        let mut bytes = [0; MAX_SIGNATURE];
        let len = mac.len().min(MAX_SIGNATURE);
        for (to, from) in bytes.iter_mut().zip(mac) {
            *to = *from;
        }
        Self { bytes, len }
    }

    /// The bytes.
    pub(crate) fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// Compares in time that depends on the lengths alone.
    pub(crate) fn matches(&self, signature: &[u8]) -> Choice {
        self.as_slice().ct_eq(signature)
    }
}

impl Keyed {
    /// Keys an algorithm; `None` for those that are no HMAC.
    pub(crate) fn new(algorithm: Algorithm, key: &[u8]) -> Option<Self> {
        match algorithm {
            Algorithm::HmacSha1 => Hmac::new_from_slice(key).ok().map(Self::Sha1),
            Algorithm::HmacSha256 => Hmac::new_from_slice(key).ok().map(Self::Sha256),
            Algorithm::HmacSha384 => Hmac::new_from_slice(key).ok().map(Self::Sha384),
            Algorithm::HmacSha512 => Hmac::new_from_slice(key).ok().map(Self::Sha512),
            _ => None,
        }
    }

    /// The MAC over the chunks as if they were one.
    pub(crate) fn mac(&self, chunks: &[Cow<'_, [u8]>]) -> MacBytes {
        match self {
            Self::Sha1(keyed) => over(keyed, chunks),
            Self::Sha256(keyed) => over(keyed, chunks),
            Self::Sha384(keyed) => over(keyed, chunks),
            Self::Sha512(keyed) => over(keyed, chunks),
        }
    }
}

fn over<M: Mac + Clone>(keyed: &M, chunks: &[Cow<'_, [u8]>]) -> MacBytes {
    let mut mac = keyed.clone();
    for chunk in chunks {
        mac.update(chunk);
    }
    MacBytes::new(&mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 2202 and RFC 4231, test case 2.
    #[test]
    fn published_vectors() {
        let whole = b"what do ya want for nothing?";
        let split = [Cow::Borrowed(&whole[..5]), Cow::Borrowed(&whole[5..])];
        let mac =
            |algorithm| hex::encode(Keyed::new(algorithm, b"Jefe").unwrap().mac(&split).as_slice());
        assert_eq!(mac(Algorithm::HmacSha1), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
        assert_eq!(
            mac(Algorithm::HmacSha256),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert!(mac(Algorithm::HmacSha384).starts_with("af45d2e376484031617f78d2b58a6b1b"));
        assert!(mac(Algorithm::HmacSha512).starts_with("164b7a7bfcf819e2e395fbe73b56e0a3"));
        assert!(Keyed::new(Algorithm::Token, b"Jefe").is_none());
    }

    #[test]
    fn only_the_whole_signature_matches() {
        let mac = MacBytes::new(&[1, 2, 3]);
        assert!(bool::from(mac.matches(&[1, 2, 3])));
        for other in [&[1, 2][..], &[1, 2, 3, 0], &[1, 2, 4], &[]] {
            assert!(!bool::from(mac.matches(other)));
        }
    }

    #[test]
    fn debug_shows_no_key() {
        let keyed = Keyed::new(Algorithm::HmacSha256, b"hunter2");
        assert_eq!(format!("{keyed:?}"), "Some([redacted])");
    }
}
