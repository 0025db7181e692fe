//! I3 under pressure: a flood of what does not verify leaves nothing behind.

use crate::support::{Gateway, Upstream, github, stripe};

const SECRET: &str = "a-secret-of-16-bytes-or-more";

fn gateway(upstream: &Upstream, more: &str) -> Gateway {
    let route = |name: &str| {
        format!(
            "[routes.{name}]\npath = \"/{name}\"\nprovider = \"{name}\"\nsecrets = [{{ value = \"{SECRET}\", id = \"{name}\" }}]\nupstream = \"{}\"\n",
            upstream.url("")
        )
    };
    Gateway::start(&format!(
        "[admin]\nlisten = \"127.0.0.1:0\"\n[replay]\nmax_entries = 100\non_full = \"evict\"\n{}{}{more}",
        route("github"),
        route("stripe")
    ))
}

fn post(gateway: &Gateway, secret: &str, body: &str) -> u16 {
    let signature = github(secret, body.as_bytes());
    gateway.post("/github", &[("X-Hub-Signature-256", &signature)], body.as_bytes()).status
}

#[track_caller]
fn holds(gateway: &Gateway, lines: &[&str]) {
    let metrics = gateway.metrics();
    for line in lines {
        assert!(metrics.lines().any(|there| there == *line), "{line}\n{metrics}");
    }
}

#[test]
fn a_flood_of_forgeries_writes_and_evicts_nothing() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, "[routes.github.replay]\nmax_entries = 2\n");
    assert_eq!(post(&gateway, SECRET, "1"), 200);
    assert_eq!(post(&gateway, SECRET, "2"), 200);
    let now = gateway.clock.unix().secs();
    for n in 0..300 {
        assert_eq!(post(&gateway, "another secret entirely", &n.to_string()), 401);
        // An id that will be delivered, and a time that is over.
        let body = format!("{{\"id\":\"evt_{n}\"}}");
        let forged = stripe("another secret entirely", now, body.as_bytes());
        let old = stripe(SECRET, now - 1000, body.as_bytes());
        for signature in [forged, old] {
            let headers = [("Stripe-Signature", signature.as_str())];
            assert_eq!(gateway.post("/stripe", &headers, body.as_bytes()).status, 401);
        }
    }
    holds(
        &gateway,
        &[
            r#"hookward_replay_entries{route="github"} 2"#,
            r#"hookward_replay_entries{route="stripe"} 0"#,
            r#"hookward_replay_evictions_total{route="github"} 0"#,
            r#"hookward_replay_evictions_total{route="stripe"} 0"#,
            r#"hookward_key_used_total{route="github",key="github"} 2"#,
            "hookward_body_memory_bytes 0",
        ],
    );
    assert_eq!(post(&gateway, SECRET, "1"), 409);
    assert_eq!(post(&gateway, SECRET, "2"), 409);
    let body = br#"{"id":"evt_7"}"#;
    let signature = stripe(SECRET, now, body);
    assert_eq!(gateway.post("/stripe", &[("Stripe-Signature", &signature)], body).status, 200);
    assert_eq!(upstream.count(), 3);
}

#[test]
fn evictions_are_told_to_the_receiver_and_counted() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, "[routes.github.replay]\nmax_entries = 2\n");
    for n in 0..5 {
        assert_eq!(post(&gateway, SECRET, &n.to_string()), 200);
        let verified = upstream.last().header("hookward-verified").unwrap().to_owned();
        assert_eq!(verified, if n < 2 { "signature, replay" } else { "signature" }, "{n}");
    }
    assert_eq!(post(&gateway, SECRET, "4"), 409, "the newest are kept");
    let metrics = gateway.metrics();
    let evicted = r#"hookward_replay_evictions_total{route="github"} "#;
    let evicted = metrics.lines().find_map(|line| line.strip_prefix(evicted)).unwrap();
    assert!(evicted.parse::<u32>().unwrap() >= 3, "{metrics}");
    holds(&gateway, &[r#"hookward_replay_evictions_total{route="stripe"} 0"#]);
}
