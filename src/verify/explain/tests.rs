use http::{HeaderMap, HeaderValue, Method, Uri};

use super::*;
use crate::verify::{
    Algorithm, EcdsaForm, PublicKey, PublicKeys, RawDefinition, SigningKey, encoding::Encoding,
    key::Keyed, read_public_keys,
};

const BODY: &[u8] = br#"{"b": 1, "a": "x"}"#;
const NOW: UnixMs = UnixMs::from_secs(1_760_000_000);

/// A message under a definition, its signature made over what the case says.
struct Bench {
    definition: Arc<Definition>,
    options: SchemeOptions,
    headers: HeaderMap,
    uri: Uri,
    body: Vec<u8>,
}

impl Bench {
    fn new(definition: &str) -> Self {
        let raw: RawDefinition = toml::from_str(definition).unwrap();
        Self {
            definition: Arc::new(Definition::check("test", raw).unwrap()),
            options: SchemeOptions::default(),
            headers: HeaderMap::new(),
            uri: Uri::from_static("/hook"),
            body: BODY.to_vec(),
        }
    }

    fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(name, HeaderValue::try_from(value).unwrap());
        self
    }

    fn misses(&self, secrets: &[Secret]) -> Vec<NearMiss> {
        let head = Head { method: &Method::POST, uri: &self.uri, headers: &self.headers };
        let tried = Tried { secrets, ..Tried::default() };
        explain(&self.definition, &self.options, tried, head, &self.body, NOW)
    }
}

fn mac(algorithm: Algorithm, key: &[u8], content: &[u8], encoding: Encoding) -> String {
    encoding.encode(Keyed::new(algorithm, key).unwrap().mac(&[content.into()]).as_slice())
}

fn sha256(key: &[u8], content: &[u8]) -> String {
    mac(Algorithm::HmacSha256, key, content, Encoding::Hex)
}

const PLAIN: &str = r#"
    signature = { algorithm = "hmac-sha256", from = "header:x-sig", prefix = "v1=", signed = "{body}" }
"#;

fn plain(signature: &str) -> Bench {
    Bench::new(PLAIN).header("x-sig", &format!("v1={signature}"))
}

#[test]
fn nothing_is_near_a_match_or_a_forgery() {
    let secrets = [Secret::new("a", b"hunter2")];
    assert_eq!(plain(&sha256(b"hunter2", BODY)).misses(&secrets), []);
    assert_eq!(plain(&sha256(b"other", BODY)).misses(&secrets), []);
    assert_eq!(plain("zz").misses(&secrets), []);
    assert_eq!(Bench::new(PLAIN).misses(&secrets), []);
}

#[test]
fn secrets_changed_in_every_usual_way() {
    for (configured, used, change) in [
        (&b"hunter2"[..], &b"hunter2\n"[..], KeyChange::WithNewline),
        (b" hunter2 ", b"hunter2", KeyChange::Trimmed),
        (b"68756e74657232", b"hunter2", KeyChange::FromHex),
        (b"aHVudGVyMg==", b"hunter2", KeyChange::FromBase64),
        (b"whsec_aHVudGVyMg==", b"hunter2", KeyChange::FromBase64),
        (b"whsec_hunter", b"hunter", KeyChange::WithoutPrefix),
    ] {
        let misses = plain(&sha256(used, BODY)).misses(&[Secret::new("a", configured)]);
        assert_eq!(misses, [NearMiss::Key("a".into(), change)]);
        assert!(!misses[0].to_string().contains("hunter"));
    }
    let base64 = PLAIN.replace("signed", "key = \"base64\", signed");
    let bench = Bench::new(&base64).header("x-sig", &format!("v1={}", sha256(b"aGk=", BODY)));
    let misses = bench.misses(&[Secret::new("a", b"aGk=")]);
    assert_eq!(misses, [NearMiss::Key("a".into(), KeyChange::NotDecoded)]);
}

#[test]
fn an_expired_secret() {
    let secret = Secret { expires: Some(NOW), ..Secret::new("2025", b"hunter2") };
    let misses = plain(&sha256(b"hunter2", BODY)).misses(&[Secret::new("2026", b"x"), secret]);
    assert_eq!(misses, [NearMiss::Expired("2025".into())]);
}

#[test]
fn a_secret_at_another_place() {
    let bench = Bench::new(&PLAIN.replace("signed", "key_slot = 1, signed"));
    let bench = bench.header("x-sig", &format!("v1={}", sha256(b"b", BODY)));
    let misses = bench.misses(&[Secret::new("1", b"a"), Secret::new("2", b"b")]);
    assert_eq!(misses, [NearMiss::Slot("2".into())]);
}

#[test]
fn a_key_id_that_is_not_the_secrets() {
    let bench = Bench::new(&PLAIN.replace("signed", "key_id = \"header:x-key\", signed"));
    let bench = bench.header("x-sig", &format!("v1={}", sha256(b"b", BODY)));
    let secret = Secret { id_is_explicit: true, ..Secret::new("mine", b"b") };
    let misses = bench.header("x-key", "theirs").misses(&[secret]);
    assert_eq!(misses, [NearMiss::KeyId("mine".into())]);
}

#[test]
fn a_body_that_was_written_again() {
    for (sent, how) in [
        (&br#"{"b":1,"a":"x"}"#[..], Reshaped::Compact),
        (br#"{"a":"x","b":1}"#, Reshaped::Sorted),
        (b"{\n  \"b\": 1,\n  \"a\": \"x\"\n}", Reshaped::Pretty),
        (b"{\"b\": 1, \"a\": \"x\"}\n", Reshaped::WithNewline),
    ] {
        let misses = plain(&sha256(b"k", sent)).misses(&[Secret::new("a", b"k")]);
        assert_eq!(misses, [NearMiss::Body(how)]);
    }
    let mut bench = plain(&sha256(b"k", BODY));
    bench.body.extend_from_slice(b"\r\n");
    assert_eq!(bench.misses(&[Secret::new("a", b"k")]), [NearMiss::Body(Reshaped::Trimmed)]);
}

#[test]
fn other_spellings_and_algorithms() {
    let secrets = [Secret::new("a", b"k")];
    let base64 = mac(Algorithm::HmacSha256, b"k", BODY, Encoding::Base64);
    let spelled = NearMiss::Spelling { is: "base64-any", wanted: "hex" };
    assert_eq!(plain(&base64).misses(&secrets), [spelled]);
    let upper = sha256(b"k", BODY).to_uppercase();
    let spelled = NearMiss::Spelling { is: "hex-any", wanted: "hex" };
    assert_eq!(plain(&upper).misses(&secrets), [spelled]);
    let bare = Bench::new(PLAIN).header("x-sig", &sha256(b"k", BODY));
    assert_eq!(bare.misses(&secrets), [NearMiss::Unprefixed]);
    let sha1 = mac(Algorithm::HmacSha1, b"k", BODY, Encoding::Hex);
    let other = NearMiss::Algorithm { is: Algorithm::HmacSha1, wanted: Algorithm::HmacSha256 };
    let labelled = Bench::new(PLAIN).header("x-sig", &format!("sha1={sha1}"));
    assert_eq!(plain(&sha1).misses(&secrets), labelled.misses(&secrets));
    assert_eq!(labelled.misses(&secrets), [other]);
}

#[test]
fn a_timestamp_in_another_unit() {
    let timed = r#"
        signature = { algorithm = "hmac-sha256", from = "header:x-sig", signed = "{header:x-ts}.{body}" }
        timestamp = { from = "header:x-ts", unit = "milliseconds" }
    "#;
    let content = [b"1760000000.", BODY].concat();
    let bench =
        Bench::new(timed).header("x-ts", "1760000000123").header("x-sig", &sha256(b"k", &content));
    let misses = bench.misses(&[Secret::new("a", b"k")]);
    assert_eq!(misses, [NearMiss::TimestampUnit { signed: "seconds" }]);
}

#[test]
fn another_url() {
    let with_url = r#"
        signature = { algorithm = "hmac-sha256", from = "header:x-sig", signed = "{url}{body}" }
        expect.url.about = "the URL"
    "#;
    let signed = |url: &str| sha256(b"k", &[url.as_bytes(), BODY].concat());
    let bench = |configured: &str, signed_url: &str| {
        let mut bench = Bench::new(with_url).header("x-sig", &signed(signed_url));
        bench.uri = Uri::from_static("/hook?token=hunter2");
        bench.options.expect.insert("url".to_owned(), configured.to_owned());
        bench.misses(&[Secret::new("a", b"k")])
    };
    let misses = bench("https://h/hook/", "https://h/hook?token=hunter2");
    assert_eq!(misses, [NearMiss::Url { shown: "https://h/hook?…".to_owned() }]);
    assert_eq!(bench("https://h/other", "https://h/other"), [NearMiss::OtherPath]);
    let misses = bench("https://h/hook?token=hunter2", "http://h/hook?token=hunter2");
    assert_eq!(misses, [NearMiss::Url { shown: "http://h/hook?…".to_owned() }]);
}

#[test]
fn tokens() {
    let token = r#"signature = { algorithm = "token", from = "header:x-token" }"#;
    let misses = |secret: &[u8], sent: &str| {
        Bench::new(token).header("x-token", sent).misses(&[Secret::new("a", secret)])
    };
    assert_eq!(misses(b"hunter2", "hunter2"), []);
    assert_eq!(misses(b"hunter2", "hunter3"), []);
    assert_eq!(misses(b"hunter2 ", "hunter2"), [NearMiss::Key("a".into(), KeyChange::Trimmed)]);
    assert_eq!(misses(b"Hunter2", "hunter2"), [NearMiss::LetterCase("a".into())]);
}

/// A public key of this name, and the private one that signs.
fn pair(id: &str, algorithm: Algorithm) -> (PublicKey, SigningKey) {
    let signing = SigningKey::generate(algorithm).unwrap();
    let keys = PublicKeys::Known(read_public_keys(signing.public_pem().as_bytes()).unwrap());
    (PublicKey { id: id.into(), id_is_explicit: false, expires: None, keys }, signing)
}

const ED25519: &str = r#"
    signature = { algorithm = "ed25519", from = "header:x-sig", signed = "{header:x-time}{body}" }
    timestamp = { from = "header:x-time" }
"#;

fn public(definition: &str, text: &str, keys: &[PublicKey]) -> Vec<NearMiss> {
    let bench = Bench::new(definition).header("x-sig", text).header("x-time", "1760000000");
    let head = Head { method: &Method::POST, uri: &bench.uri, headers: &bench.headers };
    let tried = Tried { public_keys: keys, ..Tried::default() };
    explain(&bench.definition, &bench.options, tried, head, &bench.body, NOW)
}

#[test]
fn public_keys() {
    let (mut key, signing) = pair("app", Algorithm::Ed25519);
    let sign = |text: &[u8]| {
        let signature = signing.sign(Algorithm::Ed25519, EcdsaForm::Der, text).unwrap();
        (hex::encode(&signature), Encoding::Base64.encode(&signature))
    };
    let (hex, base64) = sign(&[b"1760000000", BODY].concat());
    let keys = [pair("other", Algorithm::Ed25519).0, key.clone()];
    assert_eq!(public(ED25519, &hex, &keys), []);
    assert_eq!(public(ED25519, &hex, &keys[..1]), []);
    let spelling = NearMiss::Spelling { is: "base64-any", wanted: "hex" };
    assert_eq!(public(ED25519, &base64, &keys), [spelling]);
    let with_crlf = sign(&[b"1760000000", BODY, b"\r\n"].concat()).0;
    assert_eq!(public(ED25519, &with_crlf, &keys), [NearMiss::Body(Reshaped::WithCrLf)]);
    let in_ms = sign(&[b"1760000000000", BODY].concat()).0;
    let unit = NearMiss::TimestampUnit { signed: "milliseconds" };
    assert_eq!(public(ED25519, &in_ms, &keys), [unit]);
    key.expires = Some(NOW);
    assert_eq!(public(ED25519, &hex, &[key]), [NearMiss::ExpiredKey("app".into())]);
    assert_eq!(public(ED25519, "zz", &keys), []);
}

#[test]
fn an_ecdsa_signature_in_the_other_form() {
    let definition = r#"
        signature = { algorithm = "ecdsa-p256-sha256", from = "header:x-sig", encoding = "base64", signed = "{body}" }
    "#;
    let algorithm = Algorithm::EcdsaP256Sha256;
    let (key, signing) = pair("app", algorithm);
    let sign = |form| Encoding::Base64.encode(&signing.sign(algorithm, form, BODY).unwrap());
    assert_eq!(public(definition, &sign(EcdsaForm::Der), std::slice::from_ref(&key)), []);
    let spelling = NearMiss::Spelling { is: "two bare numbers", wanted: "DER" };
    assert_eq!(public(definition, &sign(EcdsaForm::Raw), &[key]), [spelling]);
}
