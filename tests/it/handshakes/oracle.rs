//! Answers that are made with the key that signs deliveries: nobody gets a signature that way.

use serde_json::json;

use super::{SECRET, gateway, get, harmless};
use crate::support::{Answer, Gateway, Upstream, braintree, hmac_base64, hmac_hex};

#[test]
fn zoom_wants_its_token_authenticated() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, &["zoom"], "");
    let post = |secret: &str, token: &str| {
        let body = json!({"event": "endpoint.url_validation", "payload": {"plainToken": token}})
            .to_string();
        let now = gateway.clock.unix().secs().to_string();
        let signature = format!("v0={}", hmac_hex(secret, format!("v0:{now}:{body}").as_bytes()));
        let headers = [("x-zm-request-timestamp", &*now), ("x-zm-signature", &*signature)];
        gateway.post("/zoom", &headers, body.as_bytes())
    };
    let answer = post(SECRET, "qgg8vlvZRS6UYooatFL8Aw");
    harmless(&answer, "application/json");
    let encrypted = hmac_hex(SECRET, b"qgg8vlvZRS6UYooatFL8Aw");
    assert_eq!(
        answer.json(),
        json!({"plainToken": "qgg8vlvZRS6UYooatFL8Aw", "encryptedToken": encrypted})
    );
    assert_eq!(post("another secret entirely", "abc").status, 401);
    // Nobody gets a delivery's signature this way, not even who may sign.
    assert_eq!(post(SECRET, "v0:1760000000:{}").status, 400);
    assert_eq!(upstream.count(), 0);
}

fn crc(gateway: &Gateway, path: &str, token: &str) -> Answer {
    let encoded: String = token.bytes().map(|byte| format!("%{byte:02X}")).collect();
    get(gateway, &format!("{path}?crc_token={encoded}"))
}

fn post_x(gateway: &Gateway, path: &str, signature: &str, body: &str) -> Answer {
    gateway.post(path, &[("x-twitter-webhooks-signature", signature)], body.as_bytes())
}

#[test]
fn x_is_no_signing_oracle() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, &["x"], "");
    let token = "9b4507b3-9040-4669-9ca3-6b94edb50553";
    let answer = crc(&gateway, "/x", token);
    harmless(&answer, "application/json");
    let expected = format!("sha256={}", hmac_base64(SECRET, token.as_bytes()));
    assert_eq!(answer.json(), json!({"response_token": expected}));
    // A delivery's body is nothing that is authenticated for a stranger.
    let body = r#"{"for_user_id":"1","tweet_create_events":[]}"#;
    for token in [body, "[]", "{}", "\"a\"", "{", " ", "a b", "a&b=c", "", &"a".repeat(257)] {
        let answer = crc(&gateway, "/x", token);
        assert_eq!(answer.status, 400, "{token}");
        assert!(!answer.text().contains("sha256"), "{answer:?}");
    }
    // And what is authenticated for one is nothing that is delivered.
    for token in [token, "true", "1", "a=b", "user_id=1"] {
        let stolen = crc(&gateway, "/x", token).json();
        let stolen = stolen["response_token"].as_str().unwrap();
        let forged = post_x(&gateway, "/x", stolen, token);
        assert_eq!((forged.status, forged.code().as_str()), (401, "signature_mismatch"), "{token}");
    }
    assert_eq!(upstream.count(), 0);
    let signature = format!("sha256={}", hmac_base64(SECRET, body.as_bytes()));
    assert_eq!(post_x(&gateway, "/x", &signature, body).status, 200);
    assert_eq!(upstream.count(), 1);
}

/// The attack works where the answer is made without a grammar, as a receiver's own code does.
#[test]
fn without_a_grammar_strangers_would_sign_deliveries() {
    let upstream = Upstream::start();
    let naive = |token: &str| format!("sha256={}", hmac_base64(SECRET, token.as_bytes()));
    let gateway = gateway(&upstream, &["x"], "");
    let body = r#"{"for_user_id":"1","direct_message_events":[]}"#;
    // What a naive receiver answers to `?crc_token={"for_user_id"…` is a delivery's signature.
    assert_eq!(post_x(&gateway, "/x", &naive(body), body).status, 200);
    assert_eq!(upstream.count(), 1);
    // The definition language does not let anybody write such an answer.
    let open = format!(
        "[providers.open]\nsignature = {{ algorithm = \"hmac-sha256\", from = \"header:x-sig\", signed = \"{{body}}\" }}\n\
         [[providers.open.handshake]]\nname = \"crc\"\nmethods = [\"GET\"]\nchallenge = {{ from = \"query:crc_token\" }}\nmac = {{}}\nreply = {{ body = \"{{mac}}\" }}\n\
         [routes.open]\npath = \"/open\"\nprovider = \"open\"\nsecrets = [{{ value = \"{SECRET}\" }}]\nupstream = \"{}\"\n",
        upstream.url("")
    );
    let refused = Gateway::refused(&open);
    assert!(refused.contains("sign deliveries") && refused.contains("grammar"), "{refused}");
}

#[test]
fn braintree_authenticates_hexadecimal_digits_alone() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, &["braintree"], "");
    let ask = |challenge: &str| get(&gateway, &format!("/braintree?bt_challenge={challenge}"));
    let challenge = "20f9f8ed05f77439fe955c977e4c8a53";
    let answer = ask(challenge);
    harmless(&answer, "text/plain");
    assert_eq!(answer.text(), format!("key|{}", braintree(SECRET, challenge)));
    for bad in [
        "",
        "20f9",
        &challenge.to_uppercase(),
        &"a".repeat(33),
        "PG5vdGlmaWNhdGlvbj48L25vdGlmaWNhdGlvbj4%3D",
    ] {
        assert_eq!(ask(bad).status, 400, "{bad}");
    }
    // What was got that way is no delivery's.
    let body =
        format!("bt_signature=key%7C{}&bt_payload={challenge}", braintree(SECRET, challenge));
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let forged = gateway.post("/braintree", &form, body.as_bytes());
    assert_eq!((forged.status, forged.code().as_str()), (401, "signature_mismatch"));
    assert_eq!(upstream.count(), 0);
}
