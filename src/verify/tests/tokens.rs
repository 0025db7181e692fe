use super::*;

#[test]
fn tokens_are_compared_whole() {
    let token = |from: &str| {
        let text = format!("signature = {{ algorithm = \"token\", from = \"{from}\" }}");
        Bench::new(&text, &[Secret::new("a", b"user:p\xc3\xa4ss")])
    };
    let bench = token("basic");
    let basic = |text: &str| {
        let encoded = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, text);
        bench.code(&Message::new(b"").with("authorization", format!("basic {encoded}")))
    };
    assert_eq!(basic("user:päss"), None);
    for wrong in ["user:päs", "user:pässs", "user:", "User:päss"] {
        assert_eq!(basic(wrong), Some(Code::SignatureMismatch), "{wrong}");
    }
    let code = |value: &str| bench.code(&Message::new(b"").with("authorization", value));
    assert_eq!(code("Bearer x"), Some(Code::SignatureMalformed));
    assert_eq!(code("Basic ***"), Some(Code::SignatureMalformed));
    assert_eq!(code("Basic "), Some(Code::SignatureMissing));
    assert_eq!(code(""), Some(Code::SignatureMissing));

    let bench = token("query:x");
    let mut message = Message::new(b"");
    for (uri, code) in [
        ("/?x=user:p%C3%A4ss", None),
        ("/?x=user:p%C3%A4ss&x=1", Some(Code::SignatureMalformed)),
        ("/?y=user", Some(Code::SignatureMissing)),
        ("/?x=", Some(Code::SignatureMissing)),
    ] {
        message.uri = Uri::from_static(uri);
        assert_eq!(bench.code(&message), code, "{uri}");
    }
    let verified =
        token("bearer").judge(&Message::new(b"").with("authorization", b"Bearer user:p\xc3\xa4ss"));
    assert_eq!(verified.unwrap().content_key, None);
}

#[test]
fn every_element_of_a_list_carries_the_token() {
    let bench = Bench::new(
        r#"signature = { algorithm = "token", from = "json:/value/*/state" }
           event = { id = "json:/value/*/id" }"#,
        &secret(b"s"),
    );
    assert!(bench.scheme.coverage().token);
    let code = |body: &str| bench.code(&Message::new(body.as_bytes()));
    assert_eq!(code(r#"{"value":[{"state":"s","id":1},{"state":"s","id":2}]}"#), None);
    let mismatch = Some(Code::SignatureMismatch);
    assert_eq!(code(r#"{"value":[{"state":"s"},{"state":"t"}]}"#), mismatch);
    let missing = Some(Code::SignatureMissing);
    for body in [
        r#"{"value":[{"state":"s"},{}]}"#,
        r#"{"value":[{"state":"s"},{"state":null}]}"#,
        r#"{"value":[{"state":"s"},7]}"#,
        r#"{"value":[]}"#,
        r#"{"value":{"state":"s"}}"#,
        "{}",
    ] {
        assert_eq!(code(body), missing, "{body}");
    }
    for body in [r#"{"value":[{"state":"s","state":"s"}]}"#, "", "state=s"] {
        assert_eq!(code(body), Some(Code::SignatureMalformed), "{body}");
    }
    let many = format!(r#"{{"value":[{}]}}"#, vec![r#"{"state":"s"}"#; 2000].join(","));
    assert_eq!(code(&many), missing, "more elements than are looked at");
}
