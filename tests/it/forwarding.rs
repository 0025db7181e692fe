//! I2, I6 and I10: what was verified is what is forwarded, with what was proven, and nothing that
//! the sender says about itself.

use crate::support::{Act, Gateway, Upstream, github, request, stripe};

const SECRET: &str = "a-secret-of-16-bytes-or-more";

fn gateway(upstream: &Upstream, more: &str) -> Gateway {
    Gateway::start(&format!(
        r#"
[routes.github]
path = "/github"
provider = "github"
secrets = [{{ value = "{SECRET}", id = "2026" }}]
upstream = "{}"
{more}
"#,
        upstream.url("/hooks/github")
    ))
}

#[test]
fn a_signed_delivery_arrives_byte_for_byte() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, "");
    let body = "{\"a\" : 1,\r\n \"b\":\"\\u00e9é\"}\n\n\0".as_bytes();
    let signature = github(SECRET, body);
    let answer = gateway.post(
        "/github?x=%20y&x=2",
        &[
            ("X-Hub-Signature-256", &signature),
            ("X-GitHub-Event", "push"),
            ("Content-Type", "application/json; charset=utf-8"),
            ("X-Odd", "  kept as it is\t"),
        ],
        body,
    );
    assert_eq!((answer.status, answer.text().as_str()), (200, "ok"));
    assert_eq!(answer.header("x-from"), Some("upstream"));
    let seen = upstream.last();
    assert_eq!(seen.body, body);
    assert_eq!(seen.target(), "/hooks/github?x=%20y&x=2");
    assert_eq!(seen.header("x-hub-signature-256"), Some(signature.as_str()));
    assert_eq!(seen.header("content-type"), Some("application/json; charset=utf-8"));
    assert_eq!(seen.header("hookward-route"), Some("github"));
    assert_eq!(seen.header("hookward-provider"), Some("github"));
    assert_eq!(seen.header("hookward-key-id"), Some("2026"));
    assert_eq!(seen.header("hookward-event-type"), Some("push"));
    assert_eq!(seen.header("hookward-verified"), Some("signature, replay"));
    assert_eq!(seen.header("hookward-monitored"), None);
    assert_eq!(seen.header("x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(seen.header("x-forwarded-proto"), Some("http"));
    assert_eq!(seen.header("x-forwarded-host"), Some("hooks.example.com"));
    let id = seen.header("x-request-id").unwrap();
    assert_eq!(answer.header("x-request-id"), Some(id));
}

#[test]
fn claims_of_the_sender_are_dropped() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, "");
    let body = b"{}";
    let signature = github(SECRET, body);
    gateway.post(
        "/github",
        &[
            ("X-Hub-Signature-256", &signature),
            ("Hookward-Verified", "signature, timestamp, replay, schema"),
            ("Hookward_Route", "other"),
            ("HOOKWARD-EVENT-ID", "forged"),
            ("X-Forwarded-For", "203.0.113.7"),
            ("X-Forwarded-Proto", "https"),
            ("Forwarded", "for=203.0.113.7"),
            ("X-Real-IP", "203.0.113.7"),
            ("True-Client-IP", "203.0.113.7"),
            ("X-Original-URL", "/admin"),
            ("X-Rewrite-URL", "/admin"),
            ("X-HTTP-Method-Override", "DELETE"),
            ("X-Request-Id", "theirs"),
            ("Proxy", "http://203.0.113.7"),
            ("Connection", "keep-alive, X-Hub-Signature-256, X-Custom"),
            ("X-Custom", "1"),
        ],
        body,
    );
    let seen = upstream.last();
    assert_eq!(seen.headers("hookward-verified").collect::<Vec<_>>(), ["signature, replay"]);
    assert_eq!(seen.headers("hookward-route").collect::<Vec<_>>(), ["github"]);
    assert_eq!(seen.headers("x-forwarded-for").collect::<Vec<_>>(), ["127.0.0.1"]);
    assert_eq!(seen.headers("x-forwarded-proto").collect::<Vec<_>>(), ["http"]);
    assert_eq!(seen.header("x-hub-signature-256"), Some(signature.as_str()));
    assert_ne!(seen.header("x-request-id"), Some("theirs"));
    for name in [
        "hookward_route",
        "hookward-event-id",
        "forwarded",
        "x-real-ip",
        "true-client-ip",
        "x-original-url",
        "x-rewrite-url",
        "x-http-method-override",
        "proxy",
    ] {
        assert_eq!(seen.header(name), None, "{name}");
    }
}

#[test]
fn answers_of_the_upstream_are_the_senders() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, "");
    upstream.next([Act::Answer(418, "short and stout"), Act::Close]);
    let signed = |body: &[u8]| github(SECRET, body);
    let answer = gateway.post("/github", &[("X-Hub-Signature-256", &signed(b"1"))], b"1");
    assert_eq!((answer.status, answer.text().as_str()), (418, "short and stout"));
    let answer = gateway.post("/github", &[("X-Hub-Signature-256", &signed(b"2"))], b"2");
    assert_eq!((answer.status, answer.code().as_str()), (502, "upstream_error"));
}

#[test]
fn a_chunked_body_is_verified_and_is_the_last_of_its_connection() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, "");
    let signature = github(SECRET, b"hello world");
    let mut client = gateway.connect();
    client.write(
        format!(
            "POST /github HTTP/1.1\r\nHost: h\r\nX-Hub-Signature-256: {signature}\r\n\
             Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\nX-Trailer: 1\r\n\r\n\
             POST /github HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"
        )
        .as_bytes(),
    );
    let answer = client.read().unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(upstream.last().body, b"hello world");
    assert_eq!(upstream.last().header("x-trailer"), None);
    assert!(client.is_closed(), "nothing after a chunked request is parsed");
    assert_eq!(upstream.count(), 1);
}

#[test]
fn a_signed_time_and_an_id_are_told_to_the_receiver() {
    let upstream = Upstream::start();
    let gateway = Gateway::start(&format!(
        r#"
[routes.stripe]
path = "/stripe/*"
provider = "stripe"
secrets = [{{ value = "{SECRET}" , id = "s" }}]
[routes.stripe.upstream]
urls = ["{}"]
headers = {{ "X-Team" = "billing" }}
map_status = {{ 410 = 503 }}
"#,
        upstream.url("/base")
    ));
    let body = br#"{"id":"evt_1","type":"invoice.paid"}"#;
    let now = gateway.clock.unix().secs();
    upstream.next([Act::Answer(410, "gone")]);
    let answer =
        gateway.post("/stripe/a/b", &[("Stripe-Signature", &stripe(SECRET, now, body))], body);
    assert_eq!(answer.status, 503, "410 would unsubscribe");
    let seen = upstream.last();
    assert_eq!(seen.target(), "/base/a/b");
    assert_eq!(seen.header("hookward-event-id"), Some("evt_1"));
    assert_eq!(seen.header("hookward-event-type"), Some("invoice.paid"));
    assert_eq!(seen.header("hookward-verified"), Some("signature, timestamp, replay"));
    assert_eq!(seen.header("x-team"), Some("billing"));
}

#[test]
fn a_sender_that_has_nothing_more_to_say_still_hears_the_answer() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, "");
    let signature = github(SECRET, b"{}");
    let bytes = request("POST", "/github", &[("X-Hub-Signature-256", &signature)], b"{}");
    let mut client = gateway.connect();
    client.write(&bytes).finish_writing();
    assert_eq!(client.read().unwrap().status, 200);
    // Even if it broke off.
    let mut client = gateway.connect();
    client.write(&bytes[..bytes.len() - 1]).finish_writing();
    let answer = client.read().unwrap();
    assert_eq!((answer.status, answer.code().as_str()), (400, "sender_gone"));
    assert!(client.is_closed());
    assert_eq!(upstream.count(), 1);
}

#[test]
fn a_body_with_broken_framing_is_a_bad_request() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, "");
    let signature = github(SECRET, b"{}");
    for framing in ["zz\r\n{}\r\n0\r\n\r\n", "2\r\n{}XX0\r\n\r\n", "-2\r\n{}\r\n0\r\n\r\n"] {
        let mut client = gateway.connect();
        client.write(
            format!(
                "POST /github HTTP/1.1\r\nHost: h\r\nX-Hub-Signature-256: {signature}\r\n\
                 Transfer-Encoding: chunked\r\n\r\n{framing}"
            )
            .as_bytes(),
        );
        let answer = client.read().unwrap();
        assert_eq!((answer.status, answer.code().as_str()), (400, "bad_request"), "{framing}");
        assert!(client.is_closed());
    }
    assert_eq!(upstream.count(), 0);
}
