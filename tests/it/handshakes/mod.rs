//! Handshakes, played as providers' documentation describes them.

mod oracle;
mod signed;

use serde_json::json;

use crate::support::{Answer, Gateway, Upstream, github, request};

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
        assert_eq!(get(&gateway, &format!("/x?crc_token={n}")).status, 200);
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
