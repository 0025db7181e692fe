//! I10 behind a load balancer: whom a trusted proxy may speak for, and nobody else.

use crate::support::{Answer, Gateway, Upstream, github, request};

const SECRET: &str = "a-secret-of-16-bytes-or-more";

fn gateway(upstream: &Upstream, server: &str, route: &str) -> Gateway {
    Gateway::start(&format!(
        r#"
[server]
listen = ["127.0.0.1:0"]
answers = "codes"
{server}
[log]
audit = "audit.jsonl"
[routes.github]
path = "/github"
provider = "github"
secrets = [{{ value = "{SECRET}" }}]
upstream = "{}"
{route}
"#,
        upstream.url("")
    ))
}

type Headers = &'static [(&'static str, &'static str)];

const TRUSTED: &str = "trusted_proxies = [\"127.0.0.0/8\", \"10.0.0.0/8\"]";
const ALLOWED: &str = "allow_from = [\"192.0.2.0/24\"]";

/// A signed delivery, never the same twice, with more headers.
fn post(gateway: &Gateway, headers: &[(&str, &str)]) -> Answer {
    let mut client = gateway.connect();
    client.write(&signed(headers));
    client.read().expect("an answer")
}

fn signed(headers: &[(&str, &str)]) -> Vec<u8> {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let body = NEXT.fetch_add(1, Ordering::Relaxed).to_string();
    let signature = github(SECRET, body.as_bytes());
    let headers = [&[("X-Hub-Signature-256", signature.as_str())], headers].concat();
    request("POST", "/github", &headers, body.as_bytes())
}

#[test]
fn the_client_is_the_first_untrusted_hop_from_the_right() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, TRUSTED, ALLOWED);
    let cases: [(Headers, Option<&str>); 9] = [
        (&[("X-Forwarded-For", "192.0.2.7")], Some("192.0.2.7")),
        (&[("X-Forwarded-For", "203.0.113.9, 192.0.2.7, 10.1.1.1")], Some("192.0.2.7")),
        (&[("X-Forwarded-For", "192.0.2.7, 203.0.113.9, 10.1.1.1")], None),
        (&[("X-Forwarded-For", "192.0.2.7"), ("X-Forwarded-For", "203.0.113.9")], None),
        (&[("X-Forwarded-For", "::ffff:192.0.2.8")], Some("192.0.2.8")),
        (&[("Forwarded", "for=203.0.113.9, for=192.0.2.9;proto=https")], Some("192.0.2.9")),
        (&[("Forwarded", "for=192.0.2.9"), ("X-Forwarded-For", "192.0.2.9")], Some("192.0.2.9")),
        (&[], None),
        (&[("X-Real-IP", "192.0.2.7"), ("True-Client-IP", "192.0.2.7")], None),
    ];
    let mut forwarded = 0;
    for (headers, client) in cases {
        let answer = post(&gateway, headers);
        let Some(client) = client else {
            assert_eq!((answer.status, answer.code().as_str()), (403, "source_not_allowed"));
            continue;
        };
        assert_eq!(answer.status, 200, "{headers:?} {}", answer.text());
        forwarded += 1;
        let seen = upstream.last();
        assert_eq!(seen.headers("x-forwarded-for").collect::<Vec<_>>(), [client], "{headers:?}");
        assert_eq!(seen.header("forwarded"), None);
    }
    assert_eq!(upstream.count(), forwarded);
}

#[test]
fn what_a_trusted_proxy_cannot_mean_is_refused() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, TRUSTED, "");
    let cases: [&[(&str, &str)]; 6] = [
        &[("X-Forwarded-For", "192.0.2.7"), ("Forwarded", "for=192.0.2.8")],
        &[("X-Forwarded-For", "unknown")],
        &[("X-Forwarded-For", "192.0.2.7, ")],
        &[("X-Forwarded-For", "")],
        &[("Forwarded", "for=_hidden")],
        &[("X-Forwarded-Proto", "https"), ("Forwarded", "for=192.0.2.7;proto=http")],
    ];
    for headers in cases {
        let answer = post(&gateway, headers);
        assert_eq!((answer.status, answer.code().as_str()), (400, "bad_request"), "{headers:?}");
    }
    assert_eq!(upstream.count(), 0);
}

#[test]
fn nobody_else_is_believed_and_the_audit_line_says_so() {
    let upstream = Upstream::start();
    let mut gateway = gateway(&upstream, "trusted_proxies = [\"10.0.0.0/8\"]", ALLOWED);
    let answer = post(&gateway, &[("X-Forwarded-For", "192.0.2.7")]);
    assert_eq!((answer.status, answer.code().as_str()), (403, "source_not_allowed"));
    // Not even looked into.
    let answer = post(&gateway, &[("Forwarded", "garbage"), ("X-Request-Id", "theirs")]);
    assert_eq!(answer.status, 403);
    let lines = gateway.audit("audit.jsonl");
    assert_eq!(lines[0]["source"], "127.0.0.1");
    let detail = |line: usize| {
        let checks = lines[line]["checks"].as_array().unwrap().clone();
        checks.last().unwrap()["detail"].as_str().unwrap().to_owned()
    };
    let remark = "peer 127.0.0.1 sent X-Forwarded-For but is not in trusted_proxies";
    assert!(detail(0).contains(remark), "{}", detail(0));
    assert!(detail(1).contains("sent Forwarded but is not"), "{}", detail(1));
    assert_ne!(lines[1]["request_id"], "theirs");
    assert_eq!(upstream.count(), 0);
}

#[test]
fn a_remark_is_made_where_nothing_fails_too() {
    let upstream = Upstream::start();
    let mut gateway = gateway(&upstream, "", "");
    assert_eq!(post(&gateway, &[("X-Forwarded-Proto", "https")]).status, 200);
    assert_eq!(upstream.last().header("x-forwarded-proto"), Some("http"));
    let lines = gateway.audit("audit.jsonl");
    let text = lines[0].to_string();
    assert!(text.contains("peer 127.0.0.1 sent X-Forwarded-Proto but is not"), "{text}");
}

#[test]
fn a_trusted_proxys_request_id_is_kept_if_it_is_one() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, TRUSTED, "");
    let answer = post(&gateway, &[("X-Request-Id", "abc-1.2_3")]);
    assert_eq!(answer.header("x-request-id"), Some("abc-1.2_3"));
    assert_eq!(upstream.last().header("x-request-id"), Some("abc-1.2_3"));
    let long = "x".repeat(129);
    for bad in ["", "a b", "a\"b", "é", long.as_str()] {
        let answer = post(&gateway, &[("X-Request-Id", bad)]);
        assert_eq!(answer.status, 200);
        let id = answer.header("x-request-id").unwrap();
        assert!(id != bad && !id.is_empty(), "{bad}");
        assert_eq!(upstream.last().headers("x-request-id").collect::<Vec<_>>(), [id]);
    }
}

#[test]
fn https_can_be_said_by_a_trusted_proxy_alone() {
    let upstream = Upstream::start();
    let policy = "[policy]\nrequire_https = true\n";
    let https = [("X-Forwarded-For", "192.0.2.7"), ("X-Forwarded-Proto", "https")];
    let gateway = {
        let server = format!("{TRUSTED}\n{policy}");
        gateway(&upstream, &server, "")
    };
    assert_eq!(post(&gateway, &https).status, 200);
    assert_eq!(upstream.last().header("x-forwarded-proto"), Some("https"));
    assert_eq!(post(&gateway, &[("Forwarded", "for=192.0.2.7;proto=https")]).status, 200);
    let cases: [&[(&str, &str)]; 5] = [
        &[],
        &[("X-Forwarded-Proto", "http")],
        &[("X-Forwarded-Proto", "https, http")],
        &[("X-Forwarded-Proto", "")],
        &[("X-Forwarded-Ssl", "on")],
    ];
    for headers in cases {
        let answer = post(&gateway, headers);
        assert_eq!((answer.status, answer.code().as_str()), (403, "insecure_transport"));
    }
    assert_eq!(upstream.count(), 2);
    drop(gateway);
    let server = format!("trusted_proxies = [\"10.0.0.0/8\"]\n{policy}");
    let gateway = self::gateway(&upstream, &server, "");
    assert_eq!(post(&gateway, &https).status, 403);
    assert_eq!(upstream.count(), 2);
}

const V1: &[u8] = b"PROXY TCP4 192.0.2.9 10.0.0.1 5000 443\r\n";
const V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x0a\x0a\0\0\x01\x13\x88\x01\xbb";
const V2_LOCAL: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";

/// The status of a delivery behind a PROXY header; nothing if the connection is closed.
fn behind(gateway: &Gateway, announced: &[u8], headers: &[(&str, &str)]) -> Option<u16> {
    let mut client = gateway.connect();
    client.write(&[announced, &signed(headers)].concat());
    client.read().map(|answer| answer.status)
}

#[test]
fn a_proxy_header_replaces_the_peer() {
    let upstream = Upstream::start();
    let server = format!("{TRUSTED}\nproxy_protocol = \"required\"");
    let gateway = gateway(&upstream, &server, "allow_from = [\"192.0.2.0/24\"]\n");
    for (announced, client) in [(V1, "192.0.2.9"), (V2, "192.0.2.10")] {
        assert_eq!(behind(&gateway, announced, &[]), Some(200));
        assert_eq!(upstream.last().header("x-forwarded-for"), Some(client));
        // Whom it announces is no trusted proxy.
        assert_eq!(behind(&gateway, announced, &[("X-Forwarded-For", "192.0.2.77")]), Some(200));
        assert_eq!(upstream.last().header("x-forwarded-for"), Some(client));
    }
    let elsewhere = b"PROXY TCP4 203.0.113.9 10.0.0.1 5000 443\r\n";
    assert_eq!(behind(&gateway, elsewhere, &[]), Some(403));
    assert_eq!(behind(&gateway, V2_LOCAL, &[]), Some(403), "the balancer itself");
    assert_eq!(behind(&gateway, b"PROXY UNKNOWN\r\n", &[]), Some(403));
    for bad in [&b""[..], b"PROXY TCP4 x\r\n", b"PROXY TCP4 192.0.2.9 10.0.0.1 5000\r\n"] {
        assert_eq!(behind(&gateway, bad, &[]), None, "closed without a word");
    }
    assert_eq!(upstream.count(), 4);
}

#[test]
fn an_optional_proxy_header() {
    let upstream = Upstream::start();
    let server = format!("{TRUSTED}\nproxy_protocol = \"optional\"");
    let gateway = gateway(&upstream, &server, "");
    assert_eq!(behind(&gateway, V1, &[]), Some(200));
    assert_eq!(upstream.last().header("x-forwarded-for"), Some("192.0.2.9"));
    assert_eq!(behind(&gateway, b"", &[]), Some(200));
    assert_eq!(upstream.last().header("x-forwarded-for"), Some("127.0.0.1"));
    let refused = Gateway::refused(&format!(
        "[server]\nlisten = [\"127.0.0.1:0\"]\n{TRUSTED}\nproxy_protocol = \"optional\"\n[routes.github]\npath = \"/g\"\nprovider = \"github\"\nsecrets = [{{ value = \"{SECRET}\" }}]\n{ALLOWED}\nupstream = \"builtin:echo\"\n"
    ));
    assert!(refused.contains("proxy_protocol"), "{refused}");
}

#[test]
fn a_proxy_header_of_a_stranger_ends_the_connection() {
    let upstream = Upstream::start();
    for mode in ["required", "optional"] {
        let server = format!("trusted_proxies = [\"10.0.0.0/8\"]\nproxy_protocol = \"{mode}\"");
        let gateway = gateway(&upstream, &server, "");
        assert_eq!(behind(&gateway, V1, &[]), None, "{mode}");
        assert_eq!(behind(&gateway, V2, &[]), None, "{mode}");
    }
    assert_eq!(upstream.count(), 0);
}
