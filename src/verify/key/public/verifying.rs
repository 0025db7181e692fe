//! One public key, parsed once for everything that it can verify.

use std::{fmt, sync::Arc};

use aws_lc_rs::{
    encoding::{AsDer as _, PublicKeyX509Der},
    signature::{
        self as lc, ED25519_PUBLIC_KEY_LEN, ParsedPublicKey, RsaParameters, RsaPublicKeyComponents,
        RsaSubjectPublicKey, VerificationAlgorithm,
    },
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use x509_parser::{
    oid_registry::{
        OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_NIST_EC_P384, OID_PKCS1_RSAENCRYPTION,
        OID_PKCS1_RSASSAPSS, OID_SIG_ED25519,
    },
    prelude::FromDer as _,
    x509::SubjectPublicKeyInfo,
};

use super::low_order;
use crate::verify::algorithm::{Algorithm, EcdsaForm};

/// A public key; cheap to clone.
///
/// It verifies only with algorithms of its own type: an RSA key says no to every ECDSA signature
/// and a P-384 key to every one that is made with SHA-256.
#[derive(Clone)]
pub struct VerifyingKey(Arc<Parsed>);

/// The type of a public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyType {
    /// Ed25519 (RFC 8032).
    Ed25519,
    /// ECDSA over NIST P-256.
    P256,
    /// ECDSA over NIST P-384.
    P384,
    /// RSA.
    Rsa {
        /// The length of its modulus.
        bits: u32,
    },
}

struct Parsed {
    kind: KeyType,
    /// The key as `SubjectPublicKeyInfo`, in the one form that the library writes.
    spki: Box<[u8]>,
    /// One state for each way of verifying.
    ways: Vec<Way>,
}

struct Way {
    algorithm: Algorithm,
    form: EcdsaForm,
    key: ParsedPublicKey,
}

/// A curve whose keys are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Curve {
    P256,
    P384,
}

/// What RSA keys verify with, each with the shortest and longest modulus that this program takes.
static RSA: [(Algorithm, &RsaParameters); 7] = [
    (Algorithm::RsaPssSha256, &lc::RSA_PSS_2048_8192_SHA256),
    (Algorithm::RsaPssSha384, &lc::RSA_PSS_2048_8192_SHA384),
    (Algorithm::RsaPssSha512, &lc::RSA_PSS_2048_8192_SHA512),
    (Algorithm::RsaSha1, &lc::RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY),
    (Algorithm::RsaSha256, &lc::RSA_PKCS1_2048_8192_SHA256),
    (Algorithm::RsaSha384, &lc::RSA_PKCS1_2048_8192_SHA384),
    (Algorithm::RsaSha512, &lc::RSA_PKCS1_2048_8192_SHA512),
];

impl VerifyingKey {
    /// Whether a signature over a message is this key's.
    ///
    /// An ECDSA signature has two valid forms of its second number, and both hold: nothing may be
    /// keyed by the bytes of a signature.
    pub fn verifies(
        &self,
        algorithm: Algorithm,
        ecdsa: EcdsaForm,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        self.way(algorithm, ecdsa).is_some_and(|way| way.key.verify_sig(message, signature).is_ok())
    }

    /// Whether it can verify with this algorithm at all.
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        self.0.ways.iter().any(|way| way.algorithm == algorithm)
    }

    /// Its type.
    pub fn key_type(&self) -> KeyType {
        self.0.kind
    }

    /// The key as DER `SubjectPublicKeyInfo` (RFC 5280, section 4.1): equal for equal keys.
    pub fn spki(&self) -> &[u8] {
        &self.0.spki
    }

    /// The key in PEM.
    pub fn pem(&self) -> String {
        let text = STANDARD.encode(&self.0.spki);
        let mut pem = String::from("-----BEGIN PUBLIC KEY-----\n");
        for (at, character) in text.chars().enumerate() {
            if at > 0 && at % 64 == 0 {
                pem.push('\n');
            }
            pem.push(character);
        }
        pem.push_str("\n-----END PUBLIC KEY-----\n");
        pem
    }

    /// Reads DER `SubjectPublicKeyInfo`.
    pub(super) fn from_spki(der: &[u8]) -> Result<Self, String> {
        let (rest, spki) = SubjectPublicKeyInfo::from_der(der)
            .map_err(|_| "is no public key in DER (SubjectPublicKeyInfo)".to_owned())?;
        if !rest.is_empty() {
            return Err("has bytes behind the end of its DER".to_owned());
        }
        if spki.subject_public_key.unused_bits != 0 {
            return Err("is a public key with a bit string of broken bytes".to_owned());
        }
        let bits: &[u8] = &spki.subject_public_key.data;
        let oid = &spki.algorithm.algorithm;
        if *oid == OID_SIG_ED25519 {
            Self::ed25519(bits)
        } else if *oid == OID_PKCS1_RSAENCRYPTION {
            Self::rsa(bits, false)
        } else if *oid == OID_PKCS1_RSASSAPSS {
            // RFC 4055, section 1.2: such a key must not be used with PKCS #1 v1.5.
            Self::rsa(bits, true)
        } else if *oid == OID_KEY_TYPE_EC_PUBLIC_KEY {
            let named = spki.algorithm.parameters.as_ref().and_then(|p| p.as_oid().ok());
            match named {
                Some(curve) if curve == OID_EC_P256 => Self::ec(Curve::P256, bits),
                Some(curve) if curve == OID_NIST_EC_P384 => Self::ec(Curve::P384, bits),
                _ => Err("is a key on another curve than P-256 and P-384".to_owned()),
            }
        } else {
            Err(format!("is a key of another type ({oid}) than Ed25519, ECDSA and RSA"))
        }
    }

    /// The 32 bytes of an Ed25519 key (RFC 8032, section 5.1.5).
    pub(super) fn ed25519(bytes: &[u8]) -> Result<Self, String> {
        let key: &[u8; ED25519_PUBLIC_KEY_LEN] = bytes
            .try_into()
            .map_err(|_| format!("has {} bytes, and an Ed25519 public key has 32", bytes.len()))?;
        if !low_order::is_acceptable(key) {
            return Err("is an Ed25519 key for which anybody can sign".to_owned());
        }
        let way = Way::new(Algorithm::Ed25519, EcdsaForm::Der, &lc::ED25519, bytes)
            .ok_or_else(|| "is no Ed25519 key".to_owned())?;
        Self::made(KeyType::Ed25519, vec![way])
    }

    /// A point in SEC 1 form.
    pub(super) fn ec(curve: Curve, point: &[u8]) -> Result<Self, String> {
        let (kind, algorithm, der, raw, width): (_, _, &'static _, &'static _, _) = match curve {
            Curve::P256 => (
                KeyType::P256,
                Algorithm::EcdsaP256Sha256,
                &lc::ECDSA_P256_SHA256_ASN1,
                &lc::ECDSA_P256_SHA256_FIXED,
                32,
            ),
            Curve::P384 => (
                KeyType::P384,
                Algorithm::EcdsaP384Sha384,
                &lc::ECDSA_P384_SHA384_ASN1,
                &lc::ECDSA_P384_SHA384_FIXED,
                48,
            ),
        };
        // The point at infinity is one byte, and hybrid points have another first byte.
        let is_point = match point.first() {
            Some(4) => point.len() == 1 + 2 * width,
            Some(2 | 3) => point.len() == 1 + width,
            _ => false,
        };
        let ways = [(EcdsaForm::Der, der), (EcdsaForm::Raw, raw)]
            .into_iter()
            .filter(|_| is_point)
            .map(|(form, with)| Way::new(algorithm, form, with, point))
            .collect::<Option<Vec<_>>>()
            .filter(|ways| !ways.is_empty())
            .ok_or_else(|| format!("is no point on the curve {}", kind.name()))?;
        Self::made(kind, ways)
    }

    /// A DER `RSAPublicKey` (RFC 8017, appendix A.1.1).
    pub(super) fn rsa(der: &[u8], only_pss: bool) -> Result<Self, String> {
        let no_key = || "is no RSA key: modulus or exponent cannot be right".to_owned();
        let bits = RsaParameters::public_modulus_len(der).map_err(|_| no_key())?;
        if !(MIN_RSA..=MAX_RSA).contains(&bits) {
            return Err(format!("is an RSA key of {bits} bits; {MIN_RSA} to {MAX_RSA} are taken"));
        }
        let ways = RSA
            .iter()
            .filter(|(algorithm, _)| !only_pss || is_pss(*algorithm))
            .map(|(algorithm, with)| Way::new(*algorithm, EcdsaForm::Der, *with, der))
            .collect::<Option<Vec<_>>>()
            .ok_or_else(no_key)?;
        Self::made(KeyType::Rsa { bits }, ways)
    }

    /// Modulus and exponent as big-endian numbers.
    pub(super) fn rsa_numbers(n: &[u8], e: &[u8]) -> Result<Self, String> {
        let numbers = RsaPublicKeyComponents { n: significant(n), e: significant(e) };
        let parsed = numbers
            .to_parsed_public_key(&lc::RSA_PKCS1_2048_8192_SHA256)
            .ok()
            .and_then(|key| RsaSubjectPublicKey::from_der(key.as_ref()).ok())
            .ok_or_else(|| "is no RSA key: modulus or exponent cannot be right".to_owned())?;
        Self::rsa(parsed.as_ref(), false)
    }

    fn made(kind: KeyType, ways: Vec<Way>) -> Result<Self, String> {
        let spki: Option<PublicKeyX509Der<'_>> = ways.first().and_then(|way| way.key.as_der().ok());
        let spki = spki.ok_or_else(|| "cannot be written as DER".to_owned())?;
        Ok(Self(Arc::new(Parsed { kind, spki: spki.as_ref().into(), ways })))
    }

    fn way(&self, algorithm: Algorithm, ecdsa: EcdsaForm) -> Option<&Way> {
        let is_ecdsa = matches!(algorithm, Algorithm::EcdsaP256Sha256 | Algorithm::EcdsaP384Sha384);
        let form = if is_ecdsa { ecdsa } else { EcdsaForm::Der };
        self.0.ways.iter().find(|way| way.algorithm == algorithm && way.form == form)
    }
}

impl PartialEq for VerifyingKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.spki == other.0.spki
    }
}

impl Eq for VerifyingKey {}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({})", self.0.kind)
    }
}

impl KeyType {
    const fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "Ed25519",
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::Rsa { .. } => "RSA",
        }
    }
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa { bits } => write!(f, "RSA of {bits} bits"),
            other => f.write_str(other.name()),
        }
    }
}

impl Way {
    fn new(
        algorithm: Algorithm,
        form: EcdsaForm,
        with: &'static dyn VerificationAlgorithm,
        key: &[u8],
    ) -> Option<Self> {
        let key = ParsedPublicKey::new(with, key).ok()?;
        Some(Self { algorithm, form, key })
    }
}

fn is_pss(algorithm: Algorithm) -> bool {
    matches!(algorithm, Algorithm::RsaPssSha256 | Algorithm::RsaPssSha384 | Algorithm::RsaPssSha512)
}

/// A big-endian number without the zeros that some writers put before it.
fn significant(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

/// The shortest RSA modulus in bits; shorter ones can be factored or soon will be.
const MIN_RSA: u32 = 2048;
/// The longest RSA modulus in bits; longer ones cost more than they protect.
const MAX_RSA: u32 = 8192;
