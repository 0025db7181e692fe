//! Every spelling of a key is the same key.

use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};

use super::*;

#[test]
fn every_spelling_of_a_key_is_the_same_key() {
    for algorithm in asymmetric() {
        let key = signing(algorithm).verifying_key().unwrap();
        let pem = key.pem();
        for spelled in [
            pem.clone(),
            format!("a comment\r\n{}", pem.replace('\n', "\r\n")),
            pem.trim_end().replace('\n', "\\n"),
            STANDARD.encode(key.spki()),
            STANDARD_NO_PAD.encode(key.spki()),
            format!("  {}\n", URL_SAFE.encode(key.spki())),
            hex::encode(key.spki()),
            STANDARD.encode(&pem),
        ] {
            assert_eq!(only(spelled.as_bytes()).key, key, "{spelled}");
        }
        assert_eq!(only(key.spki()).key, key);
    }
}

#[test]
fn an_ed25519_key_may_be_its_bare_bytes() {
    let key = signing(Algorithm::Ed25519).verifying_key().unwrap();
    let raw = &key.spki()[12..];
    for spelled in [
        hex::encode(raw),
        hex::encode_upper(raw),
        STANDARD.encode(raw),
        STANDARD_NO_PAD.encode(raw),
        format!("whpk_{}", STANDARD.encode(raw)),
        format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{}"}}"#, URL_SAFE_NO_PAD.encode(raw)),
    ] {
        assert_eq!(only(spelled.as_bytes()).key, key, "{spelled}");
    }
    for bytes in [&raw[1..], &[raw, raw].concat(), b""] {
        let spelled = format!("whpk_{}", STANDARD.encode(bytes));
        assert!(refusal(spelled.as_bytes()).contains("32"), "{spelled}");
    }
}

#[test]
fn several_blocks_are_several_keys() {
    let [a, b] = [(), ()].map(|()| signing(Algorithm::EcdsaP256Sha256).public_pem());
    assert_eq!(read_public_keys(format!("{a}{b}").as_bytes()).unwrap().len(), 2);
}

#[test]
fn of_a_chain_the_leaf_counts() {
    let issuer_key = rcgen::KeyPair::generate().unwrap();
    let mut issuer = rcgen::CertificateParams::new(vec![]).unwrap();
    issuer.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let root = issuer.self_signed(&issuer_key).unwrap();
    let leaf_key = rcgen::KeyPair::generate().unwrap();
    let mut leaf = rcgen::CertificateParams::new(vec!["keys.example".to_owned()]).unwrap();
    leaf.not_before = rcgen::date_time_ymd(2026, 1, 1);
    leaf.not_after = rcgen::date_time_ymd(2027, 1, 1);
    let leaf =
        leaf.signed_by(&leaf_key, &rcgen::Issuer::from_params(&issuer, &issuer_key)).unwrap();

    let expected = only(leaf_key.public_key_pem().as_bytes()).key;
    let bundle = format!("{}{}", leaf.pem(), root.pem());
    let key = only(bundle.as_bytes());
    assert_eq!(key.key, expected);
    assert_eq!(key.not_after, Some(UnixMs::from_secs(1_798_761_601)));
    assert_eq!(only(leaf.der()).key, expected);

    let read = certificate(bundle.as_bytes()).unwrap();
    assert_eq!((read.key, read.names.first().map(|n| &**n)), (expected, Some("keys.example")));
    let valid = |secs| certificate(leaf.der()).unwrap().holds_at(UnixMs::from_secs(secs));
    assert!(!valid(1_767_225_599) && valid(1_767_225_600));
    assert!(valid(1_798_761_600) && !valid(1_798_761_601));

    // A root alone was meant to be taken.
    let alone = only(root.pem().as_bytes()).key;
    assert_eq!(alone, only(issuer_key.public_key_pem().as_bytes()).key);
    assert_eq!(certificate(b"-----BEGIN X-----").unwrap_err(), "is PEM whose X has no end");
}

#[test]
fn a_private_key_is_read_in_every_form() {
    let seed = [7; 32];
    let pair = SigningKey::read(hex::encode(seed).as_bytes()).unwrap();
    let public = pair.verifying_key().unwrap();
    let whole = [&seed[..], &public.spki()[12..]].concat();
    let x = URL_SAFE_NO_PAD.encode(&public.spki()[12..]);
    let d = URL_SAFE_NO_PAD.encode(seed);
    for spelled in [
        STANDARD.encode(seed),
        format!("whsk_{}", STANDARD.encode(seed)),
        format!("whsk_{}", STANDARD.encode(&whole)),
        format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}","d":"{d}","kid":"1"}}"#),
    ] {
        let read = SigningKey::read(spelled.as_bytes()).unwrap();
        assert_eq!(read.verifying_key().unwrap(), public, "{spelled}");
    }
    let mut wrong = whole;
    wrong[40] ^= 1;
    assert!(SigningKey::read(format!("whsk_{}", STANDARD.encode(wrong)).as_bytes()).is_err());

    // RFC 7515, appendix A.3.
    let jwk = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;
    let pair = SigningKey::read(jwk.as_bytes()).unwrap();
    let signature = pair.sign(Algorithm::EcdsaP256Sha256, EcdsaForm::Raw, b"m").unwrap();
    let key = pair.verifying_key().unwrap();
    assert!(key.verifies(Algorithm::EcdsaP256Sha256, EcdsaForm::Raw, b"m", &signature));
    assert!(SigningKey::read(jwk.replace("jpsQ", "jpsR").as_bytes()).is_err());
    for no in ["", "hunter2", "-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----", "{}"] {
        assert!(!SigningKey::read(no.as_bytes()).unwrap_err().contains("hunter"));
    }
}
