//! Replay, redelivery and retry are three things.

use crate::support::{Act, Gateway, Upstream, github, stripe};

const SECRET: &str = "a-secret-of-16-bytes-or-more";

fn gateway(upstream: &Upstream, more: &str) -> Gateway {
    let route = |name: &str| {
        format!(
            "[routes.{name}]\npath = \"/{name}\"\nprovider = \"{name}\"\nsecrets = [{{ value = \"{SECRET}\", id = \"{name}\" }}]\nupstream = \"{}\"\n",
            upstream.url("")
        )
    };
    let routes = ["github", "stripe", "blue", "dropbox"].map(route).concat();
    Gateway::start(&format!("[admin]\nlisten = \"127.0.0.1:0\"\n{routes}{more}"))
}

fn post_github(gateway: &Gateway, body: &[u8]) -> (u16, String) {
    let answer = gateway.post("/github", &[("X-Hub-Signature-256", &github(SECRET, body))], body);
    (answer.status, answer.text())
}

fn post_stripe(gateway: &Gateway, at: i64, body: &[u8]) -> (u16, String) {
    let answer = gateway.post("/stripe", &[("Stripe-Signature", &stripe(SECRET, at, body))], body);
    (answer.status, answer.text())
}

#[test]
fn the_same_bytes_again_are_refused() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, "");
    assert_eq!(post_github(&gateway, b"{\"n\":1}").0, 200);
    let (status, text) = post_github(&gateway, b"{\"n\":1}");
    assert_eq!(status, 409);
    assert!(text.contains("replayed"));
    assert_eq!(upstream.count(), 1);
    // Until they are older than the window, and the time slot that they stand in is over.
    gateway.clock.advance(std::time::Duration::from_secs(31 * 3600));
    assert_eq!(post_github(&gateway, b"{\"n\":1}").0, 200);
}

#[test]
fn where_the_provider_repeats_itself_a_copy_is_acknowledged() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, "");
    let body = br#"{"event":"TODO_CREATED"}"#;
    let signature = github(SECRET, body)["sha256=".len()..].to_owned();
    for _ in 0..2 {
        assert_eq!(gateway.post("/blue", &[("X-Signature", &signature)], body).status, 200);
    }
    assert_eq!(upstream.count(), 1);
    // Dropbox says only that something changed: the same bytes are news each time.
    for _ in 0..2 {
        let answer = gateway.post("/dropbox", &[("X-Dropbox-Signature", &signature)], body);
        assert_eq!(answer.status, 200);
    }
    assert_eq!(upstream.count(), 3);
}

#[test]
fn a_redelivery_is_acknowledged_and_not_forwarded() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, "");
    let body = br#"{"id":"evt_1","type":"x"}"#;
    let now = gateway.clock.unix().secs();
    assert_eq!(post_stripe(&gateway, now, body).0, 200);
    let (status, text) = post_stripe(&gateway, now + 1, body);
    assert_eq!(status, 200);
    assert!(text.contains("duplicate"), "{text}");
    assert_eq!(upstream.count(), 1);
    assert_eq!(post_stripe(&gateway, now, body).0, 409);
}

#[test]
fn a_retry_after_a_failure_goes_through() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, "");
    upstream.next([Act::Answer(500, "no"), Act::Close, Act::Answer(302, "")]);
    for expected in [500, 502, 302, 200, 409] {
        assert_eq!(post_github(&gateway, b"again").0, expected);
    }
    let body = br#"{"id":"evt_2"}"#;
    let now = gateway.clock.unix().secs();
    upstream.next([Act::Answer(503, "later")]);
    assert_eq!(post_stripe(&gateway, now, body).0, 503);
    assert_eq!(post_stripe(&gateway, now + 2, body), (200, "ok".to_owned()));
}

#[test]
fn a_copy_of_what_is_in_flight_waits() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, "");
    upstream.next([Act::Gate]);
    let body = b"slow";
    let bytes = crate::support::request(
        "POST",
        "/github",
        &[("X-Hub-Signature-256", &github(SECRET, body))],
        body,
    );
    let mut first = gateway.connect();
    first.write(&bytes);
    upstream.wait_for(1);
    let mut second = gateway.connect();
    second.write(&bytes);
    let answer = second.read().unwrap();
    assert_eq!((answer.status, answer.code().as_str()), (503, "in_flight"));
    assert!(answer.header("retry-after").is_some());
    upstream.open_gate();
    assert_eq!(first.read().unwrap().text(), "gated");
    assert_eq!(post_github(&gateway, body).0, 409);
    assert_eq!(upstream.count(), 1);
}

#[test]
fn a_sender_that_hangs_up_does_not_undo_the_delivery() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, "");
    upstream.next([Act::Gate]);
    let body = b"impatient";
    let mut client = gateway.connect();
    client.write(&crate::support::request(
        "POST",
        "/github",
        &[("X-Hub-Signature-256", &github(SECRET, body))],
        body,
    ));
    upstream.wait_for(1);
    drop(client);
    // Reserved while it lasts, committed when it is done.
    let mut status = 0;
    for attempt in 0..200 {
        status = post_github(&gateway, body).0;
        if attempt == 0 {
            assert_eq!(status, 503, "in flight although the sender is gone");
            upstream.open_gate();
        }
        if status == 409 {
            break;
        }
        std::thread::yield_now();
    }
    assert_eq!(status, 409);
    assert_eq!(upstream.count(), 1);
}

#[test]
fn entries_and_budgets_outlive_a_reload() {
    let upstream = Upstream::start();
    let config = |extra: &str| {
        format!(
            "[routes.github]\npath = \"/github\"\nprovider = \"github\"\nsecrets = [{{ value = \"{SECRET}\", id = \"g\" }}]\nupstream = \"{}\"\n{extra}",
            upstream.url("")
        )
    };
    let gateway = Gateway::start(&config(""));
    assert_eq!(post_github(&gateway, b"once").0, 200);
    assert!(gateway.reload(&config("allow_from = [\"127.0.0.0/8\"]\n")));
    assert_eq!(post_github(&gateway, b"once").0, 409);
    assert!(!gateway.reload("nonsense = 1\n"), "a bad configuration changes nothing");
    assert_eq!(post_github(&gateway, b"once").0, 409);
    assert_eq!(post_github(&gateway, b"other").0, 200);
}

#[test]
fn a_full_store_refuses_rather_than_forgets() {
    let upstream = Upstream::start();
    let gateway = gateway(
        &upstream,
        "[replay]\nmax_entries = 100\n[routes.github.replay]\nmax_entries = 2\n",
    );
    assert_eq!(post_github(&gateway, b"1").0, 200);
    assert_eq!(post_github(&gateway, b"2").0, 200);
    let (status, text) = post_github(&gateway, b"3");
    assert_eq!(status, 503);
    assert!(text.contains("store_unavailable"));
    assert_eq!(post_github(&gateway, b"1").0, 409, "what is in stays in");
    // Another route is not touched by it.
    let now = gateway.clock.unix().secs();
    assert_eq!(post_stripe(&gateway, now, br#"{"id":"evt_9"}"#).0, 200);
    let metrics = gateway.metrics();
    assert!(metrics.contains(r#"hookward_replay_entries{route="github"} 2"#), "{metrics}");
}
