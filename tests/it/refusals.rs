//! I1 and I3: what does not pass does not reach an upstream, and strangers change nothing.

use crate::support::{Client, Gateway, Upstream, eventually, github, request, stripe};

const SECRET: &str = "a-secret-of-16-bytes-or-more";

/// Method, target and headers of a request; status and code of its answer.
type Case = (&'static str, &'static str, Vec<(&'static str, String)>, u16, &'static str);

fn gateway(upstream: &Upstream, server: &str, more: &str) -> Gateway {
    Gateway::start(&format!(
        r#"
[server]
listen = ["127.0.0.1:0"]
answers = "codes"
{server}
[admin]
listen = "127.0.0.1:0"
[routes.github]
path = "/github"
provider = "github"
secrets = [{{ value = "{SECRET}" }}]
upstream = "{0}"
{more}
[routes.stripe]
path = "/stripe"
provider = "stripe"
secrets = [{{ value = "{SECRET}" }}]
upstream = "{0}"
"#,
        upstream.url("")
    ))
}

#[test]
fn every_reason_has_its_code_and_nothing_is_forwarded() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, "", "");
    let now = gateway.clock.unix().secs();
    let good = github(SECRET, b"{}");
    let forged = github("another secret entirely", b"{}");
    let cases: Vec<Case> = vec![
        ("POST", "/none", vec![], 404, "no_route"),
        ("POST", "/github/../github", vec![], 404, "no_route"),
        ("GET", "/github", vec![], 405, "method_not_allowed"),
        ("POST", "/github", vec![], 401, "signature_missing"),
        ("POST", "/github", vec![("X-Hub-Signature-256", String::new())], 401, "signature_missing"),
        (
            "POST",
            "/github",
            vec![("X-Hub-Signature-256", "sha256=zz".into())],
            400,
            "signature_malformed",
        ),
        ("POST", "/github", vec![("X-Hub-Signature-256", forged)], 401, "signature_mismatch"),
        (
            "POST",
            "/github",
            vec![("X-Hub-Signature-256", good.clone()), ("X-Hub-Signature-256", good)],
            400,
            "ambiguous_header",
        ),
        (
            "POST",
            "/stripe",
            vec![("Stripe-Signature", stripe(SECRET, now - 301, b"{}"))],
            401,
            "timestamp_expired",
        ),
        (
            "POST",
            "/stripe",
            vec![("Stripe-Signature", stripe(SECRET, now + 301, b"{}"))],
            401,
            "timestamp_in_future",
        ),
        (
            "POST",
            "/stripe",
            vec![("Stripe-Signature", format!("v1={}", "0".repeat(64)))],
            401,
            "timestamp_missing",
        ),
        (
            "POST",
            "/stripe",
            vec![("Stripe-Signature", format!("t=x,v1={}", "0".repeat(64)))],
            400,
            "timestamp_malformed",
        ),
    ];
    for (method, target, headers, status, code) in cases {
        let headers: Vec<_> = headers.iter().map(|(k, v)| (*k, v.as_str())).collect();
        let answer = gateway.send(method, target, &headers, b"{}");
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{target} {headers:?}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert!(answer.header("x-request-id").is_some());
    }
    assert_eq!(upstream.count(), 0);
    let metrics = gateway.metrics();
    assert!(
        metrics
            .contains(r#"hookward_requests_total{route="github",decision="signature_mismatch"} 1"#),
        "{metrics}"
    );
    assert!(metrics.contains(r#"hookward_replay_entries{route="github"} 0"#), "{metrics}");
}

#[test]
fn uniform_answers_do_not_tell_failures_apart() {
    let upstream = Upstream::start();
    let config = format!(
        "[routes.stripe]\npath = \"/stripe\"\nprovider = \"stripe\"\nsecrets = [{{ value = \"{SECRET}\" }}]\nupstream = \"{}\"\n",
        upstream.url("")
    );
    let gateway = Gateway::start(&config);
    let now = gateway.clock.unix().secs();
    let signatures = [
        None,
        Some(stripe("another secret entirely", now, b"{}")),
        Some(stripe(SECRET, now - 4000, b"{}")),
        Some(stripe(SECRET, now + 4000, b"{}")),
        Some(format!("v1={}", "0".repeat(64))),
    ];
    let mut seen = Vec::new();
    for signature in &signatures {
        let headers: Vec<_> = signature.iter().map(|s| ("Stripe-Signature", s.as_str())).collect();
        let answer = gateway.post("/stripe", &headers, b"{}");
        let lines = answer.head.lines().filter(|line| {
            let line = line.to_ascii_lowercase();
            !line.starts_with("date:") && !line.starts_with("x-request-id:")
        });
        seen.push((lines.collect::<Vec<_>>().join("\n"), answer.text()));
        assert_eq!(answer.status, 401);
        // A claim that the head shows to be missing is refused before the body is read.
    }
    for other in &seen[1..] {
        assert_eq!(*other, seen[0]);
    }
    assert!(!seen[0].1.contains("code"));
}

/// A body that came with its head leaves nothing to be misread, so refusing a signature costs no
/// connection; one that is still under way does, whether the gateway looked at it or not.
#[test]
fn refused_signatures_look_alike_to_the_connection_too() {
    let upstream = Upstream::start();
    let config = format!(
        "[routes.github]\npath = \"/github\"\nprovider = \"github\"\nsecrets = [{{ value = \"{SECRET}\" }}]\nupstream = \"{}\"\n",
        upstream.url("")
    );
    let gateway = Gateway::start(&config);
    let forged = github("another secret entirely", b"{}");
    let refused = [vec![], vec![("X-Hub-Signature-256", forged.as_str())]];
    let mut client = gateway.connect();
    for headers in refused.iter().cycle().take(4) {
        let answer = client.write(&request("POST", "/github", headers, b"{}")).read().unwrap();
        assert_eq!((answer.status, answer.header("connection")), (401, None));
    }
    let good = github(SECRET, b"{}");
    client.write(&request("POST", "/github", &[("X-Hub-Signature-256", &good)], b"{}"));
    assert_eq!(client.read().unwrap().status, 200);
    for headers in &refused {
        let whole = request("POST", "/github", headers, b"{}");
        let (now, later) = whole.split_at(whole.len() - 1);
        let mut client = gateway.connect();
        client.write(now);
        // Without a signature the answer does not wait for the body.
        std::thread::sleep(std::time::Duration::from_millis(50));
        client.write(later);
        let answer = client.read().unwrap();
        assert_eq!((answer.status, answer.header("connection")), (401, Some("close")));
    }
    assert_eq!(upstream.count(), 1);
}

#[test]
fn bodies_are_bounded() {
    let upstream = Upstream::start();
    let gateway = gateway(
        &upstream,
        "",
        "[routes.github.body]\nmax_size = \"1KiB\"\ncontent_types = [\"application/json\"]\n",
    );
    let json = ("Content-Type", "application/json");
    for size in [1024, 1025] {
        let body = vec![b'x'; size];
        let signature = github(SECRET, &body);
        let answer = gateway.post("/github", &[("X-Hub-Signature-256", &signature), json], &body);
        assert_eq!(answer.status, if size == 1024 { 200 } else { 413 });
    }
    let signature = github(SECRET, b"{}");
    let answer = gateway.post("/github", &[("X-Hub-Signature-256", &signature)], b"{}");
    assert_eq!((answer.status, answer.code().as_str()), (415, "unsupported_media_type"));
    // A chunked body says nothing beforehand.
    let mut client = gateway.connect();
    let head = format!(
        "POST /github HTTP/1.1\r\nHost: h\r\nX-Hub-Signature-256: {signature}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    client.write(head.as_bytes());
    for _ in 0..3 {
        client.write(format!("200\r\n{}\r\n", "x".repeat(512)).as_bytes());
    }
    assert_eq!(client.read().unwrap().status, 413);
    assert_eq!(upstream.count(), 1);
}

#[test]
fn a_body_that_never_comes_times_out() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, "[server.limits]\nbody_timeout = \"200ms\"\n", "");
    let signature = github(SECRET, b"{}");
    let mut client = gateway.connect();
    client.write(format!("POST /github HTTP/1.1\r\nHost: h\r\nX-Hub-Signature-256: {signature}\r\nContent-Length: 2\r\n\r\n{{").as_bytes());
    let answer = client.read().unwrap();
    assert_eq!((answer.status, answer.code().as_str()), (408, "body_timeout"));
    assert!(client.is_closed());
    assert_eq!(upstream.count(), 0);
}

#[test]
fn a_refusal_of_a_large_body_is_read_by_its_sender() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, "", "");
    let mut client = gateway.connect();
    client.write(b"POST /none HTTP/1.1\r\nHost: h\r\nContent-Length: 4000000\r\n\r\n");
    client.write(&vec![b'x'; 200_000]);
    let answer = client.read().expect("the answer, not a reset");
    assert_eq!(answer.status, 404);
    assert_eq!(answer.header("connection"), Some("close"));
}

#[test]
fn limits_turn_a_source_away() {
    let upstream = Upstream::start();
    let limits = "[routes.github.rate_limit]\nper_source = { rate = \"3/1h\", burst = 3 }\n";
    let gateway = gateway(&upstream, "", limits);
    let signature = |n: usize| github(SECRET, n.to_string().as_bytes());
    for n in 0..4 {
        let answer = gateway.post(
            "/github",
            &[("X-Hub-Signature-256", &signature(n))],
            n.to_string().as_bytes(),
        );
        assert_eq!(answer.status, if n < 3 { 200 } else { 429 }, "{n}");
        assert_eq!(answer.header("retry-after").is_some(), n == 3);
    }
}

#[test]
fn only_failures_are_charged_to_the_failures_budget() {
    let upstream = Upstream::start();
    let limits = "[routes.github.rate_limit]\nfailures = { rate = \"2/1h\", burst = 2 }\n";
    let gateway = gateway(&upstream, "", limits);
    let post = |body: &str, secret: &str| {
        let signature = github(secret, body.as_bytes());
        gateway.post("/github", &[("X-Hub-Signature-256", &signature)], body.as_bytes()).status
    };
    for n in 0..5 {
        assert_eq!(post(&format!("good {n}"), SECRET), 200);
    }
    assert_eq!(post("a", "wrong secret, wrong"), 401);
    assert_eq!(post("b", "wrong secret, wrong"), 401);
    assert_eq!(post("c", SECRET), 429);
}

#[test]
fn keep_alive_survives_refusals_whose_body_was_read() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, "", "");
    let mut client = Client::connect(gateway.address);
    let forged = github("another secret entirely", b"{}");
    client.write(&request("POST", "/github", &[("X-Hub-Signature-256", &forged)], b"{}"));
    assert_eq!(client.read().unwrap().status, 401);
    let good = github(SECRET, b"{}");
    client.write(&request("POST", "/github", &[("X-Hub-Signature-256", &good)], b"{}"));
    assert_eq!(client.read().unwrap().status, 200);
}

#[test]
fn a_sender_that_waits_to_be_asked_for_its_body() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, "", "");
    let head = |signature: &str| {
        format!(
            "POST /github HTTP/1.1\r\nHost: h\r\nX-Hub-Signature-256: {signature}\r\n\
             Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"
        )
    };
    // What the head shows is answered without a word about the body.
    let mut client = gateway.connect();
    client.write(head("sha256=zz").as_bytes());
    assert_eq!(client.read_head().as_deref(), Some("HTTP/1.1 400 Bad Request"));
    let mut client = gateway.connect();
    client.write(head(&github(SECRET, b"{}")).as_bytes());
    assert_eq!(client.read_head().as_deref(), Some("HTTP/1.1 100 Continue"));
    client.write(b"{}");
    assert_eq!(client.read().unwrap().status, 200);
    assert_eq!(upstream.last().header("expect"), None);
    assert_eq!(upstream.count(), 1);
}

#[test]
fn bodies_together_are_bounded_and_what_is_held_is_given_back() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, "[server.limits]\nbody_memory = \"64KiB\"\n", "");
    let body = vec![b'x'; 40 * 1024];
    let bytes =
        request("POST", "/github", &[("X-Hub-Signature-256", &github(SECRET, &body))], &body);
    let mut slow = gateway.connect();
    slow.write(&bytes[..bytes.len() - 1]);
    eventually(|| gateway.metrics().contains("hookward_body_memory_bytes 40959\n"));
    let mut other = gateway.connect();
    other.write(&bytes);
    let answer = other.read().unwrap();
    assert_eq!((answer.status, answer.code().as_str()), (503, "overloaded"));
    assert!(answer.header("retry-after").is_some());
    slow.write(&bytes[bytes.len() - 1..]);
    assert_eq!(slow.read().unwrap().status, 200);
    eventually(|| gateway.metrics().contains("hookward_body_memory_bytes 0\n"));
    assert_eq!(upstream.count(), 1);
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, "", "");
    let signed = |body: &[u8]| {
        request("POST", "/github", &[("X-Hub-Signature-256", &github(SECRET, body))], body)
    };
    let forged = request("POST", "/github", &[("X-Hub-Signature-256", &github("x", b"1"))], b"1");
    let none = request("GET", "/none", &[], b"");
    let mut client = gateway.connect();
    client.write(&[signed(b"1"), forged, none, signed(b"1"), signed(b"2")].concat());
    let statuses: Vec<_> = (0..5).map(|_| client.read().unwrap().status).collect();
    assert_eq!(statuses, [200, 401, 404, 409, 200]);
    assert_eq!(upstream.count(), 2);
}
