use std::borrow::Cow;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use proptest::prelude::*;

use super::{
    parse::{MAX_TOKEN, NotJws},
    times::{NotTimely, Times},
    *,
};
use crate::{
    clock::UnixMs,
    decision::{Code, Refusal},
    verify::{Algorithm, EcdsaForm, key::Keyed},
};

const HS256: &[JoseAlgorithm] = &[JoseAlgorithm::Hs256];

fn hs256(key: &[u8]) -> impl Fn(&[u8]) -> Option<Vec<u8>> {
    let keyed = Keyed::new(Algorithm::HmacSha256, key);
    move |input| Some(keyed.as_ref()?.mac(&[Cow::Borrowed(input)]).as_slice().to_vec())
}

fn token(header: &str, payload: &str) -> String {
    let part = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.{}", part(header), part(payload), part("signature"))
}

/// RFC 7515, appendix A.1.
#[test]
fn the_published_hs256_token() {
    let token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9\
                 .eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ\
                 .dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let key = BASE64_URL_SAFE_NO_PAD
        .decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
        .unwrap();
    let jws = parse(token.as_bytes(), HS256, None).unwrap();
    assert_eq!((jws.algorithm, jws.kid), (JoseAlgorithm::Hs256, None));
    assert_eq!(hs256(&key)(&jws.signing_input).unwrap(), jws.signature);
    assert_eq!(times(&jws.payload).unwrap().exp, Some(UnixMs::from_secs(1_300_819_380)));
}

#[test]
fn the_header_chooses_nothing() {
    let refused = |header: &str| parse(token(header, "{}").as_bytes(), HS256, None).unwrap_err();
    for header in [
        r#"{"alg":"none"}"#,
        r#"{"alg":"None"}"#,
        r#"{"alg":""}"#,
        r#"{"alg":"hs256"}"#,
        r#"{"alg":"HS256 "}"#,
        r#"{"alg":"HS384"}"#,
        r#"{"alg":"RS256"}"#,
        r#"{"alg":"HS256","crit":["exp"],"exp":1}"#,
        r#"{"alg":"HS256","crit":[]}"#,
        r#"{"alg":"HS256","b64":true}"#,
        r#"{"alg":"HS256","jwk":{"kty":"oct","k":"AA"}}"#,
        r#"{"alg":"HS256","jku":"https://keys.example/"}"#,
        r#"{"alg":"HS256","x5u":"https://keys.example/"}"#,
        r#"{"alg":"HS256","x5c":["AA"]}"#,
        r#"{"alg":"HS256","zip":"DEF"}"#,
        // An escape spells the same name.
        r#"{"alg":"HS256","\u006aku":null}"#,
    ] {
        assert!(matches!(refused(header), NotJws::Refused(_)), "{header}");
        assert_eq!(Refusal::from(refused(header)).code, Code::SignatureMismatch);
    }
    for header in [
        "",
        "null",
        "[]",
        r#""HS256""#,
        "{}",
        r#"{"alg":null}"#,
        r#"{"alg":["HS256"]}"#,
        r#"{"alg":"none","alg":"HS256"}"#,
        r#"{"alg":"HS256","\u0061lg":"HS256"}"#,
        r#"{"alg":"HS256"}{}"#,
        r#"{"alg":"HS256","kid":7}"#,
        r#"{"alg":"HS256","kid":""}"#,
        &format!(r#"{{"alg":"HS256","kid":"{}"}}"#, "k".repeat(257)),
        &format!(r#"{{"alg":"HS256","x":{}{}}}"#, "[".repeat(200), "]".repeat(200)),
    ] {
        assert!(matches!(refused(header), NotJws::Malformed(_)), "{header}");
        assert_eq!(Refusal::from(refused(header)).code, Code::SignatureMalformed);
    }
    let harmless =
        r#"{"typ":"JWT","x5t":"AA","cty":"JWT","kid":"2026/é","alg":"HS256","own":[{}]}"#;
    let token = token(harmless, "{}");
    assert_eq!(parse(token.as_bytes(), HS256, None).unwrap().kid.as_deref(), Some("2026/é"));
    assert!(parse(token.as_bytes(), &[], None).is_err());
}

#[test]
fn one_token_has_one_spelling() {
    let good = token(r#"{"alg":"HS256"}"#, r#"{"a":1}"#);
    assert!(parse(good.as_bytes(), HS256, None).is_ok());
    let (before, _) = good.rsplit_once('.').unwrap();
    let (header, payload) = before.split_once('.').unwrap();
    for bad in [
        String::new(),
        "..".to_owned(),
        "a.b".to_owned(),
        format!("{good}."),
        format!("{good}.a"),
        format!("{good}="),
        format!("{good}\n"),
        format!(" {good}"),
        format!("{before}."),
        format!("{header}..c2ln"),
        format!(".{payload}.c2ln"),
        // The last bits of these carry nothing: `c2lnZQ` and `c2k` would be the same bytes.
        format!("{before}.c2lnZR"),
        format!("{before}.c2m"),
        format!("{before}.+/+/"),
        format!("{before}.c2lnZQ=="),
        format!("{before}.c2m"),
        format!("{before}.c"),
        format!("{before}.c2\u{e9}"),
        format!("{header}.{}.c2ln", "A".repeat(MAX_TOKEN)),
    ] {
        let result = parse(bad.as_bytes(), HS256, None);
        assert!(matches!(result, Err(NotJws::Malformed(_))), "{bad:.80}");
    }
}

#[test]
fn a_detached_token_signs_the_message_and_nothing_of_its_own() {
    let draft = Draft {
        algorithm: JoseAlgorithm::Hs256,
        kid: Some("k"),
        payload: b"the body\x00\xff",
        detached: true,
    };
    let token = build(&draft, hs256(b"key")).unwrap();
    assert!(token.contains(".."));
    let jws = parse(token.as_bytes(), HS256, Some(draft.payload)).unwrap();
    assert_eq!(hs256(b"key")(&jws.signing_input).unwrap(), jws.signature);
    assert!(jws.payload.is_empty() && jws.kid.as_deref() == Some("k"));
    let other = parse(token.as_bytes(), HS256, Some(b"another body")).unwrap();
    assert_ne!(hs256(b"key")(&other.signing_input).unwrap(), other.signature);
    assert!(matches!(parse(token.as_bytes(), HS256, None), Err(NotJws::Malformed(_))));

    let whole = build(&Draft { detached: false, ..draft }, hs256(b"key")).unwrap();
    let brought = parse(whole.as_bytes(), HS256, Some(draft.payload));
    assert!(matches!(brought, Err(NotJws::Refused(_))));
}

#[test]
fn only_whole_seconds_are_times() {
    let read = |text: &str| times(text.as_bytes());
    let secs = |secs| Some(UnixMs::from_secs(secs));
    let all = Times { exp: secs(3), nbf: secs(2), iat: secs(0) };
    assert_eq!(read(r#"{"exp":3,"nbf":2,"iat":0}"#), Ok(all));
    assert_eq!(read("{}"), Ok(Times::default()));
    for bad in [
        r#""99999999999""#,
        "1e3",
        "3.0",
        "3.5",
        "-1",
        "-0",
        "null",
        "true",
        "[3]",
        "{}",
        "253402300800",
        "9223372036854775808",
        "99999999999999999999999",
    ] {
        for name in ["exp", "nbf", "iat"] {
            let refused = read(&format!(r#"{{"{name}":{bad}}}"#));
            assert!(matches!(refused, Err(NotTimely::NoTime(_))), "{name} {bad}");
        }
    }
    for bad in
        ["", "[]", "3", "{", r#"{"exp":3,"exp":9}"#, r#"{"a":{"b":1,"b":1}}"#, "{}x", "\u{0}"]
    {
        assert_eq!(read(bad), Err(NotTimely::NoClaims), "{bad}");
    }
}

#[test]
fn names_are_read_as_they_are_written() {
    for name in JoseAlgorithm::names() {
        let algorithm = JoseAlgorithm::parse(name).unwrap();
        assert_eq!(JoseAlgorithm::parse(algorithm.as_str()), Some(algorithm));
    }
    assert_eq!(JoseAlgorithm::parse("none"), None);
    assert_eq!(JoseAlgorithm::Es384.algorithm(), Algorithm::EcdsaP384Sha384);
    assert_eq!(JoseAlgorithm::ECDSA, EcdsaForm::Raw);
}

proptest! {
    #[test]
    fn what_is_built_is_read(
        payload in proptest::collection::vec(any::<u8>(), 1..64),
        kid in "[ -~é]{1,20}",
        detached: bool,
    ) {
        let algorithm = JoseAlgorithm::Hs256;
        let draft = Draft { algorithm, kid: Some(&kid), payload: &payload, detached };
        let token = build(&draft, hs256(b"key")).unwrap();
        let jws = parse(token.as_bytes(), HS256, detached.then_some(&payload[..])).unwrap();
        prop_assert_eq!(jws.kid.as_deref(), Some(&*kid));
        prop_assert_eq!(hs256(b"key")(&jws.signing_input).unwrap(), jws.signature);
        if !detached {
            prop_assert_eq!(jws.payload, payload);
        }
    }

    /// Whatever byte of a token is changed: it is refused, or its signature holds no longer.
    #[test]
    fn every_byte_of_a_token_counts(at in 0..120_usize, byte: u8) {
        let draft = Draft {
            algorithm: JoseAlgorithm::Hs256,
            kid: None,
            payload: br#"{"exp":1760000000}"#,
            detached: false,
        };
        let mut token = build(&draft, hs256(b"key")).unwrap().into_bytes();
        let at = at % token.len();
        prop_assume!(token[at] != byte);
        token[at] = byte;
        if let Ok(jws) = parse(&token, HS256, None) {
            prop_assert_ne!(hs256(b"key")(&jws.signing_input).unwrap(), jws.signature);
        }
    }

    #[test]
    fn no_input_panics(
        token in proptest::collection::vec(any::<u8>(), 0..200),
        shaped in "[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,40}",
    ) {
        drop(parse(&token, HS256, None));
        drop(parse(&token, HS256, Some(&token)));
        drop(parse(shaped.as_bytes(), HS256, None));
        let is_object = token.contains(&123);
        prop_assert!(times(&token).is_err() || is_object);
    }
}
