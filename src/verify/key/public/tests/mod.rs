//! Keys that verify what they should, and nothing else.

mod forms;
mod hostile;
mod published;

use std::sync::OnceLock;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use proptest::prelude::*;

use super::*;

/// Every algorithm that has key pairs.
fn asymmetric() -> impl Iterator<Item = Algorithm> {
    Algorithm::ALL.iter().copied().filter(|algorithm| algorithm.is_asymmetric())
}

/// A key for an algorithm; the RSA one is made once, because that takes long.
fn signing(algorithm: Algorithm) -> SigningKey {
    static RSA: OnceLock<String> = OnceLock::new();
    if !algorithm.as_str().starts_with("rsa") {
        return SigningKey::generate(algorithm).unwrap();
    }
    let pem = RSA.get_or_init(|| {
        rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap().serialize_pem()
    });
    SigningKey::read(pem.as_bytes()).unwrap()
}

/// The only key of a text.
fn only(text: &[u8]) -> NamedKey {
    let keys = read_public_keys(text).unwrap();
    assert_eq!(keys.len(), 1);
    keys.into_iter().next().unwrap()
}

fn refusal(text: &[u8]) -> String {
    read_public_keys(text).unwrap_err()
}

fn url(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

#[test]
fn what_is_signed_verifies_with_the_same_key_and_algorithm_alone() {
    for algorithm in asymmetric() {
        let pair = signing(algorithm);
        let key = only(pair.public_pem().as_bytes());
        for form in [EcdsaForm::Der, EcdsaForm::Raw] {
            let Some(signature) = pair.sign(algorithm, form, b"message") else {
                assert_eq!(algorithm, Algorithm::RsaSha1);
                continue;
            };
            assert!(key.verifies(algorithm, form, b"message", &signature), "{algorithm}");
            assert!(!key.verifies(algorithm, form, b"messagf", &signature), "{algorithm}");
            assert!(!key.verifies(algorithm, form, b"", &signature), "{algorithm}");
            for other in Algorithm::ALL.iter().filter(|other| **other != algorithm) {
                assert!(!key.verifies(*other, form, b"message", &signature), "{other}");
            }
            let stranger = SigningKey::generate(Algorithm::Ed25519).unwrap();
            let stranger = stranger.verifying_key().unwrap();
            assert!(!stranger.verifies(algorithm, form, b"message", &signature), "{algorithm}");
        }
    }
    assert!(SigningKey::generate(Algorithm::HmacSha256).is_none());
    assert!(SigningKey::generate(Algorithm::Token).is_none());
}

#[test]
fn debug_shows_no_private_key() {
    let pair = signing(Algorithm::Ed25519);
    assert_eq!(format!("{pair:?}"), "SigningKey([redacted])");
    assert_eq!(format!("{:?}", pair.verifying_key().unwrap()), "VerifyingKey(Ed25519)");
}

proptest! {
    #[test]
    fn a_changed_signature_is_no_signature(at in 0_usize..64, bit in 0_u32..8, tail in 0_usize..80) {
        let pair = SigningKey::generate(Algorithm::Ed25519).unwrap();
        let key = pair.verifying_key().unwrap();
        let good = pair.sign(Algorithm::Ed25519, EcdsaForm::Der, b"m").unwrap();
        let mut bad = good.clone();
        bad[at] ^= 1 << bit;
        prop_assert!(!key.verifies(Algorithm::Ed25519, EcdsaForm::Der, b"m", &bad));
        bad = good.clone();
        bad.resize(tail, 0);
        let is_whole = tail == good.len();
        prop_assert_eq!(key.verifies(Algorithm::Ed25519, EcdsaForm::Der, b"m", &bad), is_whole);
    }

    #[test]
    fn no_input_panics(text in proptest::collection::vec(any::<u8>(), 0..300)) {
        drop(read_public_keys(&text));
        drop(SigningKey::read(&text));
        drop(certificate(&text));
        for before in ["whpk_", "whsk_", "{\"keys\":[", "-----BEGIN PUBLIC KEY-----"] {
            let text = [before.as_bytes(), &text].concat();
            drop(read_public_keys(&text));
            drop(SigningKey::read(&text));
        }
    }
}
