mod tables;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use proptest::prelude::*;

use super::{Answer, MAX_ANSWER};
use crate::{
    clock::UnixMs,
    decision::{Code, Refusal},
    verify::{
        Algorithm, Definition, Head, KeyRing, RawDefinition, Scheme, SchemeOptions, Secret,
        encoding::Encoding, key::Keyed,
    },
};

const NOW: UnixMs = UnixMs::from_secs(1_760_000_000);
const SIGNED: &str = r#"signature = { algorithm = "hmac-sha256", from = "header:x-sig", encoding = "base64", signed = "{body}" }"#;

/// A compiled definition with its keys.
struct Bench {
    scheme: Scheme,
    keys: KeyRing,
}

/// A request under way.
struct Request {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Request {
    fn new(method: &str, target: &str) -> Self {
        let (method, uri) = (method.parse().unwrap(), target.parse().unwrap());
        Self { method, uri, headers: HeaderMap::new(), body: Vec::new() }
    }

    fn with(mut self, name: &'static str, value: &[u8]) -> Self {
        let value = HeaderValue::from_bytes(value).unwrap();
        self.headers.append(HeaderName::from_static(name), value);
        self
    }

    /// Signed with `key`, as the definitions here do.
    fn signed(mut self, key: &[u8], body: &[u8]) -> Self {
        body.clone_into(&mut self.body);
        let signature = mac(key, body);
        self.with("x-sig", signature.as_bytes())
    }

    fn head(&self) -> Head<'_> {
        Head { method: &self.method, uri: &self.uri, headers: &self.headers }
    }
}

fn mac(key: &[u8], text: &[u8]) -> String {
    let keyed = Keyed::new(Algorithm::HmacSha256, key).unwrap();
    Encoding::Base64.encode(keyed.mac(&[text.into()]).as_slice())
}

fn check(handshake: &str) -> Result<Definition, Vec<String>> {
    let raw: RawDefinition = toml::from_str(&format!("{SIGNED}\n{handshake}")).unwrap();
    Definition::check("test", raw)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

impl Bench {
    fn new(handshake: &str) -> Self {
        Self::expecting(handshake, &[])
    }

    fn expecting(handshake: &str, said: &[(&str, &str)]) -> Self {
        let definition = check(handshake).unwrap_or_else(|problems| panic!("{problems:?}"));
        let expect = said.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let options = SchemeOptions { expect, ..SchemeOptions::default() };
        let scheme = Scheme::compile(&definition.into(), &options).unwrap();
        let old = Secret { expires: Some(NOW), ..Secret::new("old", b"old") };
        let secrets = [old, Secret::new("first", b"first"), Secret::new("second", b"second")];
        let keys = KeyRing::build(&scheme, &secrets.as_slice().into()).unwrap();
        Self { scheme, keys }
    }

    fn challenge(&self, request: &Request) -> Result<Option<Answer>, Refusal> {
        self.scheme.challenge(&self.keys, request.head(), NOW)
    }

    /// The body of the answer, or how it is refused; `None`: it is no handshake.
    fn body(&self, request: &Request) -> Result<Option<String>, Code> {
        let answer = self.challenge(request).map_err(|refusal| refusal.code)?;
        Ok(answer.map(|answer| String::from_utf8(answer.reply.body).unwrap()))
    }

    fn signed(&self, request: &Request) -> Result<Option<Answer>, Refusal> {
        let (head, body) = (request.head(), &request.body);
        let claim = self.scheme.claim(head)?;
        let verified = self.scheme.verify(&self.keys, &claim, head, body, NOW)?;
        self.scheme.signed_handshake(&self.keys, &verified, head, body, NOW)
    }
}

const ECHO: &str = r#"
    [[handshake]]
    name = "echo"
    methods = ["GET"]
    when = { query = "challenge", exists = true }
    challenge = { from = "query:challenge" }
    reply = { body = "{challenge}" }
"#;

#[test]
fn a_challenge_is_repeated_decoded_and_bounded() {
    let bench = Bench::new(ECHO);
    let get = |query: &str| bench.body(&Request::new("GET", &format!("/hook{query}")));
    assert_eq!(get("?challenge=a%20b%26c+%3D").unwrap().unwrap(), "a b&c =");
    let long = "a".repeat(MAX_ANSWER);
    assert_eq!(get(&format!("?challenge={long}")).unwrap().unwrap(), long);
    for query in
        ["?challenge=", "?challenge", "?challenge=a&challenge=a", &format!("?challenge=b{long}")]
    {
        assert_eq!(get(query), Err(Code::BadRequest), "{query}");
    }
    assert_eq!(get("?other=a"), Ok(None));
    assert_eq!(bench.body(&Request::new("POST", "/hook?challenge=a")), Ok(None));
    assert!(!bench.scheme.handshakes().expects(Request::new("GET", "/hook").head()));
}

#[test]
fn an_answer_is_never_taken_for_a_page() {
    let bench = Bench::new(ECHO);
    let request = Request::new("GET", "/?challenge=%3Cscript%3E");
    let reply = bench.challenge(&request).unwrap().unwrap().reply;
    let headers: Vec<_> =
        reply.headers.iter().map(|(n, v)| (n.as_str(), v.to_str().unwrap())).collect();
    assert_eq!(
        headers,
        [
            ("x-content-type-options", "nosniff"),
            ("cache-control", "no-store"),
            ("content-type", "text/plain")
        ]
    );
    assert!(!format!("{reply:?}").contains("script"));
}

#[test]
fn what_must_be_equal_is_compared() {
    let bench = |said: &[(&str, &str)]| {
        Bench::expecting(
            r#"
            [[handshake]]
            name = "subscribe"
            methods = ["GET"]
            when = { query = "mode", exists = true }
            match = { "query:mode" = ["subscribe", "renew"], "query:token" = "{expect:token}" }
            narrow = { "query:topic" = "{expect:topic}" }
            challenge = { from = "query:challenge", grammar = "digits", max = 4 }
            reply = { body = "{challenge}" }
            [expect.token]
            about = "t"
            optional = true
            [expect.topic]
            about = "t"
            optional = true
            "#,
            said,
        )
    };
    let get = |bench: &Bench, query: &str| bench.body(&Request::new("GET", &format!("/?{query}")));
    let some = Ok(Some("12".to_owned()));
    let told = bench(&[("token", "t")]);
    assert_eq!(get(&told, "mode=subscribe&token=t&challenge=12"), some);
    assert_eq!(get(&told, "mode=renew&token=t&challenge=12&topic=any"), some);
    for query in [
        "mode=unsubscribe&token=t&challenge=12",
        "mode=subscribe&token=T&challenge=12",
        "mode=subscribe&token=&challenge=12",
        "mode=subscribe&challenge=12",
        "mode=subscribe&token=t&token=t&challenge=12",
        "mode=subscribe&mode=subscribe&token=t&challenge=12",
    ] {
        assert_eq!(get(&told, query), Err(Code::HandshakeRefused), "{query}");
    }
    for query in ["challenge=12345", "challenge=1a", "x=1"] {
        let query = format!("mode=renew&token=t&{query}");
        assert_eq!(get(&told, &query), Err(Code::BadRequest), "{query}");
    }
    let narrow = bench(&[("token", "t"), ("topic", "a")]);
    assert_eq!(get(&narrow, "mode=renew&token=t&challenge=12&topic=a"), some);
    let other = "mode=renew&token=t&challenge=12&topic=b";
    assert_eq!(get(&narrow, other), Err(Code::HandshakeRefused));
    // Without the key nothing is answered, not even to an empty or a missing token.
    let untold = bench(&[]);
    assert_eq!(untold.scheme.handshakes().lacking().collect::<Vec<_>>(), [("subscribe", "token")]);
    assert_eq!(told.scheme.handshakes().lacking().count(), 0);
    for query in ["mode=subscribe&challenge=12", "mode=subscribe&token=&challenge=12"] {
        let refusal = untold.challenge(&Request::new("GET", &format!("/?{query}"))).unwrap_err();
        assert_eq!(refusal.code, Code::HandshakeRefused);
        assert!(refusal.detail.to_string().contains("expect.token"), "{refusal}");
    }
}

const CRC: &str = r#"
    [[handshake]]
    name = "crc"
    methods = ["GET"]
    when = { query = "crc", exists = true }
    challenge = { from = "query:crc", grammar = "word", max = 32 }
    mac = { encoding = "base64" }
    reply = { content_type = "application/json", body = '{{"token":"sha256={mac}","key":{key_id|json}}}' }
"#;

#[test]
fn a_mac_is_made_with_the_first_active_key() {
    let bench = Bench::new(CRC);
    let body = bench.body(&Request::new("GET", "/?crc=abc")).unwrap().unwrap();
    let json: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(json["token"], format!("sha256={}", mac(b"first", b"abc")));
    assert_eq!(json["key"], "first");
}

/// The route would sign deliveries for anybody who asks.
#[test]
fn what_anybody_can_have_signed_is_no_delivery() {
    let bench = Bench::new(CRC);
    for text in ["true", "1234", "a=b", "YWJj"] {
        let forged = Request::new("POST", "/").signed(b"first", text.as_bytes());
        assert_eq!(
            bench
                .body(&Request::new("GET", &format!("/?crc={}", text.replace('=', "%3D"))))
                .unwrap()
                .map(|b| b.contains(&mac(b"first", text.as_bytes()))),
            Some(true)
        );
        let refusal = bench.signed(&forged).unwrap_err();
        assert_eq!(refusal.code, Code::SignatureMismatch, "{text}");
        assert!(refusal.detail.to_string().contains("challenge"), "{refusal}");
    }
    // What a provider delivers is nothing that can be asked for.
    for body in [r#"{"a":1}"#, "[]", "", &"a".repeat(33)] {
        let delivery = Request::new("POST", "/").signed(b"first", body.as_bytes());
        assert!(bench.signed(&delivery).unwrap().is_none(), "{body}");
        let asked = Request::new("GET", "/").uri_with("crc", body);
        assert_eq!(bench.body(&asked), Err(Code::BadRequest), "{body}");
    }
}

impl Request {
    fn uri_with(mut self, name: &str, value: &str) -> Self {
        let encoded: String = value.bytes().map(|byte| format!("%{byte:02x}")).collect();
        self.uri = format!("/?{name}={encoded}").parse().unwrap();
        self
    }
}

proptest! {
    /// Nobody gets a MAC that a delivery would pass with.
    #[test]
    fn no_mac_that_is_given_out_passes_for_a_signature(text in "\\PC{0,40}|[a-zA-Z0-9=./+-]{0,40}") {
        let bench = Bench::new(CRC);
        let asked = Request::new("GET", "/").uri_with("crc", &text);
        if let Ok(Some(body)) = bench.body(&asked) {
            prop_assert!(body.contains(&mac(b"first", text.as_bytes())));
            let forged = Request::new("POST", "/").signed(b"first", text.as_bytes());
            prop_assert!(bench.signed(&forged).is_err());
        }
    }
}

const VERIFICATION: &str = r#"
    [[handshake]]
    name = "url_verification"
    signed = true
    when = [{ json = "/type", equals = "url_verification" }, { header = "x-type", exists = false }]
    challenge = { from = "json:/challenge", grammar = "word" }
    mac = { encoding = "hex" }
    reply = { content_type = "application/json", body = '{{"c":{challenge|json},"m":"{mac}","k":{key_id|json}}}' }
"#;

#[test]
fn a_signed_handshake_is_told_from_deliveries_by_its_body() {
    let bench = Bench::new(VERIFICATION);
    let post = |body: &str| Request::new("POST", "/").signed(b"second", body.as_bytes());
    let request = post(r#"{"type":"url_verification","challenge":"abc"}"#);
    assert!(bench.challenge(&request).unwrap().is_none(), "not before it is verified");
    let reply = bench.signed(&request).unwrap().unwrap().reply;
    let json: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(
        (&json["c"], &json["k"]),
        (&"abc".into(), &"second".into()),
        "the key that verified"
    );
    for delivery in [
        r#"{"type":"event","challenge":"abc"}"#,
        r#"{"type":"event","text":"url_verification"}"#,
        r#"{"type":"url_verification","type":"url_verification","challenge":"abc"}"#,
        r#"["url_verification"]"#,
        "type=url_verification&challenge=a",
    ] {
        assert!(bench.signed(&post(delivery)).unwrap().is_none(), "{delivery}");
    }
    assert!(bench.signed(&request.with("x-type", b"1")).unwrap().is_none());
    for bad in [
        r#"{"type":"url_verification"}"#,
        r#"{"type":"url_verification","challenge":""}"#,
        r#"{"type":"url_verification","challenge":"a b"}"#,
        r#"{"type":"url_verification","challenge":["abc"]}"#,
        r#"{"type":"url_verification","challenge":"a","challenge":"a"}"#,
    ] {
        assert_eq!(bench.signed(&post(bad)).unwrap_err().code, Code::BadRequest, "{bad}");
    }
    let forged = Request::new("POST", "/").signed(b"third", &post("").body);
    assert!(bench.signed(&forged).is_err());
}

#[test]
fn a_key_that_is_offered_is_told_but_not_shown() {
    let bench = Bench::new(
        r#"
        [[handshake]]
        name = "secret"
        when = { header = "x-hook-secret", exists = true }
        challenge = { from = "header:x-hook-secret", grammar = "word" }
        capture = true
        reply = { status = 204, headers = { X-Hook-Secret = "{challenge}" } }
        "#,
    );
    let request = Request::new("POST", "/").with("x-hook-secret", b"0123456789abcdef");
    let answer = bench.challenge(&request).unwrap().unwrap();
    assert_eq!(**answer.offered.as_ref().unwrap().0, *b"0123456789abcdef");
    assert_eq!(answer.reply.status, 204);
    assert!(answer.reply.headers.iter().any(|(_, value)| value == "0123456789abcdef"));
    assert!(!format!("{answer:?}").contains("0123456789abcdef"));
    assert!(bench.scheme.handshakes().capture());
    let twice = request.with("x-hook-secret", b"0123456789abcdef");
    assert_eq!(bench.challenge(&twice).unwrap_err().code, Code::BadRequest);
}
