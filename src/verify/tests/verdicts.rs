use super::*;

#[test]
fn time_is_judged_in_both_directions() {
    let bench = Bench::new(TIMED, &secret(b"k"));
    let judged = |at: i64| bench.code(&timed(&at.to_string(), "1", b"x"));
    let now = NOW.secs();
    assert_eq!(judged(now), None);
    assert_eq!(judged(now - 300), None);
    assert_eq!(judged(now + 300), None);
    assert_eq!(judged(now - 301), Some(Code::TimestampExpired));
    assert_eq!(judged(now + 301), Some(Code::TimestampInFuture));
    assert_eq!(judged(now * 1000), Some(Code::TimestampInFuture));
    assert_eq!(judged(0), Some(Code::TimestampExpired));
    let told = bench.judge(&timed(&(now * 1000).to_string(), "1", b"x")).unwrap_err();
    assert!(told.detail.to_string().ends_with("; it would be fresh in milliseconds"), "{told:?}");
}

#[test]
fn any_active_secret_verifies_and_its_id_is_told() {
    let expired = Secret { expires: Some(NOW), ..Secret::new("old", b"old") };
    let bench = Bench::new(BODY, &[Secret::new("new", b"new"), expired]);
    let signed = |key: &[u8]| Message::new(b"x").with("x-sig", format!("v1={}", hex(key, b"x")));
    assert_eq!(&*bench.judge(&signed(b"new")).unwrap().key_id, "new");
    assert_eq!(bench.code(&signed(b"old")), Some(Code::SignatureMismatch));
    let before = UnixMs(NOW.0 - 1);
    assert_eq!(&*bench.judge_at(&signed(b"old"), before).unwrap().key_id, "old");
    assert_eq!(bench.code(&signed(b"none")), Some(Code::SignatureMismatch));
    let none = Bench::new(BODY, &[]);
    assert_eq!(none.code(&signed(b"")), Some(Code::SignatureMismatch));
}

#[test]
fn blank_secrets_make_no_keys() {
    let scheme = Scheme::compile(&check(BODY).unwrap(), &SchemeOptions::default()).unwrap();
    let secrets = [Secret::new("a", b"fine"), Secret::new("b", b""), Secret::new("c", b" \n")];
    let problems = KeyRing::build(&scheme, &secrets.as_slice().into()).unwrap_err();
    assert_eq!(problems, [(1, "is empty".to_owned()), (2, "is blank".to_owned())]);
}

#[test]
fn content_keys_are_of_the_signed_bytes_and_nothing_else() {
    let bench = Bench::new(LIST, &[Secret::new("a", b"a"), Secret::new("b", b"b")]);
    let a = format!("v1={}", hex(b"a", b"x"));
    let b = format!("v1={}", hex(b"b", b"x"));
    let key = |sig: &str, body: &[u8]| {
        bench.judge(&Message::new(body).with("x-sig", sig)).unwrap().content_key.unwrap()
    };
    let one = key(&a, b"x");
    assert_eq!(one, key(&b, b"x"));
    assert_eq!(one, key(&format!("{b}, {a}"), b"x"));
    assert_ne!(one, key(&format!("v1={}", hex(b"a", b"y")), b"y"));

    let bench = Bench::new(TIMED, &secret(b"k"));
    let key = |message: &Message| bench.judge(message).unwrap();
    let verified = key(&timed("1760000000", "1", b"x"));
    assert_eq!(verified.signed_at, Some(NOW));
    assert_eq!(verified.body_key, None);
    let unsigned = timed("1760000000", "1", b"x").with("x-type", "other");
    assert_eq!(verified.content_key, key(&unsigned).content_key);
    assert_ne!(verified.content_key, key(&timed("1760000001", "1", b"x")).content_key);
}

#[test]
fn an_uncovered_body_is_bound_by_a_key_of_its_own() {
    let bench = Bench::new(
        r#"
        signature = { algorithm = "hmac-sha256", from = "json:/s/sig", signed = "{json:/s/ts}{json:/s/token}" }
        timestamp = { from = "json:/s/ts" }
        event = { id = "json:/s/token", type = "json:/type" }
        "#,
        &secret(b"k"),
    );
    assert!(!bench.scheme.coverage().body);
    let sig = hex(b"k", b"1760000000tok");
    let body = |kind: &str| {
        let s = format!(r#"{{"ts":"1760000000","token":"tok","sig":"{sig}"}}"#);
        Message::new(format!(r#"{{"s":{s},"type":"{kind}"}}"#).as_bytes())
    };
    let (one, other) = (bench.judge(&body("a")).unwrap(), bench.judge(&body("b")).unwrap());
    assert_eq!(one.content_key, other.content_key);
    assert_ne!(one.body_key.unwrap(), other.body_key.unwrap());
    assert_eq!(one.signed_at, Some(NOW));
    let event = bench.scheme.event(body("a").head(), &body("a").body);
    assert_eq!((&*event.ids[0], event.kind.as_deref(), event.covered), ("tok", Some("a"), true));

    let text = String::from_utf8(body("a").body).unwrap();
    for (from, to, code) in [
        ("\"sig\":", "\"x\":", Code::SignatureMissing),
        ("\"ts\":\"1760000000\",", "", Code::TimestampMissing),
        ("\"token\":\"tok\",", "", Code::IdMissing),
        ("\"token\":\"tok\",", "\"token\":\"tok\",\"token\":\"tok\",", Code::PayloadMalformed),
        ("\"sig\":", "\"sig\":\"a\",\"sig\":", Code::SignatureMalformed),
        ("{\"s\"", "[{\"s\"", Code::SignatureMalformed),
        ("1760000000", "01760000000", Code::TimestampMalformed),
        ("1760000000", "176000000", Code::TimestampMalformed),
        ("1760000000\",\"token\":\"", "176000000\",\"token\":\"0", Code::TimestampMalformed),
    ] {
        let changed = Message::new(text.replace(from, to).as_bytes());
        assert_eq!(bench.code(&changed), Some(code), "{from} → {to}");
    }
}

#[test]
fn a_set_of_ids_is_whole_or_none() {
    let bench = Bench::new(
        r#"
        signature = { algorithm = "hmac-sha256", from = "header:x-sig", signed = "{body}" }
        event = { id = "json:/events/*/id" }
        "#,
        &secret(b"k"),
    );
    let ids = |body: &str| {
        let event = bench.scheme.event(Message::new(b"").head(), body.as_bytes());
        event.ids.join(",")
    };
    assert_eq!(ids(r#"{"events":[{"id":"b"},{"id":"a"},{"id":"b"}]}"#), "a,b");
    for body in [
        r#"{"events":[{"id":"a"},{"no":1}]}"#,
        r#"{"events":[{"id":"a"},{"id":null}]}"#,
        r#"{"events":[{"id":"a"},{"id":""}]}"#,
        r#"{"events":[{"id":"a"},7]}"#,
        r#"{"events":[]}"#,
    ] {
        assert_eq!(ids(body), "", "{body}");
    }
}

#[test]
fn the_group_that_comes_first_counts() {
    let bench = Bench::new(
        r#"
        timestamp = { from = ["header:a-ts", "header:b-ts"] }
        event = { id = ["header:a-id", "header:b-id"] }
        [[signature]]
        algorithm = "hmac-sha256"
        from = "header:a-sig"
        signed = "{header:a-id}.{header:a-ts}.{body}"
        [[signature]]
        algorithm = "hmac-sha256"
        from = "header:b-sig"
        signed = "{header:b-id}.{header:b-ts}.{body}"
        "#,
        &secret(b"k"),
    );
    let sig = hex(b"k", b"1.1760000000.x");
    let b = Message::new(b"x").with("b-sig", &sig).with("b-id", "1").with("b-ts", "1760000000");
    assert_eq!(bench.code(&b), None);
    // An id that the signature does not cover is nobody's.
    let forged = b.clone().with("a-id", "forged");
    assert_eq!(&*bench.scheme.event(forged.head(), b"x").ids, [Box::from("1")]);
    // Whoever adds the first group's headers is judged by them alone.
    let both = b.clone().with("a-sig", hex(b"other", b"x"));
    assert_eq!(bench.code(&both), Some(Code::TimestampMissing));
    let a = Message::new(b"x").with("a-sig", &sig).with("a-id", "1").with("a-ts", "1760000000");
    let keys = [&a, &b].map(|message| bench.judge(message).unwrap().content_key);
    assert_eq!(keys[0], keys[1], "the same signed bytes under another spelling are no news");
}

#[test]
fn the_registered_url_is_the_requests_own() {
    let mut options = SchemeOptions::default();
    options.expect.insert("url".to_owned(), "https://h/hook?x=1".to_owned());
    let text = r#"
        signature = { algorithm = "hmac-sha256", from = "header:x-sig", signed = "{url}{body}" }
        expect.url.about = "the URL"
    "#;
    let bench = Bench::with(text, &secret(b"k"), &options);
    let message = Message::new(b"x").with("x-sig", hex(b"k", b"https://h/hook?x=1x"));
    assert_eq!(bench.code(&message), None);
    let mut elsewhere = message;
    elsewhere.uri = Uri::from_static("/hook?x=2");
    assert_eq!(bench.code(&elsewhere), Some(Code::SignatureMismatch));
    assert!(bench.scheme.coverage().query);

    let definition = check(text).unwrap();
    let compile = |options: &SchemeOptions| Scheme::compile(&definition, options).unwrap_err();
    assert!(compile(&SchemeOptions::default())[0].contains("needs expect.url"));
    options.expect.insert("urk".to_owned(), String::new());
    assert!(compile(&options)[0].contains("did you mean url?"));
    for bad in ["hook", "/hook", "ftp://h/x", "https://h/x#y"] {
        let expect = [("url".to_owned(), bad.to_owned())].into();
        assert!(compile(&SchemeOptions { expect, ..Default::default() })[0].contains("whole URL"));
    }
}

#[test]
fn forbidden_algorithms_are_no_candidates() {
    let text = r#"
        [[signature]]
        algorithm = "hmac-sha256"
        from = "header:x-256"
        signed = "{body}"
        [[signature]]
        algorithm = "hmac-sha1"
        from = "header:x-1"
        signed = "{body}"
    "#;
    let sha1 = mac(Algorithm::HmacSha1, Encoding::Hex, b"k", b"x");
    let message = Message::new(b"x").with("x-1", sha1);
    assert_eq!(Bench::new(text, &secret(b"k")).code(&message), None);
    let mut options = SchemeOptions { forbid: [Algorithm::HmacSha1].into(), ..Default::default() };
    let bench = Bench::with(text, &secret(b"k"), &options);
    assert_eq!(bench.code(&message), Some(Code::SignatureMissing));
    assert_eq!(bench.scheme.coverage().algorithms, [Algorithm::HmacSha256].into());
    options.forbid.insert(Algorithm::HmacSha256);
    let refused = Scheme::compile(&check(text).unwrap(), &options).unwrap_err();
    assert!(refused[0].contains("which the policy forbids"), "{refused:?}");
}

#[test]
fn repeats_are_told_by_covered_content() {
    let text = format!("{BODY}\nrepeats = {{ json = \"/zen\", exists = true }}");
    let bench = Bench::new(&text, &secret(b"k"));
    let repeats = |body: &[u8]| bench.scheme.repeats(Message::new(body).head(), body);
    assert!(repeats(br#"{"zen":null}"#) && repeats(br#"{"zen":{}}"#));
    for body in [&b"{}"[..], b"", br#"{"a":{"zen":1}}"#, br#"{"zen":1"#, br#"{"a":"zen"}"#] {
        assert!(!repeats(body));
    }
    let bench = Bench::new(&text.replace("true", "false"), &secret(b"k"));
    assert!(bench.scheme.repeats(Message::new(b"{}").head(), b"{}"));
    let heartbeat = |bench: &Bench| bench.scheme.is_heartbeat(Message::new(b"{}").head(), b"{}");
    assert!(heartbeat(&bench));
    // Where everything recurs, nothing of it is a mere sign of life.
    let always = Bench::new(&format!("{BODY}\nrepeats = true"), &secret(b"k"));
    assert!(always.scheme.repeats(Message::new(b"{}").head(), b"{}") && !heartbeat(&always));
}

#[test]
fn debug_shows_no_registered_url() {
    let text = r#"
        signature = { algorithm = "hmac-sha256", from = "header:x-sig", signed = "{url}{body}" }
        expect.url.about = "the URL"
    "#;
    let mut options = SchemeOptions::default();
    options.expect.insert("url".to_owned(), "https://h/hook?token=hunter2".to_owned());
    let bench = Bench::with(text, &secret(b"hunter2"), &options);
    let shown = format!("{options:?} {:?} {:?}", bench.scheme, bench.keys);
    assert!(!shown.contains("hunter2"), "{shown}");
}
