//! HTTP/2 with prior knowledge: the same promises as over HTTP/1.

use http::{HeaderMap, HeaderValue};

use crate::support::{Act, Gateway, Upstream, eventually, github, http2};

const SECRET: &str = "a-secret-of-16-bytes-or-more";

fn gateway(upstream: &Upstream) -> Gateway {
    Gateway::start(&format!(
        r#"
[admin]
listen = "127.0.0.1:0"
[routes.github]
host = "hooks.example.com"
path = "/github"
provider = "github"
secrets = [{{ value = "{SECRET}" }}]
upstream = "{}"
"#,
        upstream.url("")
    ))
}

async fn connect(gateway: &Gateway) -> http2::Sender {
    http2::over(tokio::net::TcpStream::connect(gateway.address).await.unwrap()).await
}

const URI: &str = "http://hooks.example.com/github?x=%20y&x=2";

#[test]
fn a_signed_delivery_arrives_byte_for_byte_and_once() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream);
    let body = "{\"a\" : 1,\r\n \"b\":\"\\u00e9é\"}\n\n\0".as_bytes();
    let signature = github(SECRET, body);
    let headers = [("x-hub-signature-256", signature.as_str()), ("x-github-event", "push")];
    http2::runtime().block_on(async {
        let mut sender = connect(&gateway).await;
        for expected in [200, 409] {
            let request = http2::post(URI, &headers, http2::full(body));
            let answer = http2::whole(sender.send_request(request).await.unwrap()).await;
            assert_eq!(answer.0, expected, "{}", answer.2);
            assert!(answer.1.contains_key("x-request-id"));
            assert!(!answer.1.contains_key("connection"));
        }
        let forged = github("another secret entirely", body);
        let headers = [("x-hub-signature-256", forged.as_str())];
        let request = http2::post(URI, &headers, http2::full(body));
        assert_eq!(http2::whole(sender.send_request(request).await.unwrap()).await.0, 401);
    });
    assert_eq!(upstream.count(), 1);
    let seen = upstream.last();
    assert_eq!(seen.body, body);
    assert_eq!(seen.target(), "/github?x=%20y&x=2");
    assert_eq!(seen.header("x-hub-signature-256"), Some(signature.as_str()));
    assert_eq!(seen.header("x-forwarded-host"), Some("hooks.example.com"));
    assert_eq!(seen.header("hookward-event-type"), Some("push"));
}

#[test]
fn two_hosts_are_one_too_many() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream);
    let signature = github(SECRET, b"{}");
    http2::runtime().block_on(async {
        let mut sender = connect(&gateway).await;
        for (host, expected) in [
            (&["other.example.com"][..], 400),
            (&["hooks.example.com", "other.example.com"], 400),
            (&["hooks.example.com", "hooks.example.com"], 400),
            (&["hooks.example.com@other.example.com"], 400),
            (&["Hooks.Example.com"], 200),
        ] {
            let mut headers = vec![("x-hub-signature-256", signature.as_str())];
            headers.extend(host.iter().map(|host| ("host", *host)));
            let request = http2::post(URI, &headers, http2::full(b"{}"));
            let (status, _, text) = http2::whole(sender.send_request(request).await.unwrap()).await;
            assert_eq!(status, expected, "{host:?} {text}");
            assert_eq!(text.contains("bad_request"), expected == 400);
        }
    });
    assert_eq!(upstream.count(), 1);
}

#[test]
fn what_was_sent_twice_stays_ambiguous() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream);
    let signature = github(SECRET, b"{}");
    http2::runtime().block_on(async {
        let mut sender = connect(&gateway).await;
        let twice = [("x-hub-signature-256", signature.as_str()); 2];
        let request = http2::post(URI, &twice, http2::full(b"{}"));
        let (status, _, text) = http2::whole(sender.send_request(request).await.unwrap()).await;
        assert_eq!(status, 400);
        assert!(text.contains("ambiguous_header"), "{text}");
    });
    assert_eq!(upstream.count(), 0);
}

#[test]
fn trailers_are_dropped() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream);
    let signature = github(SECRET, b"{}");
    http2::runtime().block_on(async {
        let mut sender = connect(&gateway).await;
        let mut trailers = HeaderMap::new();
        trailers.insert("x-trailer", HeaderValue::from_static("1"));
        trailers.insert("x-hub-signature-256", HeaderValue::from_static("sha256=00"));
        let headers = [("x-hub-signature-256", signature.as_str()), ("trailer", "x-trailer")];
        let request = http2::post(URI, &headers, http2::with_trailers(b"{}", trailers));
        assert_eq!(http2::whole(sender.send_request(request).await.unwrap()).await.0, 200);
    });
    let seen = upstream.last();
    assert_eq!(seen.header("x-trailer"), None);
    assert_eq!(seen.headers("x-hub-signature-256").collect::<Vec<_>>(), [signature.as_str()]);
    assert_eq!(seen.body, b"{}");
}

#[test]
fn a_reset_stream_does_not_undo_the_delivery() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream);
    upstream.next([Act::Gate]);
    let signature = github(SECRET, b"impatient");
    let headers = [("x-hub-signature-256", signature.as_str())];
    let post = || http2::post(URI, &headers, http2::full(b"impatient"));
    http2::runtime().block_on(async {
        let mut sender = connect(&gateway).await;
        let first = tokio::spawn(sender.send_request(post()));
        while upstream.count() == 0 {
            tokio::task::yield_now().await;
        }
        // Dropping the answer resets the stream; the connection stays.
        first.abort();
        assert!(first.await.unwrap_err().is_cancelled());
        let (status, headers, text) =
            http2::whole(sender.send_request(post()).await.unwrap()).await;
        assert_eq!(status, 503, "in flight although the stream is gone");
        assert!(text.contains("in_flight"), "{text}");
        assert!(headers.contains_key("retry-after"));
        upstream.open_gate();
        let mut last = 503;
        for _ in 0..2000 {
            last = http2::whole(sender.send_request(post()).await.unwrap()).await.0;
            if last != 503 {
                break;
            }
            tokio::task::yield_now().await;
        }
        assert_eq!(last, 409, "the upstream's status settled it");
    });
    assert_eq!(upstream.count(), 1);
    eventually(|| {
        gateway
            .metrics()
            .contains(r#"hookward_requests_total{route="github",decision="forwarded"} 1"#)
    });
}

#[test]
fn a_stream_that_is_reset_within_its_body_leaves_nothing() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream);
    let signature = github(SECRET, b"{}");
    http2::runtime().block_on(async {
        let mut sender = connect(&gateway).await;
        let headers = [("x-hub-signature-256", signature.as_str()), ("content-length", "3")];
        let request = http2::post(URI, &headers, http2::endless(b"{}"));
        let stalled = tokio::spawn(sender.send_request(request));
        while !gateway.metrics().contains("hookward_body_memory_bytes 2\n") {
            tokio::task::yield_now().await;
        }
        stalled.abort();
        let gone = r#"hookward_requests_total{route="github",decision="sender_gone"} 1"#;
        while !gateway.metrics().contains(gone) {
            tokio::task::yield_now().await;
        }
        assert!(gateway.metrics().contains("hookward_body_memory_bytes 0\n"));
        let headers = [("x-hub-signature-256", signature.as_str())];
        let request = http2::post(URI, &headers, http2::full(b"{}"));
        assert_eq!(http2::whole(sender.send_request(request).await.unwrap()).await.0, 200);
    });
    assert_eq!(upstream.count(), 1);
}

#[test]
fn a_body_of_another_length_than_was_said_is_no_delivery() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream);
    let signature = github(SECRET, b"{}");
    http2::runtime().block_on(async {
        for length in ["1", "3"] {
            let mut sender = connect(&gateway).await;
            let headers = [("x-hub-signature-256", signature.as_str()), ("content-length", length)];
            let request = http2::post(URI, &headers, http2::full(b"{}"));
            if let Ok(answer) = sender.send_request(request).await {
                assert_ne!(answer.status(), 200, "{length}");
            }
        }
    });
    assert_eq!(upstream.count(), 0);
}

#[test]
fn what_http2_itself_refuses_is_counted() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream);
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    // To hang up is no offence.
    for _ in 0..3 {
        gateway.connect().write(PREFACE);
    }
    // Headers of no stream.
    let mut client = gateway.connect();
    client.write(PREFACE).write(b"\0\0\0\x01\x05\0\0\0\0");
    assert!(client.read().is_none());
    eventually(|| gateway.metrics().contains("hookward_connections 0\n"));
    let counted = r#"hookward_requests_total{route="",decision="bad_request"} 1"#;
    let metrics = gateway.metrics();
    assert!(metrics.contains(counted), "{metrics}");
}
