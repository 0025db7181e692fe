//! Private keys: to make requests as a provider would.

use std::fmt;

use aws_lc_rs::{
    encoding::{AsDer as _, PublicKeyX509Der},
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        self as lc, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, RsaEncoding,
        RsaKeyPair,
    },
};
use zeroize::Zeroizing;

use super::{jwk, pem, read::base64, verifying::VerifyingKey};
use crate::verify::algorithm::{Algorithm, EcdsaForm};

/// A private key; the library wipes it when it is dropped.
pub struct SigningKey {
    kid: Option<Box<str>>,
    pair: Pair,
}

enum Pair {
    Ed25519(Ed25519KeyPair),
    P256(Ecdsa),
    P384(Ecdsa),
    Rsa(RsaKeyPair),
}

/// The library binds a key to the form of its signatures.
struct Ecdsa {
    der: EcdsaKeyPair,
    raw: EcdsaKeyPair,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey([redacted])")
    }
}

impl SigningKey {
    /// Reads a private key: PEM (`PRIVATE KEY`, `EC PRIVATE KEY`, `RSA PRIVATE KEY`), its DER or
    /// base64 of it, a private JWK, Standard Webhooks' `whsk_…`, or the 32 bytes of an Ed25519 seed
    /// in hex or base64.
    ///
    /// # Errors
    ///
    /// What is wrong, to be read after the key's name; never a byte of it.
    pub fn read(text: &[u8]) -> Result<Self, String> {
        let unknown = || UNKNOWN.to_owned();
        let Ok(text) = std::str::from_utf8(text) else {
            return Self::from_der(text).ok_or_else(unknown);
        };
        let text = text.trim_ascii();
        if pem::is_meant(text) {
            let blocks = pem::blocks(text)?;
            let block = blocks.iter().find(|block| block.label.ends_with("PRIVATE KEY"));
            let block = block.ok_or_else(|| "is PEM without a private key".to_owned())?;
            return Self::from_der(&block.der).ok_or_else(unknown);
        }
        if text.starts_with('{') {
            return from_jwk(&jwk::object(text.as_bytes())?);
        }
        let bare = text.strip_prefix("whsk_");
        let hex = if bare.is_none() { hex::decode(text).ok() } else { None };
        let bytes = hex.or_else(|| base64(bare.unwrap_or(text))).ok_or_else(unknown)?;
        let bytes = Zeroizing::new(bytes);
        match bytes.split_at_checked(32) {
            Some((seed, [])) => ed25519(seed, None),
            Some((seed, public)) if public.len() == 32 => ed25519(seed, Some(public)),
            _ => Self::from_der(&bytes).ok_or_else(unknown),
        }
    }

    /// PKCS #8 (RFC 5208), `ECPrivateKey` (RFC 5915) or `RSAPrivateKey` (RFC 8017).
    pub(super) fn from_der(der: &[u8]) -> Option<Self> {
        let ed25519 = || Ed25519KeyPair::from_pkcs8(der).ok().map(Pair::Ed25519);
        let rsa = || RsaKeyPair::from_pkcs8(der).or_else(|_| RsaKeyPair::from_der(der)).ok();
        ed25519()
            .or_else(|| Ecdsa::p256(|with| EcdsaKeyPair::from_private_key_der(with, der).ok()))
            .or_else(|| Ecdsa::p384(|with| EcdsaKeyPair::from_private_key_der(with, der).ok()))
            .or_else(|| rsa().map(Pair::Rsa))
            .map(|pair| Self { kid: None, pair })
    }

    /// A fresh key for an algorithm; `None` for one that has no key pairs.
    pub fn generate(algorithm: Algorithm) -> Option<Self> {
        let pair = match algorithm {
            Algorithm::Ed25519 => Ed25519KeyPair::generate().ok().map(Pair::Ed25519),
            Algorithm::EcdsaP256Sha256 => {
                let fresh = EcdsaKeyPair::generate(&lc::ECDSA_P256_SHA256_ASN1_SIGNING).ok()?;
                return Self::from_der(fresh.to_pkcs8v1().ok()?.as_ref());
            }
            Algorithm::EcdsaP384Sha384 => {
                let fresh = EcdsaKeyPair::generate(&lc::ECDSA_P384_SHA384_ASN1_SIGNING).ok()?;
                return Self::from_der(fresh.to_pkcs8v1().ok()?.as_ref());
            }
            other if other.is_asymmetric() => {
                RsaKeyPair::generate(KeySize::Rsa2048).ok().map(Pair::Rsa)
            }
            _ => None,
        };
        pair.map(|pair| Self { kid: None, pair })
    }

    /// Signs a message; `None` for an algorithm of another key type, and for `rsa-sha1`, which the
    /// library only verifies.
    pub fn sign(&self, algorithm: Algorithm, ecdsa: EcdsaForm, message: &[u8]) -> Option<Vec<u8>> {
        match (&self.pair, algorithm) {
            (Pair::Ed25519(key), Algorithm::Ed25519) => {
                Some(key.try_sign(message).ok()?.as_ref().into())
            }
            (Pair::P256(key), Algorithm::EcdsaP256Sha256)
            | (Pair::P384(key), Algorithm::EcdsaP384Sha384) => key.sign(ecdsa, message),
            (Pair::Rsa(key), _) => {
                let mut signature = vec![0; key.public_modulus_len()];
                let random = SystemRandom::new();
                key.sign(rsa_encoding(algorithm)?, &random, message, &mut signature).ok()?;
                Some(signature)
            }
            _ => None,
        }
    }

    /// The public key that belongs to it.
    pub fn verifying_key(&self) -> Option<VerifyingKey> {
        let spki: PublicKeyX509Der<'_> = match &self.pair {
            Pair::Ed25519(key) => key.public_key().as_der(),
            Pair::P256(key) | Pair::P384(key) => key.der.public_key().as_der(),
            Pair::Rsa(key) => key.public_key().as_der(),
        }
        .ok()?;
        VerifyingKey::from_spki(spki.as_ref()).ok()
    }

    /// The public key in PEM.
    pub fn public_pem(&self) -> String {
        self.verifying_key().map(|key| key.pem()).unwrap_or_default()
    }

    /// The `kid` of a JWK.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }
}

impl Ecdsa {
    fn p256(pair: impl Fn(&'static EcdsaSigningAlgorithm) -> Option<EcdsaKeyPair>) -> Option<Pair> {
        let der = pair(&lc::ECDSA_P256_SHA256_ASN1_SIGNING)?;
        Some(Pair::P256(Self { der, raw: pair(&lc::ECDSA_P256_SHA256_FIXED_SIGNING)? }))
    }

    fn p384(pair: impl Fn(&'static EcdsaSigningAlgorithm) -> Option<EcdsaKeyPair>) -> Option<Pair> {
        let der = pair(&lc::ECDSA_P384_SHA384_ASN1_SIGNING)?;
        Some(Pair::P384(Self { der, raw: pair(&lc::ECDSA_P384_SHA384_FIXED_SIGNING)? }))
    }

    fn sign(&self, form: EcdsaForm, message: &[u8]) -> Option<Vec<u8>> {
        let key = match form {
            EcdsaForm::Der => &self.der,
            EcdsaForm::Raw => &self.raw,
        };
        Some(key.sign(&SystemRandom::new(), message).ok()?.as_ref().into())
    }
}

fn ed25519(seed: &[u8], public: Option<&[u8]>) -> Result<SigningKey, String> {
    let pair = match public {
        Some(public) => Ed25519KeyPair::from_seed_and_public_key(seed, public),
        None => Ed25519KeyPair::from_seed_unchecked(seed),
    };
    let pair =
        pair.map_err(|_| "is no Ed25519 key: its halves do not belong together".to_owned())?;
    Ok(SigningKey { kid: None, pair: Pair::Ed25519(pair) })
}

fn from_jwk(members: &jwk::Members) -> Result<SigningKey, String> {
    let kid = jwk::text(members, "kid").map(Into::into);
    let bytes = |name: &str| jwk::bytes(members, name);
    let broken = || "is a JWK whose numbers do not belong together".to_owned();
    let ec = |width: usize| Ok::<_, String>((bytes("d")?, jwk::point(members, width)?));
    let pair = match (jwk::text(members, "kty"), jwk::text(members, "crv")) {
        (Some("OKP"), Some("Ed25519")) => {
            let key = ed25519(&bytes("d")?, Some(&bytes("x")?))?;
            return Ok(SigningKey { kid, ..key });
        }
        (Some("EC"), Some("P-256")) => {
            let (d, point) = ec(32)?;
            Ecdsa::p256(|with| EcdsaKeyPair::from_private_key_and_public_key(with, &d, &point).ok())
        }
        (Some("EC"), Some("P-384")) => {
            let (d, point) = ec(48)?;
            Ecdsa::p384(|with| EcdsaKeyPair::from_private_key_and_public_key(with, &d, &point).ok())
        }
        (Some("RSA"), _) => RsaKeyPair::from_components(&aws_lc_rs::rsa::KeyPairComponents {
            public_key: lc::RsaPublicKeyComponents { n: bytes("n")?, e: bytes("e")? },
            d: bytes("d")?,
            p: bytes("p")?,
            q: bytes("q")?,
            dP: bytes("dp")?,
            dQ: bytes("dq")?,
            qInv: bytes("qi")?,
        })
        .ok()
        .map(Pair::Rsa),
        _ => return Err("is a JWK of another type than Ed25519, P-256, P-384 and RSA".to_owned()),
    };
    Ok(SigningKey { kid, pair: pair.ok_or_else(broken)? })
}

fn rsa_encoding(algorithm: Algorithm) -> Option<&'static dyn RsaEncoding> {
    Some(match algorithm {
        Algorithm::RsaSha256 => &lc::RSA_PKCS1_SHA256,
        Algorithm::RsaSha384 => &lc::RSA_PKCS1_SHA384,
        Algorithm::RsaSha512 => &lc::RSA_PKCS1_SHA512,
        Algorithm::RsaPssSha256 => &lc::RSA_PSS_SHA256,
        Algorithm::RsaPssSha384 => &lc::RSA_PSS_SHA384,
        Algorithm::RsaPssSha512 => &lc::RSA_PSS_SHA512,
        _ => return None,
    })
}

const UNKNOWN: &str = "is no private key: PEM without a password, its DER in base64, a JWK, or the \
                       32 bytes of an Ed25519 seed in hex or base64";
