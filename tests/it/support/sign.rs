//! Signatures, written here again so that the engine is not judged by itself.

use base64::Engine;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

pub fn hex_hmac(secret: &[u8], message: &[u8]) -> String {
    hex::encode(hmac(secret, message))
}

fn hmac(secret: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

/// HMAC-SHA256 in hexadecimal digits.
pub fn hmac_hex(secret: &str, message: &[u8]) -> String {
    hex_hmac(secret.as_bytes(), message)
}

/// HMAC-SHA256 in base64.
pub fn hmac_base64(secret: &str, message: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(hmac(secret.as_bytes(), message))
}

/// What Braintree signs with, in hexadecimal digits: the key is the digest of the private key.
pub fn braintree(private_key: &str, text: &str) -> String {
    let key = sha1::Sha1::digest(private_key.as_bytes());
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(&key).unwrap();
    mac.update(text.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

/// The value of `X-Hub-Signature-256`.
pub fn github(secret: &str, body: &[u8]) -> String {
    format!("sha256={}", hex_hmac(secret.as_bytes(), body))
}

/// The value of `Stripe-Signature`.
pub fn stripe(secret: &str, at: i64, body: &[u8]) -> String {
    let signed = [format!("{at}.").as_bytes(), body].concat();
    format!("t={at},v1={}", hex_hmac(secret.as_bytes(), &signed))
}

/// The value of `webhook-signature`; `secret` is the raw key.
pub fn standard_webhooks(secret: &[u8], id: &str, at: i64, body: &[u8]) -> String {
    let signed = [format!("{id}.{at}.").as_bytes(), body].concat();
    format!("v1,{}", base64::engine::general_purpose::STANDARD.encode(hmac(secret, &signed)))
}
