//! Laws of the engine as a whole: what is signed verifies, what is changed does not, and no input
//! makes it panic.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use proptest::prelude::*;

use super::{
    Algorithm, Definition, Head, KeyRing, RawDefinition, Scheme, SchemeOptions, Secret, Verified,
    encoding::Encoding, key::Keyed,
};
use crate::{
    clock::UnixMs,
    decision::{Code, Refusal},
};

const NOW: UnixMs = UnixMs::from_secs(1_760_000_000);

/// A scheme with its keys.
struct Bench {
    scheme: Scheme,
    keys: KeyRing,
}

/// A message under way.
#[derive(Clone, Debug)]
struct Message {
    uri: Uri,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Bench {
    fn new(definition: &str, secrets: &[Secret]) -> Self {
        Self::with(definition, secrets, SchemeOptions::default())
    }

    fn with(definition: &str, secrets: &[Secret], options: SchemeOptions) -> Self {
        let scheme = Scheme::compile(&check(definition).unwrap(), &options).unwrap();
        let keys = KeyRing::build(&scheme, secrets).unwrap();
        Self { scheme, keys }
    }

    fn judge(&self, message: &Message) -> Result<Verified, Refusal> {
        self.judge_at(message, NOW)
    }

    fn judge_at(&self, message: &Message, now: UnixMs) -> Result<Verified, Refusal> {
        let claim = self.scheme.claim(message.head())?;
        let verified =
            self.scheme.verify(&self.keys, &claim, message.head(), &message.body, now)?;
        self.scheme.judge_time(&claim, message.head(), &message.body, now)?;
        Ok(verified)
    }

    fn code(&self, message: &Message) -> Option<Code> {
        self.judge(message).err().map(|refusal| refusal.code)
    }
}

impl Message {
    fn new(body: &[u8]) -> Self {
        let uri = Uri::from_static("/hook?x=1");
        Self { uri, headers: HeaderMap::new(), body: body.to_vec() }
    }

    fn with(mut self, name: &'static str, value: impl AsRef<[u8]>) -> Self {
        let value = HeaderValue::from_bytes(value.as_ref()).unwrap();
        self.headers.append(HeaderName::from_static(name), value);
        self
    }

    fn head(&self) -> Head<'_> {
        Head { method: &Method::POST, uri: &self.uri, headers: &self.headers }
    }
}

fn check(definition: &str) -> Result<Arc<Definition>, Vec<String>> {
    let raw: RawDefinition = toml::from_str(definition).unwrap();
    Definition::check("test", raw)
        .map(Arc::new)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

fn hex(key: &[u8], content: &[u8]) -> String {
    mac(Algorithm::HmacSha256, Encoding::Hex, key, content)
}

fn mac(algorithm: Algorithm, encoding: Encoding, key: &[u8], content: &[u8]) -> String {
    encoding.encode(Keyed::new(algorithm, key).unwrap().mac(&[content.into()]).as_slice())
}

fn secret(bytes: &[u8]) -> [Secret; 1] {
    [Secret::new("a", bytes)]
}

const BODY: &str = r#"signature = { algorithm = "hmac-sha256", from = "header:x-sig", prefix = "v1=", signed = "{body}" }"#;
const TIMED: &str = r#"
    signature = { algorithm = "hmac-sha256", from = "header:x-sig", format = "pairs", value = "v1", signed = "{pair:t}.{header:x-id}.{body}" }
    timestamp = { from = "pair:t" }
    event = { id = "header:x-id", type = "header:x-type" }
"#;
const LIST: &str = r#"signature = { algorithm = "hmac-sha256", from = "header:x-sig", format = "list", prefix = "v1=", signed = "{body}" }"#;

fn timed(at: &str, id: &str, body: &[u8]) -> Message {
    let content = [at.as_bytes(), b".", id.as_bytes(), b".", body].concat();
    Message::new(body).with("x-sig", format!("t={at},v1={}", hex(b"k", &content))).with("x-id", id)
}

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
    let problems = KeyRing::build(&scheme, &secrets).unwrap_err();
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

#[test]
fn the_registered_url_is_the_requests_own() {
    let mut options = SchemeOptions::default();
    options.expect.insert("url".to_owned(), "https://h/hook?x=1".to_owned());
    let text = r#"
        signature = { algorithm = "hmac-sha256", from = "header:x-sig", signed = "{url}{body}" }
        expect.url.about = "the URL"
    "#;
    let bench = Bench::with(text, &secret(b"k"), options.clone());
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
    let bench = Bench::with(text, &secret(b"k"), options.clone());
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
    for body in [&b"{}"[..], b"", br#"{"a":{"zen":1}}"#, br#"{"zen":1"#] {
        assert!(!repeats(body));
    }
}

#[test]
fn definitions_that_would_not_protect_are_refused() {
    let signature = |rest: &str| {
        format!(r#"signature = {{ algorithm = "hmac-sha256", from = "header:x-sig", {rest} }}"#)
    };
    let signed = |template: &str| signature(&format!("signed = \"{template}\""));
    for (text, path, says) in [
        (format!("{BODY}\nevent = {{ id = \"header:x-id\" }}"), "event.id", "not covered"),
        (
            format!("{BODY}\nevent = {{ id = [\"json:/id\", \"header:x-id\"] }}"),
            "event.id",
            "`header:x-id`",
        ),
        (
            format!("{BODY}\ntimestamp = {{ from = \"header:x-ts\" }}"),
            "timestamp.from",
            "not covered",
        ),
        (
            format!("{BODY}\nrepeats = {{ header = \"x\", exists = true }}"),
            "repeats",
            "not covered",
        ),
        (
            format!("{}\nevent = {{ id = \"json:/id\" }}", signed("{body|sha1}")),
            "event.id",
            "not covered",
        ),
        (
            format!("{}\nevent = {{ id = \"header:i\" }}", signed("{header:i|lower}.{body}")),
            "event.id",
            "not covered",
        ),
        (signed("{header:a}{body}"), "signature.signed", "slide"),
        (signed("{bdy}"), "signature.signed", "`body`"),
        (signed("{url}{body}"), "signature.signed", "`[expect.url]`"),
        (signature("prefix = \"x\""), "signature.signed", "missing"),
        (signature("signed = \"{body}\", encoding = \"hx\""), "signature.encoding", "`hex`"),
        (signature("signed = \"{body}\", value = \"v1\""), "signature.value", "for pairs only"),
        (signature("signed = \"{body}\", key_slot = 0"), "signature.key_slot", "from 1"),
        (signature("signed = \"{body}\", format = \"pairs\""), "signature.value", "no key"),
        (
            signature("signed = \"{body}\", public_keys = [1]"),
            "signature.public_keys",
            "later version",
        ),
        (
            r#"signature = { algorithm = "ed25519", from = "header:s" }"#.into(),
            "signature.algorithm",
            "later version",
        ),
        (
            r#"signature = { algorithm = "token", from = "body" }"#.into(),
            "signature.from",
            "no signature",
        ),
        (
            r#"signature = { algorithm = "token", from = "bearer", signed = "{body}" }"#.into(),
            "signature.signed",
            "signs nothing",
        ),
        (
            r#"signature = { algorithm = "hmac-sha256", from = "json:/a/*/b", signed = "{body}" }"#
                .into(),
            "signature.from",
            "later version",
        ),
        (format!("{BODY}\nhandshake = [{{}}]"), "handshake", "later version"),
        (format!("{BODY}\ndeadline = \"soon\""), "deadline", "no duration"),
        (format!("{BODY}\nmethods = [\"PSOT\"]"), "methods", "`POST`"),
        (format!("{BODY}\nfinal = [\"4x\"]"), "final", "\"4xx\""),
        (String::new(), "signature", "missing"),
    ] {
        let problems = check(&text).unwrap_err();
        let found = problems.iter().any(|p| p.starts_with(&format!("{path}:")) && p.contains(says));
        assert!(found, "{text}\n{problems:?}");
    }
    // What a token vouches for needs no cover.
    let token = r#"
        signature = { algorithm = "token", from = "header:t" }
        event = { id = "header:x-id" }
    "#;
    assert!(check(token).is_ok());
}

/// A definition with its signed parts, for the laws.
fn shape(number: usize) -> (String, fn(&[u8], &str) -> Vec<u8>) {
    let algorithm = ["hmac-sha1", "hmac-sha256", "hmac-sha384", "hmac-sha512"][number % 4];
    let encoding = ["hex", "hex-any", "base64", "base64-any", "base64url"][number % 5];
    let (template, content): (_, fn(&[u8], &str) -> Vec<u8>) = match number % 3 {
        0 => ("{body}", |body, _| body.to_vec()),
        1 => ("{header:x-id}.{header:x-ts}.{body}", |body, id| {
            [id.as_bytes(), b".1760000000.", body].concat()
        }),
        _ => ("{body}{header:x-ts}", |body, _| [body, b"1760000000"].concat()),
    };
    let timestamp = match number % 3 {
        0 => "",
        _ => "timestamp = { from = \"header:x-ts\" }",
    };
    let text = format!(
        "signature = {{ algorithm = \"{algorithm}\", from = \"header:x-sig\", \
         encoding = \"{encoding}\", signed = \"{template}\" }}\n{timestamp}"
    );
    (text, content)
}

fn signed_by(number: usize, key: &[u8], body: &[u8], id: &str) -> (Bench, Message) {
    let (text, content) = shape(number);
    let bench = Bench::new(&text, &[Secret::new("other", b"other"), Secret::new("a", key)]);
    let candidate = &bench.scheme.candidates()[0];
    let signature = mac(candidate.algorithm, candidate.encoding, key, &content(body, id));
    let message =
        Message::new(body).with("x-sig", signature).with("x-id", id).with("x-ts", "1760000000");
    (bench, message)
}

fn key() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(1..=255_u8, 1..80)
        .prop_filter("blank", |key| !key.iter().all(u8::is_ascii_whitespace))
}

proptest! {
    #[test]
    fn what_is_signed_verifies(
        number in 0..60_usize,
        key in key(),
        body in proptest::collection::vec(any::<u8>(), 0..200),
        id in "[a-z0-9_-]{1,20}",
    ) {
        let (bench, message) = signed_by(number, &key, &body, &id);
        prop_assert_eq!(&*bench.judge(&message).unwrap().key_id, "a");
    }

    #[test]
    fn one_flipped_bit_of_what_is_signed_fails(
        number in 0..60_usize,
        key in key(),
        body in proptest::collection::vec(any::<u8>(), 1..100),
        id in "[a-z0-9_-]{1,20}",
        at in any::<prop::sample::Index>(),
        bit in 0..8_u32,
    ) {
        let (bench, message) = signed_by(number, &key, &body, &id);
        let mut changed = message.clone();
        changed.body[at.index(body.len())] ^= 1 << bit;
        prop_assert!(bench.judge(&changed).is_err());
        for name in ["x-sig", "x-id", "x-ts"] {
            let part = bench.scheme.coverage().headers.contains(name) || name == "x-sig";
            let mut value = message.headers[name].as_bytes().to_vec();
            let at = at.index(value.len());
            value[at] ^= 1 << (bit % 7);
            let Ok(value) = HeaderValue::from_bytes(&value) else { continue };
            let mut changed = message.clone();
            changed.headers.insert(name, value);
            let spelling = name == "x-sig" && number % 5 == 1
                && changed.headers[name].as_bytes()
                    .eq_ignore_ascii_case(message.headers[name].as_bytes());
            if part && !spelling {
                prop_assert!(bench.judge(&changed).is_err(), "{} {:?}", name, changed);
            }
        }
    }

    #[test]
    fn no_message_panics(
        number in 0..6_usize,
        sig in proptest::collection::vec(prop_oneof![32..127_u8, 128..=255_u8], 0..120),
        id in proptest::collection::vec(32..127_u8, 0..20),
        ts in "\\PC{0,16}",
        body in proptest::collection::vec(any::<u8>(), 0..80),
    ) {
        let (text, _) = shape(number);
        let texts = [text.as_str(), BODY, TIMED, LIST];
        let bench = Bench::new(texts[number % 4], &secret(b"k"));
        let message = Message::new(&body).with("x-sig", &sig).with("x-id", &id).with("x-ts", ts.as_bytes());
        prop_assert!(bench.judge(&message).is_err());
        bench.scheme.event(message.head(), &body);
        bench.scheme.repeats(message.head(), &body);
    }

    #[test]
    fn no_definition_panics(template in "[{}a-z:|.\\PC]{0,40}", from in "[a-z:/*{}.]{0,20}") {
        let raw = RawDefinition {
            signature: Some(super::definition::raw::Many(vec![
                super::definition::raw::RawSignature {
                    algorithm: Some("hmac-sha256".to_owned()),
                    from: Some(from),
                    signed: Some(template),
                    ..Default::default()
                },
            ])),
            ..Default::default()
        };
        drop(Definition::check("test", raw));
    }

    /// Two different divisions of the same bytes are never both accepted.
    #[test]
    fn parts_do_not_slide(id in "[a.]{0,4}", body in "[a.1]{0,4}", cut in 0..8_usize) {
        let all = format!("{id}.1760000000.{body}");
        let bench = Bench::new(
            r#"signature = { algorithm = "hmac-sha256", from = "header:x-sig", signed = "{header:x-id}.{header:x-ts}.{body}" }
               timestamp = { from = "header:x-ts" }
               event = { id = "header:x-id" }"#,
            &secret(b"k"),
        );
        let sig = hex(b"k", all.as_bytes());
        let accepted = |id: &str, body: &str| {
            let message = Message::new(body.as_bytes()).with("x-sig", &sig).with("x-id", id).with("x-ts", "1760000000");
            bench.judge(&message).is_ok()
        };
        if let (true, Some((other_id, rest))) = (accepted(&id, &body), all.split_at_checked(cut))
            && let Some(other_body) = rest.strip_prefix(".1760000000.")
        {
            prop_assert!(other_id == id || !accepted(other_id, other_body));
        }
    }
}
