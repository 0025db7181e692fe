//! Events, filters, schemas, and what `monitor` does to them.

use crate::support::{Gateway, Upstream, github, stripe};

const SECRET: &str = "a-secret-of-16-bytes-or-more";

fn gateway(upstream: &Upstream, route: &str) -> Gateway {
    let dir = tempfile::tempdir().unwrap();
    let schema = r#"{"type":"object","required":["n"],"properties":{"n":{"type":"integer"}}}"#;
    std::fs::write(dir.path().join("n.json"), schema).unwrap();
    Gateway::start_in(
        dir,
        &format!(
            "[server]\nlisten = [\"127.0.0.1:0\"]\nanswers = \"codes\"\n[admin]\nlisten = \"127.0.0.1:0\"\n[routes.r]\npath = \"/r\"\nprovider = \"stripe\"\nsecrets = [{{ value = \"{SECRET}\", id = \"k\" }}]\nupstream = \"{}\"\n{route}",
            upstream.url("")
        ),
    )
}

fn post(gateway: &Gateway, body: &str) -> (u16, String) {
    let now = gateway.clock.unix().secs();
    let signature = stripe(SECRET, now, body.as_bytes());
    let answer = gateway.post("/r", &[("Stripe-Signature", &signature)], body.as_bytes());
    let code = if answer.body.starts_with(b"{") { answer.code() } else { String::new() };
    (answer.status, code)
}

#[test]
fn an_event_that_is_not_listed_is_acknowledged() {
    let upstream = Upstream::start();
    let gateway = gateway(
        &upstream,
        "events = [\"invoice.*\"]\nfilters = [{ json = \"/live\", equals = true }]\n",
    );
    assert_eq!(post(&gateway, r#"{"id":"1","type":"invoice.a.b","live":true}"#).0, 200);
    assert_eq!(post(&gateway, r#"{"id":"2","type":"charge.paid","live":true}"#).0, 204);
    assert_eq!(post(&gateway, r#"{"id":"3","type":"invoice.a","live":false}"#).0, 204);
    assert_eq!(upstream.count(), 1);
    // Ignoring it is final: it was dealt with.
    assert_eq!(
        post(&gateway, r#"{"id":"2","type":"charge.paid","live":true}"#),
        (409, "replayed".into())
    );
}

#[test]
fn an_event_that_is_not_listed_can_be_rejected() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, "events = [\"invoice.*\"]\non_unlisted_event = \"reject\"\n");
    let refused = (422, "event_not_allowed".to_owned());
    assert_eq!(post(&gateway, r#"{"id":"2","type":"charge.paid"}"#), refused);
    assert_eq!(post(&gateway, r#"{"id":"2","type":"charge.paid"}"#), refused, "a refusal releases");
}

#[test]
fn payloads_satisfy_the_schema() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, "[routes.r.body]\nschema = \"n.json\"\n");
    assert_eq!(post(&gateway, r#"{"n":1}"#).0, 200);
    assert_eq!(
        upstream.last().header("hookward-verified"),
        Some("signature, timestamp, replay, schema")
    );
    assert_eq!(post(&gateway, r#"{"n":"1"}"#), (422, "schema_violation".into()));
    assert_eq!(post(&gateway, r#"{"n":1,"n":2}"#), (400, "payload_malformed".into()));
    assert_eq!(post(&gateway, r#"{"n":"#), (400, "payload_malformed".into()));
    let deep = format!("{{\"n\":{}1{}}}", "[".repeat(5000), "]".repeat(5000));
    assert_eq!(post(&gateway, &deep), (400, "payload_malformed".into()));
    assert_eq!(upstream.count(), 1);
}

#[test]
fn a_monitored_schema_reports_and_forwards() {
    let upstream = Upstream::start();
    let gateway =
        gateway(&upstream, "monitor = [\"schema\"]\n[routes.r.body]\nschema = \"n.json\"\n");
    assert_eq!(post(&gateway, r#"{"n":"1"}"#).0, 200);
    let seen = upstream.last();
    assert_eq!(seen.header("hookward-verified"), Some("signature, timestamp, replay"));
    assert_eq!(seen.header("hookward-monitored"), Some("schema=schema_violation"));
    let counted =
        r#"hookward_monitored_total{route="r",check="schema",decision="schema_violation"} 1"#;
    assert!(gateway.metrics().contains(counted));
}

#[test]
fn a_monitored_signature_proves_nothing_and_writes_nothing() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, "monitor = [\"signature\"]\n");
    for _ in 0..2 {
        let forged = github("another", b"{}");
        let answer = gateway.post("/r", &[("Stripe-Signature", &forged)], br#"{"id":"evt_1"}"#);
        assert_eq!(answer.status, 200);
    }
    assert_eq!(upstream.count(), 2, "replay was neither read nor written");
    let seen = upstream.last();
    assert_eq!(seen.header("hookward-verified"), None);
    assert_eq!(seen.header("hookward-key-id"), None);
    assert!(seen.header("hookward-monitored").unwrap().starts_with("signature="));
    assert_eq!(post(&gateway, r#"{"id":"evt_1"}"#).0, 200);
    assert_eq!(upstream.count(), 3);
}
