//! Keys and signatures of the wrong kind.

use base64::engine::general_purpose::STANDARD;

use super::*;

/// DER of two positive integers, as in an ECDSA signature (RFC 3279, section 2.2.3).
fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let integer = |number: &[u8]| {
        let number: Vec<u8> = number.iter().copied().skip_while(|byte| *byte == 0).collect();
        let sign = number.first().is_none_or(|byte| *byte > 0x7f);
        let content = [if sign { &[0][..] } else { &[] }, &number].concat();
        [&[2, u8::try_from(content.len()).unwrap()], &*content].concat()
    };
    let both = [integer(r), integer(s)].concat();
    [&[0x30, u8::try_from(both.len()).unwrap()], &*both].concat()
}

/// The order of P-256's base point less a number.
fn complement(s: &[u8]) -> Vec<u8> {
    let order =
        hex::decode("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551").unwrap();
    let mut borrow = 0;
    let mut difference: Vec<u8> = order
        .iter()
        .zip(s)
        .rev()
        .map(|(n, s)| {
            let value = i16::from(*n) - i16::from(*s) - borrow;
            borrow = i16::from(value < 0);
            u8::try_from(value.rem_euclid(256)).unwrap()
        })
        .collect();
    difference.reverse();
    difference
}

#[test]
fn ecdsa_signatures_are_read_strictly_and_both_s_hold() {
    let algorithm = Algorithm::EcdsaP256Sha256;
    let pair = signing(algorithm);
    let key = pair.verifying_key().unwrap();
    let raw = pair.sign(algorithm, EcdsaForm::Raw, b"m").unwrap();
    let (r, s) = raw.split_at(32);
    let is_raw = |bytes: &[u8]| key.verifies(algorithm, EcdsaForm::Raw, b"m", bytes);
    let is_der = |bytes: &[u8]| key.verifies(algorithm, EcdsaForm::Der, b"m", bytes);
    let other = complement(s);
    assert!(is_raw(&raw) && is_raw(&[r, &other].concat()));
    assert!(is_der(&der(r, s)) && is_der(&der(r, &other)));

    let zero = [0; 32];
    let order = complement(&zero);
    for (r, s) in [(&zero[..], s), (r, &zero), (&zero, &zero), (&order, s), (r, &order)] {
        assert!(!is_raw(&[r, s].concat()) && !is_der(&der(r, s)));
    }
    let good = der(r, s);
    let mut long = good.clone();
    long.splice(1..2, [0x81, good[1]]);
    let behind = [&good[..], &[0]].concat();
    for bad in [&good[..good.len() - 1], &behind, &long, &raw, b"", &[0x30, 0x80], &[0xff; 9000]] {
        assert!(!is_der(bad), "{}", hex::encode(bad));
    }
    for bad in [&raw[1..], &[&raw[..], &[0]].concat(), &good, b"", &[0; 64], &[0xff; 64]] {
        assert!(!is_raw(bad), "{}", hex::encode(bad));
    }
}

#[test]
fn a_second_spelling_of_an_ed25519_signature_does_not_hold() {
    let pair = signing(Algorithm::Ed25519);
    let good = pair.sign(Algorithm::Ed25519, EcdsaForm::Der, b"m").unwrap();
    // S plus the order of the group (RFC 8032, section 5.1.7: S must be below it).
    let order =
        hex::decode("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010").unwrap();
    let mut carry = 0;
    let mut bad = good;
    for (byte, add) in bad[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        *byte = u8::try_from(sum % 256).unwrap();
        carry = sum / 256;
    }
    let key = pair.verifying_key().unwrap();
    assert!(!key.verifies(Algorithm::Ed25519, EcdsaForm::Der, b"m", &bad));
}

#[test]
fn ed25519_keys_that_protect_nothing_are_refused() {
    let ff = "ff".repeat(30);
    for key in [
        "00".repeat(32),
        format!("01{}", "00".repeat(31)),
        format!("01{}80", "00".repeat(30)),
        format!("ec{ff}7f"),
        format!("ed{ff}7f"),
        format!("ee{ff}ff"),
        format!("ff{ff}7f"),
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05".to_owned(),
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa".to_owned(),
    ] {
        assert_eq!(refusal(key.as_bytes()), "is an Ed25519 key for which anybody can sign");
    }
}

#[test]
fn rsa_keys_have_a_sound_size_and_exponent() {
    let n = |bytes: usize| URL_SAFE_NO_PAD.encode([&[0xc1], &*vec![0x55; bytes - 1]].concat());
    let jwk = |n: &str, e: &str| format!(r#"{{"kty":"RSA","n":"{n}","e":"{e}"}}"#);
    assert!(read_public_keys(jwk(&n(256), "AQAB").as_bytes()).is_ok());
    assert!(read_public_keys(jwk(&format!("AAAA{}", n(258)), "AAEAAQ").as_bytes()).is_ok());
    for (n, e) in [(n(128), "AQAB"), (n(255), "AQAB"), (n(1025), "AQAB"), (n(256), "AQAA")] {
        assert!(read_public_keys(jwk(&n, e).as_bytes()).is_err(), "{n} {e}");
    }
    for e in ["", "AQ", "AA", "____________", "A*"] {
        assert!(read_public_keys(jwk(&n(256), e).as_bytes()).is_err(), "{e}");
    }
    assert!(refusal(jwk(&n(128), "AQAB").as_bytes()).contains("1024 bits"));
}

#[test]
fn private_keys_and_secrets_are_refused_and_not_shown() {
    let seed = STANDARD.encode([0x5a; 32]);
    let mut private = vec![
        format!("whsk_{seed}"),
        format!("whsec_{seed}"),
        format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{seed}","d":"{seed}"}}"#),
        format!(r#"{{"keys":[{{"kty":"oct","k":"{seed}"}}]}}"#),
        format!(r#"{{"kty":"oct","k":"{seed}"}}"#),
        format!(r#"{{"kty":"oct","k":"{seed}""#),
    ];
    for kind in [&rcgen::PKCS_ED25519, &rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_RSA_SHA256] {
        let pair = rcgen::KeyPair::generate_for(kind).unwrap();
        private.push(pair.serialize_pem());
        private.push(STANDARD.encode(pair.serialize_der()));
        private.push(hex::encode(pair.serialize_der()));
        private.push(STANDARD.encode(pair.serialize_pem()));
        private.push(format!("{}{}", pair.public_key_pem(), pair.serialize_pem()));
        assert_eq!(
            refusal(&pair.serialize_der()),
            "is a private key; only its public part belongs here"
        );
    }
    for text in private {
        let why = refusal(text.as_bytes());
        let piece: String = seed.chars().take(8).collect();
        assert!(!why.contains(&piece), "{why}");
        let is_told = ["private", "symmetric", "no JSON object"].iter().any(|w| why.contains(w));
        assert!(is_told, "{why}");
    }
}

#[test]
fn a_jwk_is_for_what_it_says() {
    let x =
        URL_SAFE_NO_PAD.encode(&signing(Algorithm::Ed25519).verifying_key().unwrap().spki()[12..]);
    let jwk = |more: &str| format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}"{more}}}"#);
    for good in ["", r#","use":"sig""#, r#","key_ops":["sign","verify"]"#, r#","alg":"EdDSA""#] {
        assert!(read_public_keys(jwk(good).as_bytes()).is_ok(), "{good}");
    }
    let bad = [
        r#","use":"enc""#,
        r#","use":1"#,
        r#","key_ops":["sign"]"#,
        r#","key_ops":"verify""#,
        r#","alg":"RS256""#,
        r#","alg":"none""#,
        r#","alg":"HS256""#,
        r#","alg":7"#,
        r#","kid":7"#,
        r#","x":"AAAA""#,
        r#","kty":"OKP""#,
    ];
    for more in bad {
        assert!(read_public_keys(jwk(more).as_bytes()).is_err(), "{more}");
    }
    // In a set, what is not usable is left out, and what is there keeps its name.
    let set = format!(
        r#"{{"keys":[{},{{"kty":"X"}},7,{},{{"kty":"oct","use":"sig"}}]}}"#,
        jwk(r#","use":"enc""#),
        jwk(r#","kid":"k1","alg":"Ed25519""#),
    );
    let key = only(set.as_bytes());
    assert_eq!((key.kid.as_deref(), key.algorithm), (Some("k1"), Some(Algorithm::Ed25519)));
    for bad in [r#"{"keys":[]}"#, r#"{"keys":{}}"#, r#"{"keys":[{}]}"#, "[]", "{", "{}"] {
        assert!(read_public_keys(bad.as_bytes()).is_err(), "{bad}");
    }
    let many = format!(r#"{{"keys":[{}]}}"#, vec![jwk(""); 257].join(","));
    assert!(refusal(many.as_bytes()).contains("at most 256"));
}

#[test]
fn a_jwk_verifies_with_its_own_algorithm_alone() {
    let pair = signing(Algorithm::RsaSha256);
    let mut key = only(pair.public_pem().as_bytes());
    let signature = pair.sign(Algorithm::RsaSha512, EcdsaForm::Der, b"m").unwrap();
    assert!(key.verifies(Algorithm::RsaSha512, EcdsaForm::Der, b"m", &signature));
    key.algorithm = Some(Algorithm::RsaSha256);
    assert!(!key.verifies(Algorithm::RsaSha512, EcdsaForm::Der, b"m", &signature));
}

#[test]
fn points_off_the_curve_and_broken_der_are_refused() {
    let key = signing(Algorithm::EcdsaP256Sha256).verifying_key().unwrap();
    let mut off = key.spki().to_vec();
    *off.last_mut().unwrap() ^= 1;
    let behind = [key.spki(), &[0]].concat();
    let short = &key.spki()[..key.spki().len() - 1];
    let mut infinity = key.spki()[..26].to_vec();
    infinity.push(0);
    infinity[1] = 25;
    infinity[24] = 2;
    for bad in [&off[..], &behind, short, &infinity, &[0x30, 0x80, 0, 0], &[0x30; 400]] {
        assert!(read_public_keys(STANDARD.encode(bad).as_bytes()).is_err(), "{}", hex::encode(bad));
    }
    let p521 = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P521_SHA512).unwrap();
    assert!(refusal(p521.public_key_pem().as_bytes()).contains("another curve"));
    for bad in [
        "",
        " \n",
        "hunter2",
        "-----BEGIN PUBLIC KEY-----",
        "-----BEGIN PUBLIC KEY-----\n%%\n-----END PUBLIC KEY-----",
        "-----BEGIN PUBLIC KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END PUBLIC KEY-----",
        "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAA",
    ] {
        assert!(!refusal(bad.as_bytes()).contains("hunter"), "{bad}");
    }
    assert!(refusal(&vec![b'A'; (1 << 20) + 1]).contains("at most"));
}
