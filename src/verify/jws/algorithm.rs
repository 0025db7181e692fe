//! The algorithms by the names that JOSE gives them.

use crate::verify::{Algorithm, EcdsaForm};

/// A signature algorithm of JOSE (RFC 7518, section 3.1; RFC 8037; RFC 9864).
///
/// `none` is not among them, and neither are those that no sender of webhooks uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum JoseAlgorithm {
    /// `EdDSA`, and `Ed25519`: the same with its curve named.
    EdDsa,
    Es256,
    Es384,
    Hs256,
    Hs384,
    Hs512,
    Ps256,
    Ps384,
    Ps512,
    Rs256,
    Rs384,
    Rs512,
}

/// The names, of which the first of each algorithm is the one that is written.
const NAMES: &[(&str, JoseAlgorithm)] = &[
    ("ES256", JoseAlgorithm::Es256),
    ("ES384", JoseAlgorithm::Es384),
    ("Ed25519", JoseAlgorithm::EdDsa),
    ("EdDSA", JoseAlgorithm::EdDsa),
    ("HS256", JoseAlgorithm::Hs256),
    ("HS384", JoseAlgorithm::Hs384),
    ("HS512", JoseAlgorithm::Hs512),
    ("PS256", JoseAlgorithm::Ps256),
    ("PS384", JoseAlgorithm::Ps384),
    ("PS512", JoseAlgorithm::Ps512),
    ("RS256", JoseAlgorithm::Rs256),
    ("RS384", JoseAlgorithm::Rs384),
    ("RS512", JoseAlgorithm::Rs512),
];

impl JoseAlgorithm {
    /// Every name, sorted.
    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(name, _)| *name)
    }

    /// Reads a name; names are case-sensitive (RFC 7515, section 4.1.1).
    pub(crate) fn parse(name: &str) -> Option<Self> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, algorithm)| *algorithm)
    }

    /// The name that tokens carry.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            // What nearly every library writes and reads.
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
        }
    }

    /// The algorithm of the engine; ECDSA signatures are [`Self::ECDSA`].
    pub(crate) const fn algorithm(self) -> Algorithm {
        match self {
            Self::EdDsa => Algorithm::Ed25519,
            Self::Es256 => Algorithm::EcdsaP256Sha256,
            Self::Es384 => Algorithm::EcdsaP384Sha384,
            Self::Hs256 => Algorithm::HmacSha256,
            Self::Hs384 => Algorithm::HmacSha384,
            Self::Hs512 => Algorithm::HmacSha512,
            Self::Ps256 => Algorithm::RsaPssSha256,
            Self::Ps384 => Algorithm::RsaPssSha384,
            Self::Ps512 => Algorithm::RsaPssSha512,
            Self::Rs256 => Algorithm::RsaSha256,
            Self::Rs384 => Algorithm::RsaSha384,
            Self::Rs512 => Algorithm::RsaSha512,
        }
    }

    /// How an ECDSA signature is written (RFC 7518, section 3.4).
    pub(crate) const ECDSA: EcdsaForm = EcdsaForm::Raw;
}
