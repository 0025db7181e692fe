//! Handshakes, played as providers' documentation describes them.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hookward::verify::{Algorithm, EcdsaForm, SigningKey};
use serde_json::json;

use crate::support::{
    Act, Answer, Gateway, Upstream, braintree, github, hmac_base64, hmac_hex, request,
    tls::Identity,
};

const SECRET: &str = "a-secret-of-16-bytes-or-more";

/// A gateway with one route per provider, at `/PROVIDER`; `more` goes into the last one.
fn gateway(upstream: &Upstream, providers: &[&str], more: &str) -> Gateway {
    let mut config = "[server]\nlisten = [\"127.0.0.1:0\"]\nanswers = \"codes\"\n[admin]\nlisten = \"127.0.0.1:0\"\n[log]\naudit = \"audit.jsonl\"\n".to_owned();
    for provider in providers {
        config += &format!(
            "[routes.{provider}]\npath = \"/{provider}\"\nprovider = \"{provider}\"\nsecrets = [{{ value = \"{SECRET}\", id = \"key\" }}]\nupstream = \"{}\"\n",
            upstream.url("")
        );
    }
    Gateway::start(&(config + more))
}

fn get(gateway: &Gateway, target: &str) -> Answer {
    gateway.send("GET", target, &[], b"")
}

#[track_caller]
fn harmless(answer: &Answer, content_type: &str) {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some(content_type));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(answer.header("x-request-id").is_some());
}

#[test]
fn dropbox_asks_for_an_echo() {
    let upstream = Upstream::start();
    let mut gateway = gateway(&upstream, &["dropbox"], "");
    let answer = get(&gateway, "/dropbox?challenge=a%20b%26c%3D%C3%A9");
    harmless(&answer, "text/plain");
    assert_eq!(answer.text(), "a b&c=é");
    // What cannot be repeated is not, and what is no handshake is a delivery of the wrong method.
    for (target, status) in [
        ("/dropbox?challenge=", 400),
        ("/dropbox?challenge=a&challenge=b", 400),
        (&*format!("/dropbox?challenge={}", "a".repeat(1025)), 400),
        ("/dropbox?other=a", 405),
        ("/dropbox", 405),
    ] {
        let answer = get(&gateway, target);
        assert_eq!(answer.status, status, "{target}");
        assert!(!answer.text().contains("aaaa"));
    }
    assert_eq!(get(&gateway, "/dropbox").header("allow"), Some("POST"));
    let post = gateway.post("/dropbox?challenge=abc", &[], b"{}");
    assert_eq!((post.status, post.code().as_str()), (401, "signature_missing"));
    assert_eq!(upstream.count(), 0);
    let metrics = gateway.metrics();
    let counted = r#"hookward_requests_total{route="dropbox",decision="handshake"} 1"#;
    assert!(metrics.contains(counted), "{metrics}");
    let line = &gateway.audit("audit.jsonl")[0];
    assert_eq!((&line["decision"], &line["status"]), (&json!("handshake"), &json!(200)));
    let told = line["checks"].as_array().unwrap().last().unwrap();
    assert_eq!(*told, json!({"check": "handshake", "outcome": "pass", "detail": "challenge"}));
    assert!(!line.to_string().contains("a b&c"));
}

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

#[test]
fn meta_needs_the_verify_token() {
    let upstream = Upstream::start();
    let told = "expect = { verify_token = \"my-verify-token\" }\n";
    let mut gateway = gateway(&upstream, &["meta"], told);
    let subscribe = |gateway: &Gateway, more: &str| {
        get(gateway, &format!("/meta?hub.mode=subscribe&hub.challenge=1158201444{more}"))
    };
    let answer = subscribe(&gateway, "&hub.verify_token=my-verify-token");
    harmless(&answer, "text/plain");
    assert_eq!(answer.text(), "1158201444");
    for more in [
        "&hub.verify_token=wrong",
        "",
        "&hub.verify_token=",
        "&hub.verify_token=my-verify-token&hub.verify_token=wrong",
    ] {
        let answer = subscribe(&gateway, more);
        assert_eq!((answer.status, answer.code().as_str()), (403, "handshake_refused"), "{more}");
        assert!(!answer.text().contains("1158201444"));
    }
    let none = get(&gateway, "/meta?hub.mode=subscribe&hub.verify_token=my-verify-token");
    assert_eq!(none.status, 400);
    assert_eq!(upstream.count(), 0);
    let lines = gateway.audit("audit.jsonl");
    assert!(lines.iter().all(|line| !line.to_string().contains("my-verify-token")));
}

#[test]
fn without_the_token_meta_is_refused_and_told_why() {
    let upstream = Upstream::start();
    let mut gateway = gateway(&upstream, &["meta"], "");
    for token in ["", "&hub.verify_token=", "&hub.verify_token=stand-in"] {
        let target = format!("/meta?hub.mode=subscribe&hub.challenge=1{token}");
        assert_eq!(get(&gateway, &target).status, 403, "{token}");
    }
    let line = &gateway.audit("audit.jsonl")[0];
    let check = line["checks"].as_array().unwrap().last().unwrap();
    assert!(check["detail"].as_str().unwrap().contains("expect.verify_token"), "{check}");
}

#[test]
fn guesses_of_a_verify_token_are_charged_as_failures() {
    let upstream = Upstream::start();
    let more = "expect = { verify_token = \"my-verify-token\" }\nrate_limit = { failures = { rate = \"1/1h\", burst = 2 } }\n";
    let gateway = gateway(&upstream, &["meta"], more);
    let guess = |token: &str| {
        get(&gateway, &format!("/meta?hub.mode=subscribe&hub.challenge=1&hub.verify_token={token}"))
            .status
    };
    assert_eq!([guess("a"), guess("b"), guess("my-verify-token")], [403, 403, 429]);
}

#[test]
fn websub_confirms_what_was_subscribed_to() {
    let upstream = Upstream::start();
    let ask = |gateway: &Gateway, mode: &str, topic: &str| {
        let target = format!(
            "/websub?hub.mode={mode}&hub.topic=https%3A%2F%2Fexample.com%2F{topic}&hub.challenge=xyz&hub.lease_seconds=864000"
        );
        get(gateway, &target)
    };
    let open = gateway(&upstream, &["websub"], "");
    assert_eq!(ask(&open, "subscribe", "feed").text(), "xyz");
    // Otherwise anybody could end the subscription.
    assert_eq!(ask(&open, "unsubscribe", "feed").status, 403);
    let topic = "expect = { topic = \"https://example.com/feed\" }\n";
    let narrow = gateway(&upstream, &["websub"], topic);
    assert_eq!(ask(&narrow, "subscribe", "feed").text(), "xyz");
    assert_eq!(ask(&narrow, "subscribe", "other").status, 403);
}

#[test]
fn microsoft_graph_asks_for_plain_text() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, &["microsoft-graph"], "");
    let answer =
        gateway.post("/microsoft-graph?validationToken=Validation%3a+Testing%3Cb%3E", &[], b"");
    harmless(&answer, "text/plain");
    assert_eq!(answer.text(), "Validation: Testing<b>");
    // With a body, it is not read, and nothing behind it either.
    let mut client = gateway.connect();
    client.write(&request("POST", "/microsoft-graph?validationToken=a", &[], b"ignored"));
    let answer = client.read().unwrap();
    assert_eq!((answer.text().as_str(), answer.header("connection")), ("a", Some("close")));
    assert_eq!(upstream.count(), 0);
}

#[test]
fn okta_sends_a_header_and_reads_json() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, &["okta"], "");
    let header = |value: &str| {
        gateway.send("GET", "/okta", &[("X-Okta-Verification-Challenge", value)], b"")
    };
    let answer = header("my \"challenge\"");
    harmless(&answer, "application/json");
    assert_eq!(answer.json(), json!({"verification": "my \"challenge\""}));
    assert_eq!(header("").status, 400);
    let twice = [("X-Okta-Verification-Challenge", "a"), ("X-Okta-Verification-Challenge", "a")];
    assert_eq!(gateway.send("GET", "/okta", &twice, b"").status, 400);
    assert_eq!(gateway.send("GET", "/okta", &[], b"").status, 405);
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
fn event_grid_asks_by_its_own_event_or_by_options() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, &["azure-event-grid"], "");
    let body = json!([{
        "id": "2d1781af-3a4c-4d7c-bd0c-e34b19da4e66",
        "data": {"validationCode": "512d38b6-c7b8-40c8-89fe-f46f9e9622b6", "validationUrl": "https://rp.example/"},
        "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
    }])
    .to_string();
    let headers = [("aeg-event-type", "SubscriptionValidation")];
    let ask =
        |query: &str| gateway.post(&format!("/azure-event-grid{query}"), &headers, body.as_bytes());
    let answer = ask(&format!("?token={SECRET}"));
    harmless(&answer, "application/json");
    let code = "512d38b6-c7b8-40c8-89fe-f46f9e9622b6";
    assert_eq!(answer.json(), json!({"validationResponse": code}));
    assert_eq!(ask("?token=wrong").status, 401);
    assert_eq!(ask("").status, 401);
    consents(&gateway, "/azure-event-grid", "eventgrid.azure.net");
    assert_eq!(upstream.count(), 0);
}

#[track_caller]
fn consents(gateway: &Gateway, path: &str, origin: &str) {
    let options = |headers: &[(&str, &str)]| gateway.send("OPTIONS", path, headers, b"");
    let asked = [("WebHook-Request-Origin", origin), ("WebHook-Request-Rate", "120")];
    let answer = options(&asked);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("webhook-allowed-origin"), Some(origin));
    assert_eq!(answer.header("webhook-allowed-rate"), Some("*"));
    assert_eq!(answer.header("allow"), Some("POST"));
    assert_eq!(answer.body, b"");
    for bad in ["", "a b", "<script>", &"a".repeat(254)] {
        let answer = options(&[("WebHook-Request-Origin", bad)]);
        assert_eq!(answer.status, 400, "{bad}");
        assert_eq!(answer.header("webhook-allowed-origin"), None);
    }
    assert_eq!(options(&[]).status, 405);
}

#[test]
fn cloudevents_consents() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, &["cloudevents"], "");
    consents(&gateway, "/cloudevents", "eventemitter.example.com");
    assert_eq!(upstream.count(), 0);
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
fn probes_with_head_are_answered() {
    let upstream = Upstream::start();
    let gateway = gateway(
        &upstream,
        &["intercom", "trello"],
        "expect = { url = \"https://hooks.example.com/trello\" }\n",
    );
    for path in ["/trello", "/intercom"] {
        let mut client = gateway.connect();
        client.write(format!("HEAD {path} HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes());
        assert!(client.read_head().unwrap().starts_with("HTTP/1.1 200"), "{path}");
        assert_eq!(get(&gateway, path).status, 405);
    }
    assert_eq!(upstream.count(), 0);
}

#[test]
fn a_key_that_a_stranger_offers_is_not_taken() {
    let upstream = Upstream::start();
    let mut gateway = gateway(&upstream, &["notion", "asana"], "");
    let offered = "b537207f20cbfa02357cf448134da559e8bd39d61597dcd5631b8012eae53e81";
    let answer = gateway.post("/asana", &[("X-Hook-Secret", offered)], b"");
    assert_eq!((answer.status, answer.code().as_str()), (403, "handshake_refused"));
    assert_eq!(answer.header("x-hook-secret"), None);
    let body = format!(r#"{{"verification_token":"{offered}"}}"#);
    assert_eq!(gateway.post("/notion", &[], body.as_bytes()).status, 401);
    // Nor does it verify anything afterwards.
    let signature = github(offered, b"{}");
    assert_eq!(gateway.post("/notion", &[("X-Notion-Signature", &signature)], b"{}").status, 401);
    assert_eq!(upstream.count(), 0);
    assert!(gateway.audit("audit.jsonl").iter().all(|line| !line.to_string().contains(offered)));
}

#[test]
fn source_list_and_rate_stand_before_handshakes() {
    let upstream = Upstream::start();
    let listed = gateway(&upstream, &["dropbox"], "allow_from = [\"198.51.100.0/24\"]\n");
    let answer = get(&listed, "/dropbox?challenge=abc");
    assert_eq!((answer.status, answer.text().contains("abc")), (403, false));
    let rate = "rate_limit = { per_source = { rate = \"1/1h\", burst = 2 }, per_route = { rate = \"1/1h\", burst = 1 } }\n";
    let limited = gateway(&upstream, &["dropbox"], rate);
    let ask = || get(&limited, "/dropbox?challenge=abc").status;
    assert_eq!([ask(), ask(), ask()], [200, 200, 429], "spends the source's rate alone");
}

#[test]
fn a_flood_of_handshakes_leaves_nothing_behind() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, &["dropbox", "x", "microsoft-graph"], "");
    for n in 0..100 {
        assert_eq!(get(&gateway, &format!("/dropbox?challenge={n}")).status, 200);
        assert_eq!(crc(&gateway, "/x", &n.to_string()).status, 200);
        let target = format!("/microsoft-graph?validationToken={n}");
        assert_eq!(gateway.post(&target, &[], b"").status, 200);
    }
    let metrics = gateway.metrics();
    for line in [
        r#"hookward_requests_total{route="x",decision="handshake"} 100"#,
        r#"hookward_replay_entries{route="x"} 0"#,
        r#"hookward_key_used_total{route="x",key="key"} 0"#,
        "hookward_body_memory_bytes 0",
    ] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }
    assert_eq!(upstream.count(), 0);
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
