//! What arrives at the receiver, and what comes back.

use std::sync::Arc;

use http::{HeaderName, HeaderValue, StatusCode};

use super::{
    receiver::{Act, Receiver, ok, write},
    *,
};

fn lines(request: &str) -> Vec<&str> {
    let mut lines: Vec<_> = request.split("\r\n").collect();
    // The order of headers is free; request line first, body last.
    let body = lines.len() - 2;
    lines[1..body].sort_unstable();
    lines
}

#[tokio::test]
async fn the_request_arrives_byte_for_byte() {
    let receiver = Receiver::answering("fine").await;
    let upstream = to(&receiver.url(""));
    let head = Request::put("/a//b/%2e%2F%c3;v=1?x=%20+&y&&")
        .header("Host", "Hooks.Example.com")
        .header("Content-Type", "application/json; charset=\"utf-8\"")
        .header("X-Raw", HeaderValue::from_bytes(b"\xc3\x28\t;").unwrap())
        .header("Content-Encoding", "gzip")
        .body(())
        .unwrap();
    let body = b"\x1f\x8b\r\n\0 {\"a\": 1 ,  \"a\":2}\n".as_slice();
    let sent =
        upstream.exchange(&outgoing(), &head.into_parts().0, body.into()).await.result.unwrap();
    assert_eq!(read(sent.response.into_body()).await.unwrap(), b"fine");
    let raw = receiver.raw().remove(0);
    assert!(raw.ends_with(body));
    assert!(raw.windows(13).any(|part| part == b"x-raw: \xc3\x28\t;\r\n"), "{raw:?}");
    let seen = receiver.requests().remove(0);
    assert!(seen.starts_with("PUT /a//b/%2e%2F%c3;v=1?x=%20+&y&& HTTP/1.1\r\n"), "{seen}");
    assert!(seen.contains("\r\ncontent-type: application/json; charset=\"utf-8\"\r\n"));
    assert!(seen.contains("\r\ncontent-encoding: gzip\r\n"));
}

#[tokio::test]
async fn the_receiver_learns_what_the_gateway_knows() {
    let receiver = Receiver::answering("").await;
    let mut settings = settings(&[&receiver.url("/in")]);
    settings.headers = vec![(HeaderName::from_static("x-team"), HeaderValue::from_static("a"))];
    assert_eq!(delivered(&build(&settings), b"{}").await.0, 200);
    let seen = receiver.requests().remove(0);
    let host = format!("host: {}", receiver.address);
    assert_eq!(
        lines(&seen),
        [
            "POST /in?b=c HTTP/1.1",
            "content-length: 2",
            "hookward-event-id: evt_1",
            "hookward-event-type: Push Hook",
            "hookward-key-id: 2026",
            "hookward-provider: provider",
            "hookward-route: route",
            "hookward-verified: signature, replay",
            &host,
            "x-forwarded-for: 192.0.2.7",
            "x-forwarded-host: hooks.example.com",
            "x-forwarded-proto: https",
            "x-request-id: 0123",
            "x-team: a",
            "",
            "{}",
        ]
    );
}

#[tokio::test]
async fn http2_requests_and_configured_hosts_arrive_as_http1() {
    let receiver = Receiver::answering("").await;
    let mut settings = settings(&[&receiver.url("")]);
    settings.headers = vec![(http::header::HOST, HeaderValue::from_static("inner"))];
    let mut head = Request::post("https://hooks.example.com/a?b").body(()).unwrap().into_parts().0;
    head.version = http::Version::HTTP_2;
    build(&settings).exchange(&outgoing(), &head, Bytes::new()).await.result.unwrap();
    let seen = receiver.requests().remove(0);
    assert!(seen.starts_with("POST /a?b HTTP/1.1\r\n"), "{seen}");
    assert!(seen.contains("\r\nhost: inner\r\n") && seen.contains("\r\ncontent-length: 0\r\n"));
    assert!(seen.contains("\r\nx-forwarded-host: hooks.example.com\r\n"));
}

#[tokio::test]
async fn a_routes_remainder_is_appended() {
    let receiver = Receiver::answering("").await;
    let upstream = to(&receiver.url("/hooks"));
    let out = Outgoing { remainder: Some((3, 8)), ..outgoing() };
    upstream.exchange(&out, &post("/x/a%2Fb?q"), Bytes::new()).await.result.unwrap();
    assert!(receiver.requests()[0].starts_with("POST /hooks/a%2Fb?q HTTP/1.1\r\n"));
}

#[tokio::test]
async fn the_answer_comes_back_unchanged() {
    let answer = "HTTP/1.1 422 Not Quite\r\nContent-Type: text/plain\r\nX-Twice: 1\r\n\
                  Connection: X-Hop\r\nX-Hop: 1\r\nX-Request-Id: theirs\r\nX-Twice: 2\r\n\
                  Content-Length: 3\r\n\r\nno\n";
    let receiver = Receiver::start([vec![Act::Read, write(answer)]]).await;
    let answer = send(&to(&receiver.url("")), b"{}").await.unwrap();
    assert_eq!(answer.status, 422);
    let reason = answer.response.extensions().get::<hyper::ext::ReasonPhrase>().unwrap();
    assert_eq!(reason.as_bytes(), b"Not Quite");
    let headers: Vec<_> = answer.response.headers().iter().collect();
    let headers: Vec<_> = headers.iter().map(|(k, v)| (k.as_str(), v.as_bytes())).collect();
    let expected: [(_, &[u8]); 4] = [
        ("content-type", b"text/plain"),
        ("x-twice", b"1"),
        ("x-twice", b"2"),
        ("content-length", b"3"),
    ];
    assert_eq!(headers, expected);
    assert_eq!(read(answer.response.into_body()).await.unwrap(), b"no\n");
}

#[tokio::test]
async fn a_chunked_answer_is_streamed_as_it_arrives() {
    let gate = Arc::new(tokio::sync::Notify::new());
    let receiver = Receiver::start([vec![
        Act::Read,
        write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n3\r\none\r\n"),
        Act::Wait(gate.clone()),
        write("3\r\ntwo\r\n0\r\n\r\n"),
        Act::Stall,
    ]])
    .await;
    let answer = send(&to(&receiver.url("")), b"{}").await.unwrap();
    assert!(answer.response.headers().is_empty(), "{:?}", answer.response.headers());
    let mut body = answer.response.into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "one");
    gate.notify_one();
    assert_eq!(read(body).await.unwrap(), b"two");
}

#[tokio::test]
async fn informational_answers_are_passed_over() {
    let receiver = Receiver::start([[
        vec![
            Act::Read,
            write("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"),
        ],
        vec![write("HTTP/1.1 204 No Content\r\n\r\n")],
        ok("next").to_vec(),
    ]
    .concat()])
    .await;
    let upstream = to(&receiver.url(""));
    assert_eq!(delivered(&upstream, b"{}").await, (204, String::new()));
    assert_eq!(delivered(&upstream, b"{}").await, (200, "next".to_owned()));
    assert_eq!(receiver.connections(), 1);
}

#[tokio::test]
async fn a_mapped_status_is_the_senders_only() {
    let gone = "HTTP/1.1 410 Gone\r\nContent-Length: 4\r\n\r\ngone";
    let receiver = Receiver::start([vec![Act::Read, write(gone), Act::Read, write(gone)]]).await;
    let mut settings = settings(&[&receiver.url("")]);
    settings.map_status.insert(410, StatusCode::SERVICE_UNAVAILABLE);
    let answer = send(&build(&settings), b"{}").await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.response.status().as_u16()), (410, 503));
    assert_eq!(read(answer.response.into_body()).await.unwrap(), b"gone");
    // A status without a body gets none.
    settings.map_status.insert(410, StatusCode::NOT_MODIFIED);
    let answer = send(&build(&settings), b"{}").await.unwrap();
    assert!(answer.response.headers().is_empty());
    assert_eq!(read(answer.response.into_body()).await.unwrap(), b"");
}

#[tokio::test]
async fn requests_are_signed_anew_over_the_same_body() {
    let receiver = Receiver::answering("").await;
    let mut settings = settings(&[&receiver.url("")]);
    settings.sign = vec![Arc::new(model::SigningKey(b"k".to_vec().into()))];
    let mut head = post("/");
    for name in ["webhook-id", "webhook-signature", "webhook_signature"] {
        head.headers.append(name, HeaderValue::from_static("theirs"));
    }
    build(&settings).exchange(&outgoing(), &head, Bytes::from_static(b"{}")).await.result.unwrap();
    let seen = receiver.requests().remove(0);
    for line in
        ["webhook-id: evt_1\r\n", "webhook-timestamp: 1760000000\r\n", "webhook-signature: v1,"]
    {
        assert!(seen.contains(&format!("\r\n{line}")), "{seen}");
    }
    assert!(!seen.contains("theirs"), "{seen}");
}

#[tokio::test]
async fn the_builtin_echo_sees_what_a_receiver_would() {
    let (status, body) = delivered(&to("builtin:echo"), b"{\"a\":1}").await;
    let value: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &value["path"], &value["query"]), (200, &"/a".into(), &"b=c".into()));
    assert_eq!(value["body"], "{\"a\":1}");
    assert_eq!(value["hookward"]["verified"], "signature, replay");
    assert_eq!(value["headers"]["x-forwarded-host"], "hooks.example.com");
}
