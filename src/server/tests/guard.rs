//! Refusals and endings as a sender sees them.

use std::{io::Write, time::Instant};

use super::support::{TestServer, post};

#[test]
fn a_refusal_comes_after_the_answers_before_it_and_ends_the_connection() {
    let server = TestServer::start(|_| {});
    let mut client = server.client();
    let bad = "GET /#x HTTP/1.1\r\nHost: a\r\n\r\n";
    client.send(format!("{}{}{bad}{}", post("/slow", "one"), post("/two", ""), post("/three", "")));
    let answers = client.rest();
    let order = ["path=/slow body=Some(3)", "path=/two", "400 Bad Request", "fault: a fragment"];
    let mut rest = answers.as_str();
    for part in order {
        (_, rest) = rest.split_once(part).unwrap_or_else(|| panic!("{part} in {answers}"));
    }
    assert!(answers.contains("connection: close") && !answers.contains("/three"), "{answers}");
}

#[test]
fn a_head_byte_by_byte_is_one_head() {
    let server = TestServer::start(|_| {});
    let mut client = server.client();
    for byte in format!("{}{}", post("/", "hello"), "\r\n").bytes() {
        client.send([byte]);
    }
    assert!(client.answer().contains("body=Some(5)"));
    assert!(client.send(post("/again", "x")).answer().contains("path=/again"));
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r");
    client.send("\n");
    client.send("\r\nx");
    assert!(client.rest().contains("fault: Content-Length is there twice"));
}

#[test]
fn an_endless_head_is_refused_without_its_end() {
    let server = TestServer::start(|_| {});
    let mut client = server.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nX: ").send("y".repeat(5000));
    assert!(client.rest().contains("larger than header_bytes"));
}

#[test]
fn a_large_head_within_the_limit_passes() {
    let server = TestServer::start(|config| config.limits.header_bytes = 60_000);
    let mut client = server.client();
    let large = format!("X: {}\r\nHost", "y".repeat(50_000));
    for _ in 0..2 {
        client.send(post("/", "12345").replace("Host", &large));
        assert!(client.answer().contains("body=Some(5)"));
    }
}

#[test]
fn a_chunked_request_is_the_last() {
    let server = TestServer::start(|_| {});
    let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    for path in ["/", "/slow", "/unread"] {
        let mut client = server.client();
        let head = head.replace("POST /", &format!("POST {path}"));
        client.send(format!("{head}3\r\nabc\r\n0\r\n\r\n{}", post("/smuggled", "")));
        let answers = client.rest();
        assert_eq!(answers.matches("HTTP/1.1 ").count(), 1, "{answers}");
        assert!(!answers.contains("/smuggled"));
        assert!(path == "/unread" || answers.contains("body=Some(3)"), "{answers}");
    }
}

#[test]
fn an_answer_is_seen_though_the_body_was_not_read() {
    let server = TestServer::start(|_| {});
    for size in [200_000, 1 << 20] {
        for _ in 0..5 {
            let mut client = server.client();
            let mut request = post("/unread", "");
            request = request.replace("Length: 0", &format!("Length: {size}"));
            client.send(request);
            for _ in 0..size / 50_000 {
                if client.0.write_all(&[b'x'; 50_000]).is_err() {
                    break;
                }
            }
            let begun = Instant::now();
            assert!(client.rest().starts_with("HTTP/1.1 413"), "{size}");
            assert!(begun.elapsed().as_secs() < 3);
        }
    }
}

#[test]
fn a_sender_that_closes_its_side_is_still_answered() {
    let server = TestServer::start(|_| {});
    let mut client = server.client();
    client.send(post("/slow", "x")).finish();
    assert!(client.rest().contains("path=/slow body=Some(1)"));
}

#[test]
fn an_end_within_a_head_or_a_body_is_no_request() {
    let server = TestServer::start(|_| {});
    for part in ["", "\r\n", "POST / HTTP", "POST / HTTP/1.1\r\nHost: a\r\n"] {
        assert_eq!(server.client().send(part).finish().rest(), "", "{part:?}");
    }
    let mut client = server.client();
    client.send(post("/", "12345").trim_end_matches('5')).finish();
    assert!(client.rest().contains("body=None"));
}

#[test]
fn as_many_header_lines_as_the_library_takes() {
    let server = TestServer::start(|_| {});
    let with = |lines: usize| {
        let lines = "X: y\r\n".repeat(lines);
        format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}Connection: close\r\n\r\n")
    };
    assert!(server.client().send(with(98)).rest().contains("200 OK"));
    assert!(server.client().send(with(99)).rest().contains("fault: more than 100 header lines"));
}
