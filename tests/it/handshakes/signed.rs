//! Handshakes that count only once their signature has held.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hookward::verify::{Algorithm, EcdsaForm, SigningKey};
use serde_json::json;

use super::{SECRET, gateway, harmless};
use crate::support::{Act, Answer, Gateway, Upstream, hmac_hex, tls::Identity};

#[test]
fn a_signed_delivery_still_goes_through() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, &["dropbox", "slack"], "");
    let body = b"{\"list_folder\":{}}";
    let signature = hmac_hex(SECRET, body);
    let headers = [("X-Dropbox-Signature", signature.as_str())];
    assert_eq!(gateway.post("/dropbox", &headers, body).status, 200);
    assert_eq!(slack(&gateway, SECRET, r#"{"type":"event_callback","event_id":"1"}"#).status, 200);
    assert_eq!(upstream.count(), 2);
    assert_eq!(upstream.last().header("hookward-verified"), Some("signature, timestamp, replay"));
}

fn slack(gateway: &Gateway, secret: &str, body: &str) -> Answer {
    let now = gateway.clock.unix().secs().to_string();
    let signature = format!("v0={}", hmac_hex(secret, format!("v0:{now}:{body}").as_bytes()));
    let headers = [("X-Slack-Signature", &*signature), ("X-Slack-Request-Timestamp", &*now)];
    gateway.post("/slack", &headers, body.as_bytes())
}

#[test]
fn slack_signs_its_handshake() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, &["slack"], "");
    let body =
        r#"{"token":"t","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmd","type":"url_verification"}"#;
    for _ in 0..2 {
        let answer = slack(&gateway, SECRET, body);
        harmless(&answer, "application/json");
        assert_eq!(answer.json(), json!({"challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmd"}));
    }
    let forged = slack(&gateway, "another secret entirely", body);
    assert_eq!((forged.status, forged.code().as_str()), (401, "signature_mismatch"));
    gateway.clock.advance(std::time::Duration::from_secs(10));
    assert_eq!(slack(&gateway, SECRET, r#"{"type":"url_verification"}"#).status, 400);
    assert_eq!(upstream.count(), 0);
    let entries = r#"hookward_replay_entries{route="slack"} 0"#;
    assert!(gateway.metrics().contains(entries), "a handshake is no delivery");
}

/// A failed check that is only watched proves nothing, and answers nothing.
#[test]
fn a_waived_signature_answers_no_handshake() {
    let upstream = Upstream::start();
    for (check, secret, age) in
        [("signature", "another secret entirely", 0), ("timestamp", SECRET, 1000)]
    {
        let gateway = gateway(&upstream, &["slack"], &format!("monitor = [\"{check}\"]\n"));
        let body = r#"{"challenge":"abc","type":"url_verification"}"#;
        let at = (gateway.clock.unix().secs() - age).to_string();
        let signature = format!("v0={}", hmac_hex(secret, format!("v0:{at}:{body}").as_bytes()));
        let headers = [("X-Slack-Signature", &*signature), ("X-Slack-Request-Timestamp", &*at)];
        let answer = gateway.post("/slack", &headers, body.as_bytes());
        // Forwarded, as everything that is only watched is.
        assert_eq!((answer.status, answer.text().as_str()), (200, "ok"), "{check}");
    }
}

#[test]
fn twitch_wants_the_text_alone() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, &["twitch"], "");
    let post = |secret: &str, kind: &str, id: &str, body: &str| {
        let at = "2025-10-09T08:53:20.000000123Z";
        let signed = format!("{id}{at}{body}");
        let signature = format!("sha256={}", hmac_hex(secret, signed.as_bytes()));
        let headers = [
            ("Twitch-Eventsub-Message-Id", id),
            ("Twitch-Eventsub-Message-Timestamp", at),
            ("Twitch-Eventsub-Message-Signature", &signature),
            ("Twitch-Eventsub-Message-Type", kind),
        ];
        gateway.post("/twitch", &headers, body.as_bytes())
    };
    let body = r#"{"challenge":"pogchamp-kappa-360noscope-vohiyo","subscription":{"type":"channel.follow"}}"#;
    let answer = post(SECRET, "webhook_callback_verification", "1", body);
    harmless(&answer, "text/plain");
    assert_eq!(answer.text(), "pogchamp-kappa-360noscope-vohiyo");
    assert_eq!(post("wrong", "webhook_callback_verification", "1", body).status, 401);
    assert_eq!(upstream.count(), 0);
    // The header is not signed: it cannot make a notification vanish.
    let notification = r#"{"event":{},"subscription":{"type":"channel.follow"}}"#;
    assert_eq!(post(SECRET, "webhook_callback_verification", "2", notification).status, 200);
    assert_eq!(upstream.count(), 1);
}

/// A gateway with one route for a provider that signs with this key.
fn asymmetric(upstream: &Upstream, provider: &str, key: &SigningKey, more: &str) -> Gateway {
    Gateway::start(&format!(
        "[server]\nlisten = [\"127.0.0.1:0\"]\nanswers = \"codes\"\n\
         [routes.{provider}]\npath = \"/{provider}\"\nprovider = \"{provider}\"\n\
         public_keys = [{{ value = \"\"\"{}\"\"\", id = \"key\" }}]\nupstream = \"{}\"\n{more}",
        key.public_pem(),
        upstream.url("")
    ))
}

#[test]
fn discord_pings_both_kinds_of_endpoints() {
    let upstream = Upstream::start();
    let key = SigningKey::generate(Algorithm::Ed25519).unwrap();
    let gateway = asymmetric(&upstream, "discord", &key, "");
    let post = |key: &SigningKey, body: &str| {
        let now = gateway.clock.unix().secs().to_string();
        let signed = format!("{now}{body}");
        let signature = key.sign(Algorithm::Ed25519, EcdsaForm::Der, signed.as_bytes()).unwrap();
        let signature = hex::encode(signature);
        let headers = [("X-Signature-Ed25519", &*signature), ("X-Signature-Timestamp", &*now)];
        gateway.post("/discord", &headers, body.as_bytes())
    };
    let answer = post(&key, r#"{"type":1}"#);
    harmless(&answer, "application/json");
    assert_eq!(answer.json(), json!({"type": 1}));
    assert_eq!(post(&key, r#"{"version":1,"application_id":"1","type":0}"#).status, 204);
    // Discord tries whether bad signatures are noticed, and gives the endpoint up otherwise.
    let other = SigningKey::generate(Algorithm::Ed25519).unwrap();
    assert_eq!(post(&other, r#"{"type":1}"#).status, 401);
    assert_eq!(upstream.count(), 0);
    // An event has the type that the other endpoint's ping has.
    assert_eq!(post(&key, r#"{"type":1,"event":{"type":"APPLICATION_AUTHORIZED"}}"#).status, 200);
    assert_eq!(post(&key, r#"{"type":2,"id":"1"}"#).status, 200);
    assert_eq!(upstream.count(), 2);
}

#[test]
fn fatture_in_cloud_verifies_its_sink_by_header_and_by_query() {
    let upstream = Upstream::start();
    let sink = "https://hooks.example.com/fatture-in-cloud";
    let key = SigningKey::generate(Algorithm::EcdsaP256Sha256).unwrap();
    let expect = format!("expect = {{ aud = \"{sink}\" }}\n");
    let gateway = asymmetric(&upstream, "fatture-in-cloud", &key, &expect);
    let now = gateway.clock.unix().secs();
    let token = |key: &SigningKey, aud: &str| {
        let encode = |part: serde_json::Value| BASE64_URL_SAFE_NO_PAD.encode(part.to_string());
        let claims = json!({
            "iss": "https://api-v2.fattureincloud.it", "aud": [aud], "jti": "1", "sub": "company:1",
            "iat": now, "exp": now + 3 * 3600,
        });
        let input = format!("{}.{}", encode(json!({"alg": "ES256", "typ": "JWT"})), encode(claims));
        let signature =
            key.sign(Algorithm::EcdsaP256Sha256, EcdsaForm::Raw, input.as_bytes()).unwrap();
        format!("Bearer {input}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    };
    let bearer = token(&key, sink);
    let ask = |target: &str, headers: &[(&str, &str)]| gateway.send("GET", target, headers, b"");
    let challenge = ("x-fic-verification-challenge", "Zx\"9");
    for _ in 0..2 {
        let answer = ask("/fatture-in-cloud", &[("Authorization", &*bearer), challenge]);
        harmless(&answer, "application/json");
        assert_eq!(answer.json(), json!({"verification": "Zx\"9"}));
    }
    let query = "/fatture-in-cloud?x-fic-verification-challenge=abc";
    let answer = ask(query, &[("Authorization", &*bearer)]);
    assert_eq!(answer.json(), json!({"verification": "abc"}));
    // Without the token, with somebody else's, or one for another sink, nothing is repeated.
    let other = SigningKey::generate(Algorithm::EcdsaP256Sha256).unwrap();
    let others = [token(&other, sink), token(&key, "https://elsewhere.example.com/")];
    assert_eq!(ask(query, &[]).status, 401);
    for bearer in &others {
        assert_eq!(ask(query, &[("Authorization", bearer)]).status, 401);
    }
    // The token of a verification is none for a delivery, nor is a GET ever one.
    let post = gateway.post("/fatture-in-cloud", &[("Authorization", &*bearer)], b"{}");
    assert_eq!(post.status, 401);
    assert_eq!(ask("/fatture-in-cloud", &[("Authorization", &*bearer)]).status, 405);
    assert_eq!(upstream.count(), 0);
}

/// A provider that asks for a URL to be called, as notification services do.
fn calling(confirm: &Upstream, identity: &Identity, upstream: &Upstream, fetch: &str) -> Gateway {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("ca.pem"), &identity.certificate).unwrap();
    let config = format!(
        "[server]\nlisten = [\"127.0.0.1:0\"]\nanswers = \"codes\"\n[fetch]\nca = \"ca.pem\"\n{fetch}\n\
         [providers.caller]\nsignature = {{ algorithm = \"hmac-sha256\", from = \"header:x-sig\", signed = \"{{body}}\" }}\n\
         [[providers.caller.handshake]]\nname = \"confirm\"\nsigned = true\nwhen = {{ json = \"/Type\", equals = \"Confirm\" }}\n\
         call = {{ url = \"json:/Url\", hosts = [\"sns.*.example.com\"] }}\n\
         [routes.caller]\npath = \"/caller\"\nprovider = \"caller\"\nsecrets = [{{ value = \"{SECRET}\" }}]\nupstream = \"{}\"\n",
        upstream.url("")
    );
    Gateway::start_resolving(dir, &config, confirm.address)
}

fn confirm(gateway: &Gateway, secret: &str, url: &str) -> Answer {
    let body = json!({"Type": "Confirm", "Url": url}).to_string();
    let signature = hmac_hex(secret, body.as_bytes());
    gateway.post("/caller", &[("x-sig", &signature)], body.as_bytes())
}

#[test]
fn what_a_signed_handshake_names_is_called_before_it_is_answered() {
    let (identity, upstream) = (Identity::new("sns.a.example.com"), Upstream::start());
    let confirmed = Upstream::start_tls(&identity);
    let gateway = calling(&confirmed, &identity, &upstream, "allow_private = true");
    let url = "https://sns.a.example.com/?Action=ConfirmSubscription&Token=2336412f";
    assert_eq!(confirm(&gateway, "another secret entirely", url).status, 401);
    for elsewhere in [
        "https://evil.example.com/",
        "https://sns.a.example.com:8443/",
        "http://sns.a.example.com/",
        "https://sns.a.example.com@evil.example/",
    ] {
        let answer = confirm(&gateway, SECRET, elsewhere);
        assert_eq!((answer.status, answer.code().as_str()), (403, "handshake_refused"));
    }
    assert_eq!(confirmed.count(), 0, "nobody was called");
    let answer = confirm(&gateway, SECRET, url);
    assert_eq!((answer.status, answer.text().as_str()), (200, ""));
    assert_eq!(confirmed.last().target(), "/?Action=ConfirmSubscription&Token=2336412f");
    confirmed.next([Act::Answer(500, "")]);
    let answer = confirm(&gateway, SECRET, &url.replace("2336412f", "other"));
    assert_eq!((answer.status, answer.code().as_str()), (503, "key_unavailable"));
    assert!(answer.header("retry-after").is_some());
    assert_eq!((confirmed.count(), upstream.count()), (2, 0));
}

/// The name may lead anywhere once it is resolved.
#[test]
fn nothing_inside_is_called() {
    let (identity, upstream) = (Identity::new("sns.a.example.com"), Upstream::start());
    let inside = Upstream::start_tls(&identity);
    let gateway = calling(&inside, &identity, &upstream, "");
    assert_eq!(confirm(&gateway, SECRET, "https://sns.a.example.com/").status, 503);
    assert_eq!((inside.count(), upstream.count()), (0, 0));
}
