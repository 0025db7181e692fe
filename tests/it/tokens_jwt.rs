//! Senders that prove themselves with JSON Web Tokens: what a token must say, that it serves one
//! message only, and that it chooses nothing.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hookward::verify::{Algorithm, EcdsaForm, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{Act, Answer, Gateway, Upstream};

const NOW: i64 = 1_760_000_000;
const AUD: &str = "https://hooks.example.com/fic";
const ID: &str = "198:f059b211-24f4-44ab-9859-b1613a9a0712";
const BODY: &[u8] = br#"{"data":{"ids":[3062300]}}"#;

/// A token by hand, so that the engine is not judged by itself.
fn token(header: &Value, claims: &str, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let part = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
    let input = format!("{}.{}", part(&header.to_string()), part(claims));
    let signature = BASE64_URL_SAFE_NO_PAD.encode(sign(input.as_bytes()));
    format!("{input}.{signature}")
}

fn es256(key: &SigningKey, claims: &Value) -> String {
    token(&json!({ "alg": "ES256", "typ": "JWT" }), &claims.to_string(), |input| {
        key.sign(Algorithm::EcdsaP256Sha256, EcdsaForm::Raw, input).unwrap()
    })
}

fn hs256(key: &[u8], header: &Value, claims: &str) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    token(header, claims, |input| {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        mac.update(input);
        mac.finalize().into_bytes().to_vec()
    })
}

fn claims() -> Value {
    json!({
        "jti": ID, "iss": "https://api-v2.fattureincloud.it", "sub": "company:108061",
        "aud": [AUD], "exp": NOW + 10_800, "iat": NOW, "aid": 1234,
    })
}

/// Claims of which one is another; `null` takes it away.
fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    match value {
        Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
        value => claims[name] = value,
    }
    claims
}

struct Sender {
    gateway: Gateway,
    upstream: Upstream,
    key: SigningKey,
}

impl Sender {
    fn new() -> Self {
        let upstream = Upstream::start();
        let key = SigningKey::generate(Algorithm::EcdsaP256Sha256).unwrap();
        let gateway = Gateway::start(&format!(
            "[server]\nlisten = [\"127.0.0.1:0\"]\nanswers = \"codes\"\n\
             [routes.fic]\npath = \"/fic\"\nprovider = \"fatture-in-cloud\"\n\
             public_keys = [{{ value = '''{}''' }}]\nexpect = {{ aud = \"{AUD}\" }}\n\
             upstream = \"{}\"\n",
            key.public_pem(),
            upstream.url("")
        ));
        Self { gateway, upstream, key }
    }

    /// Binary mode.
    fn post(&self, token: &str, id: &str, body: &[u8]) -> Answer {
        let authorization = format!("Bearer {token}");
        let headers = [
            ("Authorization", authorization.as_str()),
            ("Content-Type", "application/json"),
            ("ce-id", id),
            ("ce-subject", "company:108061"),
            ("ce-type", "it.fattureincloud.webhooks.entities.clients.create"),
        ];
        self.gateway.post("/fic", &headers, body)
    }

    fn structured(&self, token: &str, body: &Value) -> Answer {
        let authorization = format!("Bearer {token}");
        let headers = [
            ("Authorization", authorization.as_str()),
            ("Content-Type", "application/cloudevents+json"),
        ];
        self.gateway.post("/fic", &headers, body.to_string().as_bytes())
    }

    fn signed(&self, claims: &Value) -> String {
        es256(&self.key, claims)
    }
}

fn outcome(answer: &Answer) -> (u16, String) {
    let is_ours = answer.body.starts_with(b"{");
    (answer.status, if is_ours { answer.code() } else { String::new() })
}

#[test]
fn a_token_serves_one_notification_with_one_body() {
    let sender = Sender::new();
    let token = sender.signed(&claims());
    assert_eq!(sender.post(&token, ID, BODY).status, 200);
    // The same again is the sender's own retry.
    assert_eq!(outcome(&sender.post(&token, ID, BODY)), (200, "duplicate".to_owned()));
    let replayed = (409, "replayed".to_owned());
    assert_eq!(outcome(&sender.post(&token, ID, b"{\"data\":{\"ids\":[1]}}")), replayed);
    // Neither does another token of the same notification let another body through.
    let again = sender.signed(&with("iat", json!(NOW - 1)));
    assert_eq!(outcome(&sender.post(&again, ID, b"{}")), replayed);
    assert_eq!(outcome(&sender.post(&again, ID, BODY)), (200, "duplicate".to_owned()));
    let other = sender.signed(&with("jti", json!("199:other")));
    assert_eq!(sender.post(&other, "199:other", b"{}").status, 200);
    assert_eq!(sender.upstream.count(), 2);
}

#[test]
fn the_body_stays_bound_where_the_first_attempt_failed() {
    let sender = Sender::new();
    let token = sender.signed(&claims());
    sender.upstream.next([Act::Answer(500, "")]);
    assert_eq!(sender.post(&token, ID, BODY).status, 500);
    assert_eq!(sender.post(&token, ID, b"{}").status, 409);
    assert_eq!(sender.post(&token, ID, BODY).status, 200);
    assert_eq!(sender.upstream.count(), 2);
}

#[test]
fn what_the_token_names_must_be_what_is_sent() {
    let sender = Sender::new();
    for (name, value) in [
        ("iss", json!("https://api-v2.fattureincloud.it.evil.example")),
        ("iss", json!(null)),
        ("iss", json!(["https://api-v2.fattureincloud.it"])),
        ("aud", json!("https://hooks.example.com/other")),
        ("aud", json!([])),
        ("aud", json!({ "0": AUD })),
        ("aud", json!(null)),
        ("sub", json!("company:1")),
        ("jti", json!("198:other")),
        ("jti", json!(null)),
        ("exp", json!(null)),
        ("exp", json!(NOW)),
        ("exp", json!(NOW - 600)),
        ("iat", json!(NOW + 3600)),
        ("nbf", json!(NOW + 3600)),
    ] {
        let answer = sender.post(&sender.signed(&with(name, value.clone())), ID, BODY);
        assert_eq!(answer.status, 401, "{name} {value}: {}", answer.text());
    }
    for (name, value) in [
        ("exp", json!("99999999999")),
        ("exp", json!(99_999_999_999.5)),
        ("exp", json!(-1)),
        ("exp", json!(true)),
        ("nbf", json!("0")),
        ("iat", json!([NOW])),
    ] {
        let answer = sender.post(&sender.signed(&with(name, value.clone())), ID, BODY);
        assert_eq!(answer.status, 400, "{name} {value}: {}", answer.text());
    }
    let twice = format!("{}{}", r#"{"exp":1,"#, &claims().to_string()[1..]);
    let header = json!({ "alg": "ES256" });
    let twice = token(&header, &twice, |input| {
        sender.key.sign(Algorithm::EcdsaP256Sha256, EcdsaForm::Raw, input).unwrap()
    });
    assert_eq!(sender.post(&twice, ID, BODY).status, 400);
    assert_eq!(sender.upstream.count(), 0);
    let single = sender.signed(&with("aud", json!(AUD)));
    assert_eq!(sender.post(&single, ID, BODY).status, 200);
}

#[test]
fn a_token_chooses_neither_algorithm_nor_key() {
    let sender = Sender::new();
    let own = SigningKey::generate(Algorithm::EcdsaP256Sha256).unwrap();
    let pem = sender.key.public_pem();
    let text = claims().to_string();
    let hostile = |header: Value| {
        token(&header, &text, |input| {
            own.sign(Algorithm::EcdsaP256Sha256, EcdsaForm::Raw, input).unwrap()
        })
    };
    let genuine = sender.signed(&claims());
    let (signed, signature) = genuine.rsplit_once('.').unwrap();
    for token in [
        hostile(json!({ "alg": "ES256" })),
        hostile(json!({ "alg": "none" })),
        hostile(json!({ "alg": "ES256", "jku": "https://evil.example/keys" })),
        hostile(json!({ "alg": "ES256", "x5u": "https://evil.example/pem" })),
        hostile(json!({ "alg": "ES256", "jwk": { "kty": "EC" } })),
        hostile(json!({ "alg": "ES384" })),
        hs256(pem.as_bytes(), &json!({ "alg": "HS256" }), &text),
        hs256(pem.trim_end().as_bytes(), &json!({ "alg": "HS256" }), &text),
        hs256(b"", &json!({ "alg": "HS256" }), &text),
        format!("{signed}.{}", &signature[..signature.len() - 2]),
        format!("{signed}.AAAA"),
    ] {
        assert_eq!(sender.post(&token, ID, BODY).status, 401, "{token}");
    }
    for malformed in ["x", "a.b", "a.b.c", "..", &format!("{signed}."), &format!("{genuine}=")] {
        assert_eq!(sender.post(malformed, ID, BODY).status, 400, "{malformed}");
    }
    let without = sender.gateway.post("/fic", &[("ce-id", ID)], BODY);
    assert_eq!(outcome(&without), (401, "signature_missing".to_owned()));
    assert_eq!(sender.upstream.count(), 0);
}

#[test]
fn a_token_of_one_mode_does_not_carry_a_body_in_the_other() {
    let sender = Sender::new();
    let token = sender.signed(&claims());
    let event = json!({
        "specversion": "1.0", "id": ID, "subject": "company:108061",
        "type": "it.fattureincloud.webhooks.entities.clients.create", "data": { "ids": [3062300] },
    });
    let mut foreign = event.clone();
    foreign["id"] = json!("198:other");
    assert_eq!(sender.structured(&token, &foreign).status, 401);
    assert_eq!(sender.structured(&token, &event).status, 200);
    let mut forged = event;
    forged["data"]["ids"] = json!([1]);
    assert_eq!(sender.structured(&token, &forged).status, 409);
    assert_eq!(sender.post(&token, ID, BODY).status, 409);
    // Without the members that the token is bound to there is nothing that it could speak for.
    assert_eq!(sender.structured(&token, &json!({ "data": {} })).status, 401);
    assert_eq!(sender.upstream.count(), 1);
}

#[test]
fn a_token_that_is_an_identity_serves_many_messages_and_its_keys_have_names() {
    let upstream = Upstream::start();
    let key = SigningKey::generate(Algorithm::RsaSha256).unwrap();
    let gateway = Gateway::start(&format!(
        "[server]\nlisten = [\"127.0.0.1:0\"]\nanswers = \"codes\"\n\
         [routes.pubsub]\npath = \"/pubsub\"\nprovider = \"google-pubsub\"\n\
         public_keys = [{{ value = '''{}''', id = \"one\" }}]\n\
         expect = {{ aud = \"aud\", email = \"push@example.iam.gserviceaccount.com\" }}\n\
         upstream = \"{}\"\n",
        key.public_pem(),
        upstream.url("")
    ));
    let claims = |verified: Value| {
        json!({
            "iss": "accounts.google.com", "aud": "aud", "exp": NOW + 3600, "iat": NOW,
            "email": "push@example.iam.gserviceaccount.com", "email_verified": verified,
        })
    };
    let token = |kid: &str, claims: &Value| {
        token(&json!({ "alg": "RS256", "kid": kid }), &claims.to_string(), |input| {
            key.sign(Algorithm::RsaSha256, EcdsaForm::Raw, input).unwrap()
        })
    };
    let post = |token: &str, id: &str| {
        let body = json!({ "message": { "messageId": id, "data": "" } }).to_string();
        let bearer = format!("Bearer {token}");
        gateway.post("/pubsub", &[("Authorization", &bearer)], body.as_bytes())
    };
    let good = token("one", &claims(json!(true)));
    assert_eq!(post(&good, "1").status, 200);
    assert_eq!(post(&good, "2").status, 200);
    assert_eq!(outcome(&post(&good, "2")), (200, "duplicate".to_owned()));
    assert_eq!(post(&token("two", &claims(json!(true))), "3").status, 401);
    assert_eq!(post(&token("one", &claims(json!(false))), "4").status, 401);
    assert_eq!(post(&token("one", &claims(json!(null))), "5").status, 401);
    assert_eq!(upstream.count(), 2);
}

#[test]
fn a_hash_of_the_request_binds_method_path_and_query() {
    let upstream = Upstream::start();
    let secret = "a-shared-secret-of-the-installation";
    let gateway = Gateway::start(&format!(
        "[server]\nlisten = [\"127.0.0.1:0\"]\nanswers = \"codes\"\n\
         [routes.jira]\npath = \"/jira\"\nprovider = \"atlassian-connect\"\n\
         secrets = [{{ value = \"{secret}\" }}]\nupstream = \"{}\"\n",
        upstream.url("")
    ));
    let token = |canonical: &str, exp: i64| {
        let qsh = hex::encode(Sha256::digest(canonical.as_bytes()));
        let claims = json!({ "iss": "jira:1", "iat": NOW, "exp": exp, "qsh": qsh });
        let header = json!({ "alg": "HS256", "typ": "JWT" });
        format!("JWT {}", hs256(secret.as_bytes(), &header, &claims.to_string()))
    };
    let good = token("POST&/jira&a=x%20y&b=2", NOW + 180);
    let post = |target: &str, authorization: &str, body: &[u8]| {
        gateway.post(target, &[("Authorization", authorization)], body).status
    };
    assert_eq!(post("/jira?b=2&a=x+y", &good, b"{}"), 200);
    assert_eq!(post("/jira?b=2&a=x+y", &good, b"{\"other\":1}"), 409);
    assert_eq!(post("/jira?b=3&a=x+y", &good, b"{}"), 401);
    assert_eq!(post("/jira", &good, b"{}"), 401);
    assert_eq!(post("/jira", &token("GET&/jira&", NOW + 180), b"{}"), 401);
    assert_eq!(post("/jira", &token("POST&/jira&", NOW), b"{}"), 401);
    assert_eq!(
        post("/jira", &token("POST&/jira&", NOW + 180).replace("JWT ", "Bearer "), b"{}"),
        400
    );
    assert_eq!(upstream.count(), 1);
}
