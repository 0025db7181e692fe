//! The way onward: which receiver, where, how long, and what it is told.

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::support::{
    Act, Answer, Gateway, Upstream, eventually, github, standard_webhooks, stripe, tls::Identity,
};

const SECRET: &str = "a-secret-of-16-bytes-or-more";

fn gateway_in(dir: tempfile::TempDir, path: &str, upstream: &str) -> Gateway {
    Gateway::start_in(
        dir,
        &format!(
            "[admin]\nlisten = \"127.0.0.1:0\"\n[routes.github]\npath = \"{path}\"\nprovider = \"github\"\nsecrets = [{{ value = \"{SECRET}\", id = \"k\" }}]\n{upstream}\n"
        ),
    )
}

fn gateway(upstream: &str) -> Gateway {
    gateway_in(tempfile::tempdir().unwrap(), "/github", upstream)
}

fn post(gateway: &Gateway, target: &str, body: &str) -> Answer {
    let signature = github(SECRET, body.as_bytes());
    let headers = [("X-Hub-Signature-256", signature.as_str()), ("X-GitHub-Event", "push")];
    gateway.post(target, &headers, body.as_bytes())
}

/// An address where nobody listens.
fn nobody() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[test]
fn the_next_receiver_gets_what_the_first_was_not_sent() {
    let upstream = Upstream::start();
    let urls = format!("upstream = {{ urls = [\"{}\", \"{}\"] }}", nobody(), upstream.url("/in"));
    let gateway = gateway(&urls);
    for n in 0..3 {
        assert_eq!(post(&gateway, "/github", &n.to_string()).status, 200);
    }
    assert_eq!(upstream.count(), 3);
    assert_eq!(upstream.last().target(), "/in");
    let host = upstream.address.to_string();
    assert_eq!(upstream.last().header("host"), Some(host.as_str()));
}

#[test]
fn no_receiver_gets_what_another_may_have_received() {
    let (first, second) = (Upstream::start(), Upstream::start());
    let urls = format!("upstream = {{ urls = [\"{}\", \"{}\"] }}", first.url(""), second.url(""));
    let gateway = gateway(&urls);
    let acts = [Act::Close, Act::Raw("nonsense\r\n\r\n"), Act::Close, Act::Raw("HTTP/1.1 2")];
    first.next(acts.clone());
    second.next(acts);
    for count in 1..=4 {
        let answer = post(&gateway, "/github", "the same");
        assert_eq!((answer.status, answer.code().as_str()), (502, "upstream_error"));
        assert_eq!(first.count() + second.count(), count, "sent once an attempt");
    }
    first.forget();
    second.forget();
    assert_eq!(post(&gateway, "/github", "the same").status, 200, "each failure released it");
    assert_eq!(post(&gateway, "/github", "the same").status, 409);
}

#[test]
fn nobody_there_is_unreachable() {
    let gateway = gateway(&format!("upstream = {{ urls = [\"{}\", \"{}\"] }}", nobody(), nobody()));
    for _ in 0..2 {
        let answer = post(&gateway, "/github", "{}");
        assert_eq!((answer.status, answer.code().as_str()), (502, "upstream_unreachable"));
    }
}

#[test]
fn a_slow_receiver_is_not_waited_for_and_the_retry_goes_through() {
    let upstream = Upstream::start();
    let gateway = gateway(&format!(
        "upstream = {{ urls = [\"{}\"], timeout = \"150ms\" }}",
        upstream.url("")
    ));
    upstream.next([Act::Gate]);
    let answer = post(&gateway, "/github", "slow");
    assert_eq!((answer.status, answer.code().as_str()), (504, "upstream_timeout"));
    assert_eq!(post(&gateway, "/github", "slow").status, 200);
    assert_eq!(post(&gateway, "/github", "slow").status, 409);
    assert_eq!(upstream.count(), 2);
    upstream.open_gate();
}

#[test]
fn health_checks_take_a_receiver_out_and_in_again() {
    let (first, second) = (Upstream::start(), Upstream::start());
    let gateway = gateway(&format!(
        "[routes.github.upstream]\nurls = [\"{}\", \"{}\"]\nhealth = {{ path = \"/healthz\", interval = \"100ms\" }}",
        first.url("/in"),
        second.url("/in")
    ));
    let mut sent = 0;
    let mut next = || {
        sent += 1;
        post(&gateway, "/github", &sent.to_string())
    };
    first.unwell(true);
    let seen = first.checked();
    eventually(|| first.checked() >= seen + 3);
    let (before, others) = (first.count(), second.count());
    for _ in 0..6 {
        assert_eq!(next().status, 200);
    }
    assert_eq!((first.count(), second.count()), (before, others + 6));

    second.unwell(true);
    let seen = second.checked();
    eventually(|| second.checked() >= seen + 3);
    let answer = next();
    assert_eq!((answer.status, answer.code().as_str()), (503, "upstream_unhealthy"));
    assert!(answer.header("retry-after").is_some());

    first.unwell(false);
    let seen = first.checked();
    eventually(|| first.checked() >= seen + 2);
    assert_eq!(next().status, 200);
    assert_eq!(first.count(), before + 1);
}

#[test]
fn re_signed_deliveries_verify_as_standard_webhooks() {
    let upstream = Upstream::start();
    let keys = [[7_u8; 24], [8; 24]];
    let secrets = keys.map(|key| format!("{{ value = \"whsec_{}\" }}", STANDARD.encode(key)));
    let table = |route: &str| {
        format!(
            "[routes.{route}.upstream]\nurls = [\"{}\"]\nsign = {{ secrets = [{}] }}\n",
            upstream.url(""),
            secrets.join(", ")
        )
    };
    let gateway = gateway(&format!(
        "{}[routes.stripe]\npath = \"/stripe\"\nprovider = \"stripe\"\nsecrets = [{{ value = \"{SECRET}\", id = \"s\" }}]\n{}",
        table("github"),
        table("stripe")
    ));
    let verify = |body: &str| {
        let seen = upstream.last();
        let one = |name: &str| {
            let all: Vec<_> = seen.headers(name).map(str::to_owned).collect();
            assert_eq!(all.len(), 1, "{name}: {all:?}");
            all[0].clone()
        };
        let (id, at) = (one("webhook-id"), one("webhook-timestamp"));
        let at: i64 = at.parse().unwrap();
        assert_eq!(at, gateway.clock.unix().secs());
        let expected = keys.map(|key| standard_webhooks(&key, &id, at, body.as_bytes()));
        assert_eq!(one("webhook-signature"), expected.join(" "));
        assert_eq!(seen.body, body.as_bytes());
        id
    };
    let body = r#"{"id":"evt_1"}"#;
    let signature = stripe(SECRET, gateway.clock.unix().secs(), body.as_bytes());
    let headers = [
        ("Stripe-Signature", signature.as_str()),
        ("Webhook-Id", "forged"),
        ("webhook-id", "forged too"),
        ("Webhook-Timestamp", "1"),
        ("Webhook-Signature", "v1,AAAA"),
    ];
    assert_eq!(gateway.post("/stripe", &headers, body.as_bytes()).status, 200);
    assert_eq!(verify(body), "evt_1");
    // Without a covered id, it is made of what was signed: the same for every attempt.
    upstream.next([Act::Answer(500, "no")]);
    assert_eq!(post(&gateway, "/github", "retried").status, 500);
    let first = verify("retried");
    gateway.clock.advance(std::time::Duration::from_secs(90));
    assert_eq!(post(&gateway, "/github", "retried").status, 200);
    assert_eq!(verify("retried"), first);
    assert_eq!(post(&gateway, "/github", "another").status, 200);
    assert_ne!(verify("another"), first);
}

#[test]
fn the_echo_says_what_arrived() {
    let gateway = gateway("upstream = \"builtin:echo\"");
    let answer = post(&gateway, "/github?a=1", "{\"é\":1}");
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    let echo = answer.json();
    assert_eq!(echo["method"], "POST");
    assert_eq!(echo["body"], "{\"é\":1}");
    assert_eq!((&echo["path"], &echo["query"]), (&"/github".into(), &"a=1".into()));
    assert_eq!(echo["hookward"]["verified"], "signature, replay");
    assert_eq!(echo["hookward"]["event_type"], "push");
    assert_eq!(echo["headers"]["x-github-event"], "push");
    assert_eq!(post(&gateway, "/github?a=1", "{\"é\":1}").status, 409);
}

#[test]
fn a_receiver_with_a_private_authority() {
    let identity = Identity::new("localhost");
    let upstream = Upstream::start_tls(&identity);
    let dir = tempfile::tempdir().unwrap();
    identity.write(dir.path(), "ca");
    Identity::new("localhost").write(dir.path(), "other");
    let url = format!("https://localhost:{}/in", upstream.address.port());
    let table = |ca: &str| format!("upstream = {{ urls = [\"{url}\"], ca = \"{ca}.pem\" }}\n");
    let gateway = gateway_in(dir, "/github", &table("ca"));
    for n in 0..2 {
        assert_eq!(post(&gateway, "/github", &n.to_string()).status, 200);
    }
    assert_eq!(upstream.last().target(), "/in");
    drop(gateway);
    let dir = tempfile::tempdir().unwrap();
    Identity::new("localhost").write(dir.path(), "other");
    let gateway = gateway_in(dir, "/github", &table("other"));
    let answer = post(&gateway, "/github", "{}");
    assert_eq!((answer.status, answer.code().as_str()), (502, "upstream_unreachable"));
    assert_eq!(upstream.count(), 2);
}

#[test]
fn where_a_delivery_goes() {
    let upstream = Upstream::start();
    for (pattern, base, sent, seen) in [
        ("/github", "", "/github?b=%2F&b", "/github?b=%2F&b"),
        ("/github", "/", "/github?b", "/?b"),
        ("/github", "/in", "/github", "/in"),
        ("/github", "/in/", "/github", "/in/"),
        ("/x/*", "", "/x/a/b%20c?d", "/x/a/b%20c?d"),
        ("/x/*", "/in", "/x/a/b%20c?d=1", "/in/a/b%20c?d=1"),
        ("/x/*", "/in/", "/x/a", "/in/a"),
        ("/x/*", "/", "/x/a/b", "/a/b"),
        ("/x/{account}", "", "/x/acme", "/x/acme"),
        ("/x/{account}", "/in", "/x/acme?q", "/in?q"),
    ] {
        let url = format!("upstream = \"{}\"", upstream.url(base));
        let gateway = gateway_in(tempfile::tempdir().unwrap(), pattern, &url);
        assert_eq!(post(&gateway, sent, "{}").status, 200, "{pattern} {sent}");
        assert_eq!(upstream.last().target(), seen, "{pattern} {base:?} {sent}");
        for wrong in ["/x/../github", "/x/%2e%2e/github", "/x/a%2Fb", "/x//b", "/x/a;b", "/x/a%00"]
        {
            assert_eq!(post(&gateway, wrong, "{}").status, 404, "{pattern} {wrong}");
        }
    }
}
