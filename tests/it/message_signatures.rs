//! HTTP message signatures over real sockets: what must be covered, and what a copy comes to.

use base64::{Engine, prelude::BASE64_STANDARD};
use hookward::verify::{Algorithm, EcdsaForm, SigningKey};
use sha2::{Digest, Sha256};

use crate::support::{Answer, Gateway, Upstream};

const NOW: i64 = 1_760_000_000;
const BODY: &[u8] = br#"{"hello": "world"}"#;

struct Sender {
    gateway: Gateway,
    upstream: Upstream,
    key: SigningKey,
}

/// One signature, its base written by hand.
struct Signature<'s> {
    label: &'s str,
    covered: &'s [&'s str],
    parameters: String,
    digest: String,
}

fn digest(body: &[u8]) -> String {
    format!("sha-256=:{}:", BASE64_STANDARD.encode(Sha256::digest(body)))
}

const COVERED: &[&str] = &["@method", "@target-uri", "content-digest"];

fn signature<'s>() -> Signature<'s> {
    Signature {
        label: "sig1",
        covered: COVERED,
        parameters: format!(";created={NOW};keyid=\"key-1\";nonce=\"n-1\""),
        digest: digest(BODY),
    }
}

impl Signature<'_> {
    fn headers(&self, key: &SigningKey) -> (String, String) {
        let mut base = String::new();
        for name in self.covered {
            let value = match *name {
                "@method" => "POST",
                "@target-uri" => "https://hooks.example.com/in?x=1",
                "@authority" => "hooks.example.com",
                "@path" => "/in",
                "@query" => "?x=1",
                "content-digest" => &self.digest,
                other => panic!("{other}"),
            };
            base.push_str(&format!("\"{name}\": {value}\n"));
        }
        let names: Vec<_> = self.covered.iter().map(|name| format!("\"{name}\"")).collect();
        let list = format!("({}){}", names.join(" "), self.parameters);
        base.push_str(&format!("\"@signature-params\": {list}"));
        let bytes = key.sign(Algorithm::Ed25519, EcdsaForm::Raw, base.as_bytes()).unwrap();
        let label = self.label;
        (format!("{label}={list}"), format!("{label}=:{}:", BASE64_STANDARD.encode(bytes)))
    }
}

impl Sender {
    fn new() -> Self {
        let upstream = Upstream::start();
        let key = SigningKey::generate(Algorithm::Ed25519).unwrap();
        let gateway = Gateway::start(&format!(
            "[server]\nlisten = [\"127.0.0.1:0\"]\nanswers = \"codes\"\n\
             [routes.in]\npath = \"/in\"\nprovider = \"rfc9421-ed25519\"\n\
             public_keys = [{{ value = '''{}''', id = \"key-1\" }}]\nupstream = \"{}\"\n",
            key.public_pem(),
            upstream.url("")
        ));
        Self { gateway, upstream, key }
    }

    fn post(&self, signature: &Signature<'_>) -> Answer {
        self.post_with(signature, &signature.digest, BODY)
    }

    fn post_with(&self, signature: &Signature<'_>, digest: &str, body: &[u8]) -> Answer {
        let (input, value) = signature.headers(&self.key);
        self.raw(&input, &value, digest, body)
    }

    fn raw(&self, input: &str, signature: &str, digest: &str, body: &[u8]) -> Answer {
        let headers =
            [("Content-Digest", digest), ("Signature-Input", input), ("Signature", signature)];
        self.gateway.post("/in?x=1", &headers, body)
    }
}

fn outcome(answer: &Answer) -> (u16, String) {
    let is_ours = answer.body.starts_with(b"{");
    (answer.status, if is_ours { answer.code() } else { String::new() })
}

#[test]
fn a_copy_is_a_copy_whatever_its_label() {
    let sender = Sender::new();
    assert_eq!(sender.post(&signature()).status, 200);
    let replayed = (409, "replayed".to_owned());
    assert_eq!(outcome(&sender.post(&signature())), replayed);
    assert_eq!(outcome(&sender.post(&Signature { label: "other", ..signature() })), replayed);
    let (input, value) = signature().headers(&sender.key);
    let spaced = input.replace(";created", ";  created");
    assert_eq!(outcome(&sender.raw(&spaced, &value, &digest(BODY), BODY)), replayed);
    // A second signature beside it, which holds for nobody, makes it no other message.
    let beside = format!(
        "{input}, zz=(\"@method\" \"@authority\" \"@path\" \"@query\" \"content-digest\");created={NOW};nonce=\"n-9\""
    );
    let both = format!("{value}, zz=:AAAA:");
    assert_eq!(outcome(&sender.raw(&beside, &both, &digest(BODY), BODY)), replayed);
    assert_eq!(sender.upstream.count(), 1);
}

#[test]
fn a_signature_covers_what_it_must_or_proves_nothing() {
    let sender = Sender::new();
    let parts: &[&str] = &["@query", "@path", "@authority", "content-digest", "@method"];
    assert_eq!(sender.post(&Signature { covered: parts, ..signature() }).status, 200);
    for covered in [
        &[][..],
        &["@method", "@target-uri"],
        &["@target-uri", "content-digest"],
        &["@method", "content-digest"],
        &["@method", "@path", "@query", "content-digest"],
    ] {
        let answer = sender.post(&Signature { covered, ..signature() });
        assert_eq!(outcome(&answer), (401, "signature_mismatch".to_owned()), "{covered:?}");
    }
    // Of two signatures the one that covers enough is enough.
    let (weak_input, weak) =
        Signature { label: "weak", covered: &["@method"], ..signature() }.headers(&sender.key);
    let (input, value) = signature().headers(&sender.key);
    let answer = sender.raw(
        &format!("{weak_input}, {input}"),
        &format!("{weak}, {value}"),
        &digest(BODY),
        BODY,
    );
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(sender.upstream.count(), 2);
}

#[test]
fn what_is_covered_cannot_be_changed() {
    let sender = Sender::new();
    let mismatch = (401, "signature_mismatch".to_owned());
    let good = signature();
    assert_eq!(outcome(&sender.post_with(&good, &good.digest, b"{}")), mismatch);
    assert_eq!(outcome(&sender.post_with(&good, &digest(b"{}"), b"{}")), mismatch);
    let (input, value) = good.headers(&sender.key);
    let send = |input: &str, value: &str| outcome(&sender.raw(input, value, &good.digest, BODY));
    assert_eq!(send(&input.replace("n-1", "n-2"), &value), mismatch);
    assert_eq!(send(&input.replace("key-1", "key-2"), &value), mismatch);
    assert_eq!(send(&input.replace(";nonce", ";alg=\"hmac-sha256\";nonce"), &value), mismatch);
    assert_eq!(send(&input, "sig1=:AAAA:"), mismatch);
    assert_eq!(send(&input, &value.replace("sig1", "sig2")).1, "signature_missing");
    assert_eq!(send(&input, &value.replace(':', "")).1, "signature_malformed");
    assert_eq!(send(&format!("{input}, {input}"), &value).1, "ambiguous_header");
    let target = sender.gateway.post(
        "/in?x=2",
        &[("Content-Digest", &*good.digest), ("Signature-Input", &input), ("Signature", &value)],
        BODY,
    );
    assert_eq!(outcome(&target), mismatch);
    for missing in ["Signature", "Signature-Input"] {
        let all = [("Signature-Input", &*input), ("Signature", &*value)];
        let headers: Vec<_> = all.into_iter().filter(|(name, _)| *name != missing).collect();
        let answer = sender.gateway.post("/in?x=1", &headers, BODY);
        assert_eq!(outcome(&answer), (401, "signature_missing".to_owned()));
    }
    let other = SigningKey::generate(Algorithm::Ed25519).unwrap();
    let (input, value) = good.headers(&other);
    assert_eq!(send(&input, &value), mismatch);
    assert_eq!(sender.upstream.count(), 0);
}

#[test]
fn times_are_those_of_the_signature() {
    let sender = Sender::new();
    let send = |parameters: String| outcome(&sender.post(&Signature { parameters, ..signature() }));
    let at = |created: i64| format!(";created={created};keyid=\"key-1\"");
    assert_eq!(send(at(NOW - 301)).1, "timestamp_expired");
    assert_eq!(send(at(NOW + 301)).1, "timestamp_in_future");
    assert_eq!(send(";keyid=\"key-1\"".to_owned()).1, "timestamp_missing");
    assert_eq!(send(format!("{};expires={NOW}", at(NOW))).1, "timestamp_expired");
    assert_eq!(send(format!("{};expires=\"9999999999\"", at(NOW))).1, "signature_malformed");
    assert_eq!(sender.upstream.count(), 0);
    assert_eq!(send(format!("{};expires={}", at(NOW - 300), NOW + 1)).0, 200);
}
