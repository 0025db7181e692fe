//! One request after the other, and the end.

use http::{Response, header};

use super::support::{echo, play, post, sends};
use crate::{body::AnswerBody, net::scripted::Event, server::watch::Phase};

#[test]
fn one_after_the_other_and_all_at_once() {
    for events in [
        vec![sends(post("/1", "one")), sends(post("/2", "")), sends(post("/3", "three"))],
        vec![sends([post("/1", "one"), post("/2", ""), post("/3", "three")].concat())],
        [post("/1", "one"), post("/2", ""), post("/3", "three")]
            .concat()
            .bytes()
            .map(|byte| sends([byte]))
            .collect(),
    ] {
        let left = play(events.clone(), None, echo);
        assert_eq!((left.end, left.phase), (None, Phase::Idle));
        assert_eq!(left.answers(), 3);
        let order: Vec<_> = left.written.split('<').skip(1).map(|s| s.split('>').next()).collect();
        assert_eq!(order, [Some("/1 one"), Some("/2 "), Some("/3 three")]);
        let left = play([events, vec![Event::Finishes]].concat(), None, echo);
        assert_eq!((left.end, left.answers()), (Some("done"), 3));
        assert!(!left.written.contains("connection: close"));
    }
}

#[test]
fn whoever_asks_for_the_end_gets_it() {
    let close = |how: &str| post("/1", "").replace("Host", &format!("{how}\r\nHost"));
    for how in ["Connection: close", "connection: x, CLOSE", "Connection: x\r\nConnection:close ,y"]
    {
        let left = play(vec![sends(close(how) + &post("/2", ""))], None, echo);
        assert_eq!((left.end, left.answers()), (Some("done"), 1), "{how}");
        assert!(left.written.contains("connection: close\r\n"));
    }
    let left = play(vec![sends(post("/1", "") + &post("/2", ""))], None, |_, _| async {
        let builder = Response::builder().header(header::CONNECTION, "close");
        builder.body(AnswerBody::empty()).unwrap()
    });
    assert_eq!((left.end, left.answers()), (Some("done"), 1));
    assert_eq!(left.written.matches("connection: close").count(), 1);
}

#[test]
fn each_phase_has_its_name() {
    let phase = |parts: &[&str]| {
        let left = play(parts.iter().map(sends).collect(), None, echo);
        assert_eq!(left.end, None);
        left.phase
    };
    let whole = post("/", "x");
    let part = whole.strip_suffix('x').unwrap();
    assert_eq!(phase(&[]), Phase::Silent);
    assert_eq!(phase(&["\r\n"]), Phase::Silent);
    assert_eq!(phase(&["POST"]), Phase::Head);
    assert_eq!(phase(&[part]), Phase::Busy);
    assert_eq!(phase(&[&whole]), Phase::Idle);
    assert_eq!(phase(&[&whole, "\r\n"]), Phase::Idle);
    assert_eq!(phase(&[&whole, "POST"]), Phase::Head);
    assert_eq!(phase(&[&whole, part]), Phase::Busy);
}

#[test]
fn a_drain_ends_idleness_and_lets_finish_what_has_begun() {
    let whole = post("/", "x");
    let (part, body) = whole.split_at(whole.len() - 1);
    let (begun, rest) = part.split_at(9);
    // Idle, and before the first request.
    let left = play(vec![sends(&whole), sends("\r\n"), sends("")], Some(2), echo);
    assert_eq!((left.end, left.answers()), (Some("done"), 1));
    let left = play(vec![sends("")], Some(1), echo);
    // Its supervisor ends it.
    assert_eq!((left.end, left.phase), (None, Phase::Silent));
    // Within a head, and within a body.
    for events in [[begun, rest, body], [part, "", body]] {
        let left = play(events.iter().map(sends).collect(), Some(2), echo);
        assert_eq!((left.end, left.answers()), (Some("done"), 1), "{events:?}");
        assert!(left.written.contains("connection: close\r\n") && left.written.contains("</ x>"));
    }
}

#[test]
fn what_is_not_plain_is_left_as_it_came() {
    let rest = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    for rest in [
        rest.to_owned(),
        format!("\r\n{}", post("/", "")),
        post("/", "").replace("1.1", "1.0"),
        post("/", "").replace("Host", "Expect: 100-continue\r\nHost"),
        post("/", "").replace("Host", "Upgrade: x\r\nHost"),
        post("/", "").replace("Content-Length: 0", "Transfer-Encoding: chunked"),
        post("/", "").replace("Host: a\r\n", ""),
        post("/", "").replace('\r', ""),
        format!("POST / HTTP/1.1\r\nX: {}", "y".repeat(5000)),
    ] {
        let left = play(vec![sends(post("/1", "one") + &rest)], None, echo);
        assert_eq!((left.end, left.answers()), (Some("other"), 1), "{rest}");
    }
}
