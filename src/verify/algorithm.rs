//! The algorithms, by the names that definitions and policies use.

use std::fmt;

/// An algorithm by the name that definitions and `policy.forbid_algorithms` use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// `ecdsa-p256-sha256`
    EcdsaP256Sha256,
    /// `ecdsa-p384-sha384`
    EcdsaP384Sha384,
    /// `ed25519`
    Ed25519,
    /// `hmac-sha1`
    HmacSha1,
    /// `hmac-sha256`
    HmacSha256,
    /// `hmac-sha384`
    HmacSha384,
    /// `hmac-sha512`
    HmacSha512,
    /// `none`: the message proves nothing.
    None,
    /// `rsa-pss-sha256`
    RsaPssSha256,
    /// `rsa-pss-sha384`
    RsaPssSha384,
    /// `rsa-pss-sha512`
    RsaPssSha512,
    /// `rsa-sha1`: PKCS #1 v1.5, like the next three.
    RsaSha1,
    /// `rsa-sha256`
    RsaSha256,
    /// `rsa-sha384`
    RsaSha384,
    /// `rsa-sha512`
    RsaSha512,
    /// `sha1`: a plain digest over a text that contains the secret, like the next two.
    Sha1,
    /// `sha256`
    Sha256,
    /// `sha512`
    Sha512,
    /// `token`: a static secret, compared.
    Token,
}

/// How an ECDSA signature is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EcdsaForm {
    /// ASN.1 DER, as most libraries write it.
    #[default]
    Der,
    /// Both numbers at full width, one after the other (IEEE P1363; RFC 7518, section 3.4).
    Raw,
}

impl Algorithm {
    /// Every algorithm of the engine, sorted by name.
    pub const ALL: &'static [Self] = &[
        Self::EcdsaP256Sha256,
        Self::EcdsaP384Sha384,
        Self::Ed25519,
        Self::HmacSha1,
        Self::HmacSha256,
        Self::HmacSha384,
        Self::HmacSha512,
        Self::None,
        Self::RsaPssSha256,
        Self::RsaPssSha384,
        Self::RsaPssSha512,
        Self::RsaSha1,
        Self::RsaSha256,
        Self::RsaSha384,
        Self::RsaSha512,
        Self::Sha1,
        Self::Sha256,
        Self::Sha512,
        Self::Token,
    ];

    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EcdsaP256Sha256 => "ecdsa-p256-sha256",
            Self::EcdsaP384Sha384 => "ecdsa-p384-sha384",
            Self::Ed25519 => "ed25519",
            Self::HmacSha1 => "hmac-sha1",
            Self::HmacSha256 => "hmac-sha256",
            Self::HmacSha384 => "hmac-sha384",
            Self::HmacSha512 => "hmac-sha512",
            Self::None => "none",
            Self::RsaPssSha256 => "rsa-pss-sha256",
            Self::RsaPssSha384 => "rsa-pss-sha384",
            Self::RsaPssSha512 => "rsa-pss-sha512",
            Self::RsaSha1 => "rsa-sha1",
            Self::RsaSha256 => "rsa-sha256",
            Self::RsaSha384 => "rsa-sha384",
            Self::RsaSha512 => "rsa-sha512",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
            Self::Token => "token",
        }
    }

    /// Reads a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|a| a.as_str() == name)
    }

    /// How long a signature is, in bytes; `None` where that depends on the key or on nothing.
    pub const fn output_bytes(self) -> Option<usize> {
        match self {
            Self::HmacSha1 | Self::Sha1 => Some(20),
            Self::HmacSha256 | Self::Sha256 => Some(32),
            Self::HmacSha384 => Some(48),
            Self::HmacSha512 | Self::Sha512 | Self::Ed25519 => Some(64),
            _ => None,
        }
    }

    /// Whether it is verified with a public key.
    pub const fn is_asymmetric(self) -> bool {
        matches!(
            self,
            Self::EcdsaP256Sha256
                | Self::EcdsaP384Sha384
                | Self::Ed25519
                | Self::RsaPssSha256
                | Self::RsaPssSha384
                | Self::RsaPssSha512
                | Self::RsaSha1
                | Self::RsaSha256
                | Self::RsaSha384
                | Self::RsaSha512
        )
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::parse(algorithm.as_str()), Some(*algorithm));
        }
        assert_eq!(Algorithm::parse("HMAC-SHA256"), None);
    }
}
