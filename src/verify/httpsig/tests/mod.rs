//! What the standard shows, and what a hostile sender would try.

mod published;

use std::borrow::Cow;

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use proptest::prelude::*;

use super::*;
use crate::{
    clock::UnixMs,
    decision::{Code, Refusal},
    verify::{Algorithm, Head, key::Keyed},
};

/// A request that owns its parts.
#[derive(Clone)]
struct Request {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
}

impl Request {
    fn new(method: Method, uri: &str, headers: &[(&str, &str)]) -> Self {
        let request = Self { method, uri: uri.parse().unwrap(), headers: HeaderMap::new() };
        headers.iter().fold(request, |request, (name, value)| request.with(name, value))
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        let name: HeaderName = name.parse().unwrap();
        self.headers.append(name, HeaderValue::from_str(value).unwrap());
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    fn signed(self, input: &str, signature: &str) -> Self {
        self.with("signature-input", input).with("signature", signature)
    }

    fn head(&self) -> Head<'_> {
        Head { method: &self.method, uri: &self.uri, headers: &self.headers }
    }

    fn read(&self, rules: &Rules) -> Result<Vec<Input>, Refusal> {
        read(self.head(), rules).map(|inputs| inputs.into_vec())
    }

    /// The base of the one signature, as text.
    fn base(&self) -> String {
        let [input] = <[Input; 1]>::try_from(self.read(&anything()).unwrap()).unwrap();
        String::from_utf8(input.base).unwrap()
    }

    fn refused(&self, rules: &Rules) -> Code {
        self.read(rules).unwrap_err().code
    }
}

fn anything() -> Rules {
    Rules { algorithms: vec![Algorithm::RsaPssSha512, Algorithm::HmacSha256], ..Rules::default() }
}

fn component(text: &str) -> Component {
    Component::parse(text).unwrap()
}

const DIGEST: &str = "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:";

/// The request of RFC 9421, appendix B.2.
fn published() -> Request {
    let headers = [
        ("host", "example.com"),
        ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
        ("content-type", "application/json"),
        ("content-digest", DIGEST),
        ("content-length", "18"),
    ];
    Request::new(Method::POST, "/foo?param=Value&Pet=dog", &headers)
}

const BODY: &[u8] = br#"{"hello": "world"}"#;

/// The bases of RFC 9421, appendix B.2.1 to B.2.3 and B.2.6.

#[test]
fn the_registered_url_says_where_a_request_went() {
    let input = "s=(\"@target-uri\" \"@authority\" \"@scheme\")";
    let request = published().signed(input, "s=:AA==:");
    let origin = Origin::of_url("http://Hooks.Example.net:80/other?x");
    let rules = Rules { origin, ..anything() };
    let base = request.read(&rules).unwrap().remove(0).base;
    let expected = "\"@target-uri\": http://Hooks.Example.net:80/foo?param=Value&Pet=dog\n\
                    \"@authority\": hooks.example.net\n\"@scheme\": http\n";
    assert!(base.starts_with(expected.as_bytes()));
    for bad in ["", "/path", "ftp://h/", "https://user@h/", "https:///x", "h:80"] {
        assert_eq!(Origin::of_url(bad), None, "{bad}");
    }
    assert_eq!(request.clone().without("host").refused(&anything()), Code::SignatureMismatch);
    assert_eq!(request.with("host", "b").refused(&anything()), Code::SignatureMismatch);
}

#[test]
fn what_is_required_must_be_covered() {
    let rules = Rules {
        required: vec![component("@method"), Component::CONTENT_DIGEST],
        one_of: vec![
            vec![component("@target-uri")],
            vec![component("@authority"), component("@path"), component("@query")],
        ],
        ..anything()
    };
    let read = |covered: &str| {
        published().signed(&format!("s=({covered})"), "s=:AA==:").read(&rules).map(drop)
    };
    for enough in [
        r#""@method" "content-digest" "@target-uri""#,
        r#""@query" "@path" "@authority" "content-digest" "@method" "date""#,
        r#""@method" "content-digest";bs "@authority" "@request-target""#,
        r#""@method" "content-digest";sf "@target-uri""#,
    ] {
        assert_eq!(read(enough), Ok(()), "{enough}");
    }
    for little in [
        "",
        r#""@method" "@target-uri""#,
        r#""content-digest" "@target-uri""#,
        r#""@method" "content-digest""#,
        r#""@method" "content-digest" "@authority" "@path""#,
        r#""@method" "content-digest";key="sha-512" "@target-uri""#,
        r#""@method" "content-digest" "@request-target""#,
    ] {
        assert_eq!(read(little).unwrap_err().code, Code::SignatureMismatch, "{little}");
    }
    assert!(rules.require(&Component::CONTENT_DIGEST) && rules.require(&component("@path")));
    assert!(!rules.require(&component("@scheme")) && !rules.require(&component("date")));
}

#[test]
fn components_that_cannot_be_judged_are_refused() {
    let read = |covered: &str| published().signed(&format!("s=({covered})"), "s=:AA==:");
    for malformed in [
        r#""@status""#,
        r#""@method";req"#,
        r#""content-type";tr"#,
        r#""@unknown""#,
        r#""@method";sf"#,
        r#""@query-param""#,
        r#""@query-param";name=Pet"#,
        r#""@query-param";name="Pet";req"#,
        r#""Content-Type""#,
        r#""content type""#,
        r#""""#,
        "content-type",
        ":YQ==:",
        "1",
        r#""content-type";sf=?0"#,
        r#""content-type";bs;sf"#,
        r#""content-type";key=1"#,
        r#""content-type";own"#,
        r#""date" "date""#,
        r#""content-type";bs "date" "content-type";bs"#,
        &(0..33).map(|n| format!("\"x-{n}\" ")).collect::<String>(),
    ] {
        let refused = read(malformed).refused(&anything());
        assert_eq!(refused, Code::SignatureMalformed, "{malformed}");
    }
    for mismatch in [
        r#""x-absent""#,
        r#""content-type";sf"#,
        r#""content-type";key="a""#,
        r#""content-digest";key="md5""#,
        r#""@query-param";name="none""#,
        r#""@query-param";name="pet""#,
    ] {
        assert_eq!(read(mismatch).refused(&anything()), Code::SignatureMismatch, "{mismatch}");
    }
    let twice = Request { uri: "/?a=1&%61=1".parse().unwrap(), ..published() };
    let twice = twice.signed("s=(\"@query-param\";name=\"a\")", "s=:AA==:");
    assert_eq!(twice.refused(&anything()), Code::SignatureMismatch);
    let long = published().with("x", &"v".repeat(70_000)).signed("s=(\"x\")", "s=:AA==:");
    assert_eq!(long.refused(&anything()), Code::SignatureMismatch);
}

#[test]
fn parameters_are_of_their_types() {
    let read = |parameters: &str| {
        published().signed(&format!("s=(){parameters}"), "s=:AA==:").read(&anything())
    };
    let all =
        ";created=1;expires=2;nonce=\"n\";alg=\"hmac-sha256\";keyid=\"k\\\"\";tag=\"t\";own=?0";
    let input = read(all).unwrap().remove(0);
    let expected = Parameters {
        alg: Some(Algorithm::HmacSha256),
        created: Some(UnixMs(1000)),
        expires: Some(UnixMs(2000)),
        keyid: Some("k\"".into()),
        nonce: Some("n".into()),
        tag: Some("t".into()),
    };
    assert_eq!(input.parameters, expected);
    assert_eq!(input.base, format!("\"@signature-params\": (){all}").into_bytes());
    for (malformed, code) in [
        (";created=\"1\"", Code::SignatureMalformed),
        (";created=1.0", Code::SignatureMalformed),
        (";created=-1", Code::SignatureMalformed),
        (";created=@1", Code::SignatureMalformed),
        (";created", Code::SignatureMalformed),
        (";expires=253402300800", Code::SignatureMalformed),
        (";expires=9999999999999999", Code::SignatureMalformed),
        (";keyid=k", Code::SignatureMalformed),
        (";nonce=:YQ==:", Code::SignatureMalformed),
        (";alg=1", Code::SignatureMalformed),
        (";alg=\"none\"", Code::SignatureMismatch),
        (";alg=\"HMAC-SHA256\"", Code::SignatureMismatch),
        (";alg=\"ed25519\"", Code::SignatureMismatch),
    ] {
        assert_eq!(read(malformed).unwrap_err().code, code, "{malformed}");
    }
}

#[test]
fn labels_go_together() {
    let (input, other) = ("s=(\"@method\")", "t=(\"@path\")");
    let both = published().signed(&format!("{input}, {other}"), "s=:AA==:, t=:AQ==:");
    let labels = |request: &Request| {
        let inputs = request.read(&anything()).unwrap();
        inputs.into_iter().map(|input| (input.label, input.signature)).collect::<Vec<_>>()
    };
    let expected = vec![("s".into(), vec![0]), ("t".into(), vec![1])];
    assert_eq!(labels(&both), expected);
    let lines = published().signed(input, "t=:AQ==:").signed(other, "s=:AA==:");
    assert_eq!(labels(&lines), expected);
    let lonely = published().signed(&format!("{input}, {other}"), "t=:AQ==:, u=:AA==:");
    assert_eq!(labels(&lonely), [("t".into(), vec![1])]);
    // One that cannot be judged takes nothing from another.
    let mixed = published().signed(&format!("s=(\"@status\"), {other}"), "s=:AA==:, t=:AQ==:");
    assert_eq!(labels(&mixed), [("t".into(), vec![1])]);

    let refused =
        |input: &str, signature: &str| published().signed(input, signature).refused(&anything());
    assert_eq!(refused(input, "u=:AA==:"), Code::SignatureMissing);
    assert_eq!(refused("", "s=:AA==:"), Code::SignatureMissing);
    assert_eq!(refused(input, ""), Code::SignatureMissing);
    assert_eq!(published().refused(&anything()), Code::SignatureMissing);
    assert_eq!(refused(&format!("{input}, {input}"), "s=:AA==:"), Code::AmbiguousHeader);
    assert_eq!(refused(input, "s=:AA==:, s=:AQ==:"), Code::AmbiguousHeader);
    let again = published().signed(input, "s=:AA==:").signed(input, "s=:AA==:");
    assert_eq!(again.refused(&anything()), Code::AmbiguousHeader);
    for malformed in
        ["s", "s=1", "s=\"@method\"", "s=(\"@method\"", "(\"@method\")", "s=(),", "S=()"]
    {
        assert_eq!(refused(malformed, "s=:AA==:"), Code::SignatureMalformed, "{malformed}");
    }
    for malformed in ["s", "s=AA==", "s=\"AA==\"", "s=:A$==:", "s=(:AA==:)", "s=:AA==", "s=:AA==:;"]
    {
        assert_eq!(refused(input, malformed), Code::SignatureMalformed, "{malformed}");
    }
    let many = |value: &str| (0..9).map(|n| format!("l{n}={value}")).collect::<Vec<_>>().join(",");
    assert_eq!(refused(&many("()"), &many(":AA==:")), Code::SignatureMalformed);
}

#[test]
fn every_known_digest_must_be_the_bodys() {
    let sha256 = "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:";
    let request = |value: &str| published().without("content-digest").with("content-digest", value);
    let judge = |value: &str| digests_hold(request(value).head(), BODY).map_err(|r| r.code);
    assert_eq!(content_digest(BODY), sha256);
    assert_eq!(judge(sha256), Ok(()));
    assert_eq!(judge(&format!("{sha256}, {DIGEST};q=1, md5=:AA==:, own=1")), Ok(()));
    // The last of a key is the one that counts (RFC 9651, section 4.2.2).
    assert_eq!(judge(&format!("sha-256=:AA==:, {sha256}")), Ok(()));
    assert_eq!(judge(&format!("{sha256}, sha-256=:AA==:")), Err(Code::SignatureMismatch));
    assert_eq!(judge(&format!("{sha256}, sha-512=:AA==:")), Err(Code::SignatureMismatch));
    assert_eq!(judge("sha-256=::"), Err(Code::SignatureMismatch));
    assert_eq!(judge("md5=:AA==:, SHA-256=:AA==:"), Err(Code::SignatureMalformed));
    assert_eq!(judge("md5=:AA==:"), Err(Code::SignatureMismatch));
    assert_eq!(judge(""), Err(Code::SignatureMismatch));
    assert_eq!(judge("sha-256"), Err(Code::SignatureMalformed));
    assert_eq!(
        judge("sha-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE="),
        Err(Code::SignatureMalformed)
    );
    assert_eq!(judge("sha-256=(:AA==:)"), Err(Code::SignatureMalformed));
    let lines = request(sha256).with("content-digest", DIGEST);
    assert_eq!(digests_hold(lines.head(), BODY), Ok(()));
    assert_eq!(digests_hold(lines.head(), b"").unwrap_err().code, Code::SignatureMismatch);
    let empty = request("sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:");
    assert_eq!(digests_hold(empty.head(), b""), Ok(()));
    let none = published().without("content-digest");
    assert_eq!(digests_hold(none.head(), b"").unwrap_err().code, Code::SignatureMismatch);
}

#[test]
fn what_is_prepared_is_read() {
    let components =
        ["@method", "@target-uri", "content-digest", "date;bs", "@query-param;name=\"Pet\""];
    let components: Vec<_> = components.map(component).into();
    let parameters = Parameters {
        alg: Some(Algorithm::HmacSha256),
        created: Some(UnixMs::from_secs(1_760_000_000)),
        keyid: Some("key-1".into()),
        nonce: Some("a\"b\\c".into()),
        ..Parameters::default()
    };
    let request = published();
    let unsigned = prepare(request.head(), None, "sig1", &components, &parameters).unwrap();
    let request = request.signed(&unsigned.input(), &unsigned.signature(b"bytes"));
    let input = request.read(&anything()).unwrap().remove(0);
    let (base, signature, label) = (unsigned.base, b"bytes".to_vec(), "sig1".into());
    assert_eq!(input, Input { label, components, parameters, signature, base });

    let absent = [component("x-absent")];
    assert!(prepare(request.head(), None, "s", &absent, &Parameters::default()).is_err());
    let bad = Parameters { nonce: Some("é".into()), ..Parameters::default() };
    assert!(prepare(request.head(), None, "s", &[], &bad).is_err());
}

#[test]
fn the_registry_names_six_algorithms() {
    assert_eq!(algorithm_name(Algorithm::RsaSha256), Some("rsa-v1_5-sha256"));
    assert_eq!(algorithm_name(Algorithm::RsaSha1), None);
}

proptest! {
    #[test]
    fn no_input_panics(
        input in "[ -~]{0,80}",
        signature in "[ -~]{0,40}",
        shaped in "s=\\(\"[@a-z-]{1,12}\"(;[a-z]{1,3}(=\"[a-z]{0,3}\")?)?\\);[a-z]{1,8}=[0-9\"a-z]{1,4}",
        digest in "(sha-256|sha-512|[a-z]{1,3})=[ -~]{0,12}",
    ) {
        drop(published().signed(&input, &signature).read(&anything()));
        drop(published().signed(&shaped, "s=:AA==:").read(&anything()));
        let request = published().without("content-digest").with("content-digest", &digest);
        drop(digests_hold(request.head(), BODY));
    }

    /// Two requests with the same base agree in everything that is covered.
    #[test]
    fn the_base_tells_requests_apart(
        one in ("[a-z]{0,3}", "[ -~]{0,6}", "[ -~]{0,6}"),
        two in ("[a-z]{0,3}", "[ -~]{0,6}", "[ -~]{0,6}"),
    ) {
        let base = |(path, a, b): &(String, String, String)| {
            let uri = format!("/{path}");
            Request::new(Method::POST, &uri, &[("host", "h"), ("x-a", a.trim()), ("x-b", b.trim())])
                .signed("s=(\"@path\" \"x-a\" \"x-b\")", "s=:AA==:")
                .base()
        };
        let same = one.0 == two.0 && one.1.trim() == two.1.trim() && one.2.trim() == two.2.trim();
        prop_assert_eq!(base(&one) == base(&two), same);
    }
}
