//! Tokens and message signatures: what they carry, and what they must not decide.

use std::sync::Arc;

use super::{Bench, Message, NOW, check, secret};
use crate::{
    decision::Code,
    verify::{
        Algorithm, Scheme, SchemeOptions,
        jws::{Draft, JoseAlgorithm, build},
        key::Keyed,
    },
};

/// A token with these claims, by a key.
fn token(key: &[u8], algorithm: JoseAlgorithm, payload: &str) -> String {
    let draft = Draft { algorithm, kid: None, payload: payload.as_bytes(), detached: false };
    let keyed = Keyed::new(algorithm.algorithm(), key).unwrap();
    build(&draft, |input| Some(keyed.mac(&[input.into()]).as_slice().to_vec())).unwrap()
}

fn hs256(key: &[u8], payload: &str) -> String {
    token(key, JoseAlgorithm::Hs256, payload)
}

const TOKEN: &str = r#"
    signature = { algorithm = "jws", algorithms = ["HS256", "HS512"], from = "header:x-a", required = ["jti"], match = { "claim:hash" = { of = "{body}", digest = "sha256" } } }
    event     = { id = "claim:jti", type = "claim:/event/type" }
"#;
const CLAIMS: &str = r#"{"jti":"1","hash":"2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881","event":{"type":"t"}}"#;

#[test]
fn ids_and_types_are_read_from_what_held() {
    let bench = Bench::new(TOKEN, &secret(b"k"));
    let message = Message::new(b"x").with("x-a", hs256(b"k", CLAIMS));
    bench.judge(&message).unwrap();
    let event = bench.scheme.event(message.head(), b"x");
    assert_eq!(event.ids.as_slice(), [Box::from("1")]);
    assert_eq!((event.kind.as_deref(), event.covered), (Some("t"), true));
    assert!(bench.scheme.coverage().body);

    let other = Message::new(b"y").with("x-a", hs256(b"k", CLAIMS));
    assert_eq!(bench.code(&other), Some(Code::SignatureMismatch));
    let foreign = Message::new(b"x").with("x-a", hs256(b"other", CLAIMS));
    assert_eq!(bench.code(&foreign), Some(Code::SignatureMismatch));
    let twice = message.with("x-a", hs256(b"k", CLAIMS));
    assert_eq!(bench.code(&twice), Some(Code::AmbiguousHeader));
}

#[test]
fn the_same_claims_by_another_algorithm_are_another_token() {
    let bench = Bench::new(TOKEN, &secret(b"k"));
    let judge = |token: String| bench.judge(&Message::new(b"x").with("x-a", token)).unwrap();
    let one = judge(hs256(b"k", CLAIMS)).content_key;
    assert_eq!(one, judge(hs256(b"k", CLAIMS)).content_key);
    assert_ne!(one, judge(token(b"k", JoseAlgorithm::Hs512, CLAIMS)).content_key);
    assert!(
        bench
            .code(&Message::new(b"x").with("x-a", token(b"k", JoseAlgorithm::Hs384, CLAIMS)))
            .is_some()
    );
}

#[test]
fn a_policy_takes_algorithms_away_at_run_time() {
    let forbid = [Algorithm::HmacSha256].into_iter().collect();
    let options = SchemeOptions { forbid, ..SchemeOptions::default() };
    let bench = Bench::with(TOKEN, &secret(b"k"), &options);
    let code = |token: String| bench.code(&Message::new(b"x").with("x-a", token));
    assert_eq!(code(hs256(b"k", CLAIMS)), Some(Code::SignatureMismatch));
    assert_eq!(code(token(b"k", JoseAlgorithm::Hs512, CLAIMS)), None);
}

#[test]
fn of_two_tokens_only_the_one_that_held_is_read() {
    let definition = r#"
        event = { id = "claim:jti" }
        [[signature]]
        algorithm  = "jws"
        algorithms = ["HS256"]
        from       = "header:x-a"
        required   = ["jti"]
        [[signature]]
        algorithm  = "jws"
        algorithms = ["HS256"]
        from       = "header:x-b"
        required   = ["jti"]
    "#;
    let bench = Bench::new(definition, &secret(b"k"));
    let genuine = hs256(b"k", r#"{"jti":"1"}"#);
    let forged = hs256(b"other", r#"{"jti":"2"}"#);
    let alone = Message::new(b"").with("x-b", &genuine);
    bench.judge(&alone).unwrap();
    assert_eq!(bench.scheme.event(alone.head(), b"").ids.as_slice(), [Box::from("1")]);
    let beside = alone.with("x-a", &forged);
    assert_eq!(bench.code(&beside), Some(Code::SignatureMismatch));
}

#[test]
fn what_must_be_absent_is_refused_in_any_shape() {
    let definition = r#"signature = { algorithm = "jws", algorithms = ["HS256"], from = "header:x-a", required = [], match = { "claim:hash" = { absent = true }, body = "" } }"#;
    let bench = Bench::new(definition, &secret(b"k"));
    let code = |payload: &str, body: &[u8]| {
        bench.code(&Message::new(body).with("x-a", hs256(b"k", payload)))
    };
    assert_eq!(code("{}", b""), None);
    for there in [r#"{"hash":""}"#, r#"{"hash":null}"#, r#"{"hash":[]}"#, r#"{"hash":{"a":1}}"#] {
        assert_eq!(code(there, b""), Some(Code::SignatureMismatch), "{there}");
    }
    assert_eq!(code("{}", b"x"), Some(Code::SignatureMismatch));
}

#[test]
fn definitions_leave_no_choice_to_the_message() {
    let refused = |definition: &str| check(definition).unwrap_err().join("; ");
    let jws = |rest: &str| format!(r#"signature = {{ algorithm = "jws", from = "bearer"{rest} }}"#);
    assert!(refused(&jws("")).contains("algorithms"));
    assert!(refused(&jws(r#", algorithms = ["none"]"#)).contains("none of"));
    assert!(refused(&jws(r#", algorithms = ["HS256", "ES256"]"#)).contains("public key"));
    assert!(
        refused(&jws(r#", algorithms = ["HS256"], components = ["@method"]"#))
            .contains("components")
    );
    let signed = |rest: &str| format!(r#"signature = {{ algorithm = "rfc9421"{rest} }}"#);
    assert!(refused(&signed(r#", components = ["content-digest"]"#)).contains("algorithms"));
    assert!(
        refused(&signed(r#", algorithms = ["ed25519"], components = ["@method"]"#))
            .contains("content-digest")
    );
    assert!(
        refused(&signed(
            r#", algorithms = ["ed25519"], components = ["@status", "content-digest"]"#
        ))
        .contains("@status")
    );
    assert!(
        refused(&signed(
            r#", algorithms = ["ed25519", "hmac-sha256"], components = ["content-digest"]"#
        ))
        .contains("public key")
    );
    assert!(
        refused(&signed(r#", algorithms = ["hmac-sha512"], components = ["content-digest"]"#))
            .contains("none of")
    );
}

#[test]
fn a_reusable_token_covers_nothing() {
    let definition = r#"
        signature = { algorithm = "jws", algorithms = ["HS256"], from = "bearer", reusable = true }
        event     = { id = "json:/id" }
    "#;
    let bench = Bench::new(definition, &secret(b"k"));
    let payload = format!(r#"{{"exp":{}}}"#, NOW.secs() + 1);
    let bearer = format!("Bearer {}", hs256(b"k", &payload));
    let message = Message::new(br#"{"id":"1"}"#).with("authorization", bearer);
    let verified = bench.judge(&message).unwrap();
    assert_eq!((verified.content_key, verified.body_key), (None, None));
    let coverage = bench.scheme.coverage();
    assert!(coverage.token && !coverage.body && coverage.event_id == Some(false));
    let single = check(&definition.replace(", reusable = true", "")).unwrap_err().join("; ");
    assert!(single.contains("`json:/id` is not covered"), "{single}");
}

#[test]
fn a_registered_url_must_be_one() {
    let definition = r#"
        signature = { algorithm = "rfc9421", algorithms = ["ed25519"], components = ["@authority", "content-digest"] }
        [expect.url]
        about    = "where"
        optional = true
    "#;
    let definition = check(definition).unwrap();
    let compile = |url: Option<&str>| {
        let expect = url.map(|url| ("url".to_owned(), url.to_owned())).into_iter().collect();
        let options = SchemeOptions { expect, ..SchemeOptions::default() };
        Scheme::compile(&Arc::clone(&definition), &options).is_ok()
    };
    assert!(compile(None) && compile(Some("https://h.example/in")));
    assert!(!compile(Some("/in")) && !compile(Some("https://user@h.example/")));
}
