use super::*;

#[test]
fn the_claim_names_what_is_wrong_with_the_head() {
    let bench = Bench::new(BODY, &secret(b"k"));
    let code = |message: Message| bench.scheme.claim(message.head()).err().map(|r| r.code);
    let good = hex(b"k", b"");
    let message = || Message::new(b"");
    assert_eq!(code(message()), Some(Code::SignatureMissing));
    assert_eq!(code(message().with("x-sig", "")), Some(Code::SignatureMissing));
    for malformed in [
        good.clone(),
        "v1=".to_owned(),
        format!("v1={good}00"),
        format!("v1={}", good.to_uppercase()),
        format!("v1={good} "),
        format!("v1= {good}"),
        format!("V1={good}"),
        format!("v1={}", "a".repeat(20_000)),
        "v1=\u{e9}".to_owned(),
    ] {
        // Trailing spaces never get here: HTTP does not count them to the value.
        let refused = code(message().with("x-sig", malformed.as_bytes()));
        assert_eq!(refused, Some(Code::SignatureMalformed), "{malformed}");
    }
    let twice = message().with("x-sig", format!("v1={good}")).with("x-sig", format!("v1={good}"));
    assert_eq!(code(twice), Some(Code::AmbiguousHeader));

    let bench = Bench::new(TIMED, &secret(b"k"));
    let code = |message: Message| bench.scheme.claim(message.head()).err().map(|r| r.code);
    let with = |sig: &str| Message::new(b"").with("x-sig", sig).with("x-id", "1");
    let v1 = format!("v1={good}");
    assert_eq!(code(with(&format!("t=1,{v1}"))), None);
    assert_eq!(code(with(&v1)), Some(Code::TimestampMissing));
    assert_eq!(code(with(&format!("t=,{v1}"))), Some(Code::TimestampMissing));
    assert_eq!(code(with(&format!("t=1.5,{v1}"))), Some(Code::TimestampMalformed));
    assert_eq!(code(with(&format!("t=1,t=1,{v1}"))), Some(Code::AmbiguousHeader));
    assert_eq!(code(with("t=1")), Some(Code::SignatureMissing));
    assert_eq!(code(with(&format!("t=1,v0={good}"))), Some(Code::SignatureMissing));
    assert_eq!(code(with("t=1,v1=zz")), Some(Code::SignatureMalformed));
    let sig = format!("t=1,{v1}");
    assert_eq!(code(Message::new(b"").with("x-sig", &sig)), Some(Code::IdMissing));
    assert_eq!(code(Message::new(b"").with("x-sig", &sig).with("x-id", "")), Some(Code::IdMissing));
    assert_eq!(code(with(&sig).with("x-id", "1")), Some(Code::AmbiguousHeader));
    assert_eq!(
        code(with(&sig).with("x-type", "a").with("x-type", "b")),
        Some(Code::AmbiguousHeader)
    );
    let dotted = Message::new(b"").with("x-sig", &sig).with("x-id", "a.b");
    assert_eq!(code(dotted), Some(Code::SignatureMalformed));
}

#[test]
fn a_header_that_names_many_signatures_is_bounded() {
    let bench = Bench::new(LIST, &secret(b"k"));
    let good = format!("v1={}", hex(b"k", b"x"));
    let other = format!("v1={}", hex(b"other", b"x"));
    let list = |elements: &[&str]| Message::new(b"x").with("x-sig", elements.join(","));
    assert_eq!(bench.code(&list(&[&other, "v2=ab", "", &good])), None);
    let fifteen = vec![other.as_str(); 15];
    assert_eq!(bench.code(&list(&[&fifteen[..], &[&good]].concat())), None);
    let sixteen = vec![other.as_str(); 16];
    let refused = bench.code(&list(&[&sixteen[..], &[&good]].concat()));
    assert_eq!(refused, Some(Code::SignatureMalformed));
    let refused = bench.code(&list(&vec!["v1=ab"; 10_000]));
    assert_eq!(refused, Some(Code::SignatureMalformed));
    let unknown = vec!["v9=ab"; 10_000];
    assert_eq!(bench.code(&list(&unknown)), Some(Code::SignatureMissing));
    assert_eq!(bench.code(&list(&[&unknown[..], &[&good]].concat())), None);
}
