//! Public keys as people have them: told apart by what they look like.

use base64::{
    Engine as _,
    alphabet::{Alphabet, STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use super::{NamedKey, SigningKey, certificate, jwk, pem, verifying::VerifyingKey};
use crate::clock::UnixMs;

/// The longest text that is read, in bytes.
const MAX_TEXT: usize = 1 << 20;

/// Reads public keys: PEM (`PUBLIC KEY`, `CERTIFICATE`, `RSA PUBLIC KEY`; several blocks are several
/// keys), DER or its base64, base64 of PEM, the 32 bytes of an Ed25519 key in hex or base64,
/// Standard Webhooks' `whpk_…`, JWK, JWKS.
///
/// # Errors
///
/// What is wrong, to be read after the key's name. A private key or a secret is refused, and no
/// byte of it is in the text.
pub fn read_public_keys(text: &[u8]) -> Result<Vec<NamedKey>, String> {
    if text.len() > MAX_TEXT {
        return Err(format!("has {} bytes; at most {MAX_TEXT} are read", text.len()));
    }
    match std::str::from_utf8(text) {
        Ok(text) => from_text(text.trim_ascii()),
        Err(_) => from_der(text).map(|key| vec![key]),
    }
}

fn from_text(text: &str) -> Result<Vec<NamedKey>, String> {
    if text.is_empty() {
        return Err("is empty".to_owned());
    }
    if pem::is_meant(text) {
        return from_pem(text);
    }
    if text.starts_with('{') {
        return jwk::public_keys(text.as_bytes());
    }
    if text.starts_with("whsk_") {
        return Err(PRIVATE.to_owned());
    }
    if text.starts_with("whsec_") {
        return Err("is a symmetric secret; it belongs into `secrets`".to_owned());
    }
    if let Some(standard) = text.strip_prefix("whpk_") {
        let bytes = base64(standard).ok_or_else(|| "is no base64 behind whpk_".to_owned())?;
        return VerifyingKey::ed25519(&bytes).map(NamedKey::from).map(|key| vec![key]);
    }
    let hex = hex::decode(text).ok();
    let bytes = hex.or_else(|| base64(text)).ok_or(UNKNOWN)?;
    match std::str::from_utf8(&bytes) {
        Ok(inner) if pem::is_meant(inner) => from_pem(inner),
        _ if bytes.len() == 32 => Ok(vec![VerifyingKey::ed25519(&bytes)?.into()]),
        _ => from_der(&bytes).map(|key| vec![key]),
    }
}

fn from_pem(text: &str) -> Result<Vec<NamedKey>, String> {
    // Said first, whatever else is wrong with it.
    if text.contains("PRIVATE KEY-----") {
        return Err(PRIVATE.to_owned());
    }
    let mut keys = Vec::new();
    let mut authorities = Vec::new();
    for block in pem::blocks(text)? {
        match block.label {
            "PUBLIC KEY" => keys.push(VerifyingKey::from_spki(&block.der)?.into()),
            "RSA PUBLIC KEY" => keys.push(VerifyingKey::rsa(&block.der, false)?.into()),
            "EC PARAMETERS" => {}
            label if certificate::is_label(label) => {
                let read = certificate::from_der(&block.der)?;
                let into = if read.is_authority { &mut authorities } else { &mut keys };
                into.push(read.into());
            }
            _ => return Err("is PEM of something that is no public key".to_owned()),
        }
    }
    // Beside the leaf of a chain stand those who issued it; they sign no messages.
    if keys.is_empty() {
        keys = authorities
    }
    if keys.is_empty() { Err("is PEM without a public key".to_owned()) } else { Ok(keys) }
}

/// A `SubjectPublicKeyInfo`, a certificate, or an `RSAPublicKey`.
fn from_der(der: &[u8]) -> Result<NamedKey, String> {
    let error = match VerifyingKey::from_spki(der) {
        Ok(key) => return Ok(key.into()),
        Err(error) => error,
    };
    if let Ok(read) = certificate::from_der(der) {
        return Ok(read.into());
    }
    if let Ok(key) = VerifyingKey::rsa(der, false) {
        return Ok(key.into());
    }
    if SigningKey::from_der(der).is_some() {
        return Err(PRIVATE.to_owned());
    }
    // DER begins with a sequence; what does not is something else.
    Err(if der.first() == Some(&0x30) { error } else { UNKNOWN.to_owned() })
}

impl From<VerifyingKey> for NamedKey {
    fn from(key: VerifyingKey) -> Self {
        Self { kid: None, algorithm: None, not_after: None, key }
    }
}

impl From<certificate::Certificate> for NamedKey {
    fn from(read: certificate::Certificate) -> Self {
        // A key is in time before its expiry, and a certificate still in its last second.
        let end = UnixMs(read.not_after.0.saturating_add(1000));
        Self { not_after: Some(end), ..read.key.into() }
    }
}

/// Base64 of either alphabet, with or without padding, broken into lines or not.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    let text: String = text.split_ascii_whitespace().collect();
    let engine = |alphabet: &Alphabet| {
        let padding = DecodePaddingMode::Indifferent;
        let config = GeneralPurposeConfig::new().with_decode_padding_mode(padding);
        GeneralPurpose::new(alphabet, config)
    };
    engine(&STANDARD).decode(&text).or_else(|_| engine(&URL_SAFE).decode(&text)).ok()
}

const PRIVATE: &str = "is a private key; only its public part belongs here";
const UNKNOWN: &str = "is no public key: PEM, base64 of DER, a JWK or JWKS, or the 32 bytes of an \
                       Ed25519 key in hex or base64";
