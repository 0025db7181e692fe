//! What the own reader promises, over a scripted connection.

use std::{
    convert::Infallible,
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response, header};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::{ext::ReasonPhrase, service::service_fn};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::quick::{Ended, serve};
use crate::{
    body::{AnswerBody, AnswerError},
    net::scripted::{Event, Wire},
    server::{
        Connection, Inbound,
        http1::differential::{boxed, connection},
        watch::Phase,
    },
};

const LIMIT: usize = 4096;

/// How a connection was left: its end, what it was doing, and what was written.
#[derive(Debug)]
struct Left {
    end: Option<&'static str>,
    phase: Phase,
    written: String,
}

impl Left {
    fn answers(&self) -> usize {
        self.written.matches("HTTP/1.1 ").count()
    }
}

/// Plays events; at the moment of each number of `drains`, the connection is told to end.
fn play<F>(
    events: Vec<Event>,
    drains: Option<usize>,
    answer: impl Fn(Request<Inbound>, Wire) -> F + Send + 'static,
) -> Left
where
    F: Future<Output = Response<AnswerBody>> + Send + 'static,
{
    let (wire, connection) = (Wire::new(usize::MAX), connection());
    let of = wire.clone();
    let service = service_fn(move |request| {
        let answered = answer(request, of.clone());
        async { Ok::<_, Infallible>(answered.await) }
    });
    let end = wire.play(
        events,
        drained(&wire, &connection, drains, async {
            match serve(wire.clone(), &connection, service, LIMIT).await {
                Ended::Other { unread, .. } if unread.is_empty() => {
                    "other, of which nothing is there"
                }
                Ended::Other { .. } => "other",
                Ended::Done(_) => "done",
                Ended::Broken => "broken",
            }
        }),
    );
    let written = String::from_utf8_lossy(&wire.written()).into_owned();
    Left { end, phase: connection.watch().phase(), written }
}

async fn drained<T>(
    wire: &Wire,
    connection: &Connection,
    after: Option<usize>,
    serving: impl Future<Output = T>,
) -> T {
    let told = async {
        for _ in 0..after.unwrap_or(usize::MAX) {
            wire.next_event().await;
        }
        connection.watch().drain();
        std::future::pending::<()>().await;
    };
    let (mut told, mut serving) = (pin!(told), pin!(serving));
    poll_fn(|cx| {
        if after.is_some() {
            let _ = told.as_mut().poll(cx);
        }
        serving.as_mut().poll(cx)
    })
    .await
}

/// Answers with target and body, or with `broken` where the body breaks off.
async fn echo(request: Request<Inbound>, _: Wire) -> Response<AnswerBody> {
    let (head, body) = request.into_parts();
    let text = match body.collect().await {
        Ok(body) => format!("<{} {}>", head.uri, String::from_utf8_lossy(&body.to_bytes())),
        Err(_) => "<broken>".to_owned(),
    };
    Response::new(AnswerBody::Fixed(text.into()))
}

fn sends(bytes: impl AsRef<[u8]>) -> Event {
    Event::Sends(bytes.as_ref().to_vec())
}

fn post(path: &str, body: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

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
    assert_eq!(play(vec![sends("")], Some(1), echo).end, Some("done"));
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

#[test]
fn a_body_is_read_as_it_arrives() {
    let pieces = Arc::new(Mutex::new(Vec::new()));
    let seen = pieces.clone();
    let whole = post("/", "0123456789");
    let (head, body) = whole.split_at(whole.len() - 10);
    let mut events = vec![sends(head)];
    events.extend([&body[..3], &body[3..4], &body[4..]].map(sends));
    events.push(sends(post("/next", "")));
    let left = play(events, None, move |request, _| {
        let seen = seen.clone();
        async move {
            let mut body = request.into_body();
            while let Some(frame) = body.frame().await {
                seen.lock().unwrap().push(frame.unwrap().into_data().unwrap());
            }
            Response::new(AnswerBody::empty())
        }
    });
    assert_eq!(*pieces.lock().unwrap(), ["012", "3", "456789"]);
    assert_eq!((left.answers(), left.phase), (2, Phase::Idle));
}

#[test]
fn a_small_piece_holds_no_large_buffer() {
    let held = Arc::new(Mutex::new(0));
    let seen = held.clone();
    let head = post("/", "").replace("Length: 0", "Length: 1000000");
    play(vec![sends(head), sends("x")], None, move |request, _| {
        let seen = seen.clone();
        async move {
            let data = request.into_body().frame().await.unwrap().unwrap().into_data().unwrap();
            *seen.lock().unwrap() = data.try_into_mut().unwrap().capacity();
            std::future::pending().await
        }
    });
    assert!((1..1024).contains(&*held.lock().unwrap()), "{held:?}");
}

#[test]
fn a_body_that_nobody_reads_ends_the_connection_unless_it_is_there() {
    let unread = |_, _| async { Response::new(AnswerBody::Fixed(Bytes::from_static(b"no"))) };
    let left = play(vec![sends(post("/", "12345") + &post("/", "x"))], None, unread);
    assert_eq!((left.end, left.answers(), left.phase), (None, 2, Phase::Idle));
    let whole = post("/", "12345");
    let part = &whole[..whole.len() - 1];
    for events in [vec![sends(part)], vec![sends(part), sends("5"), sends(post("/", ""))]] {
        let left = play(events, None, unread);
        assert_eq!((left.end, left.answers()), (Some("done"), 1));
        assert!(left.written.contains("connection: close\r\n"));
    }
}

#[test]
fn a_sender_that_is_gone_within_the_body() {
    let whole = post("/", "12345");
    for end in [Event::Finishes, Event::Breaks] {
        let left = play(vec![sends(&whole[..whole.len() - 1]), end.clone()], None, echo);
        if end == Event::Finishes {
            assert_eq!((left.end, left.answers()), (Some("done"), 1));
            assert!(
                left.written.contains("<broken>") && left.written.contains("connection: close")
            );
        } else {
            assert_eq!(left.end, Some("broken"));
        }
    }
    let left = play(vec![sends("POST / HTTP/1.1\r\nHos"), Event::Finishes], None, echo);
    assert_eq!((left.end, left.answers()), (Some("done"), 0));
}

#[test]
fn a_body_that_is_read_elsewhere_arrives_and_ends() {
    let (ended, seen) = (Arc::new(Mutex::new(None)), Arc::new(Mutex::new(None)));
    let (end, body) = (ended.clone(), seen.clone());
    let whole = post("/", "12345");
    let part = &whole[..whole.len() - 1];
    // The answer does not wait for who has the body.
    play(vec![sends(part)], None, move |request, _| {
        *body.lock().unwrap() = Some(request.into_body());
        async { Response::new(AnswerBody::empty()) }
    });
    let mut body = seen.lock().unwrap().take().unwrap();
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    while end.lock().unwrap().is_none() {
        match pin!(body.frame()).poll(&mut cx) {
            Poll::Ready(Some(Ok(frame))) => assert_eq!(frame.into_data().unwrap(), "1234"),
            Poll::Ready(Some(Err(_))) => *end.lock().unwrap() = Some("broken"),
            Poll::Ready(None) => *end.lock().unwrap() = Some("whole"),
            Poll::Pending => *end.lock().unwrap() = Some("it waits for ever"),
        }
    }
    assert_eq!(*ended.lock().unwrap(), Some("broken"));
}

#[test]
fn an_answer_has_its_own_words() {
    let answered = |status: u16, change: fn(&mut Response<AnswerBody>)| {
        let left = play(vec![sends(post("/", ""))], None, move |_, _| async move {
            let mut response = Response::new(AnswerBody::empty());
            *response.status_mut() = status.try_into().unwrap();
            change(&mut response);
            response
        });
        let (head, body) = left.written.split_once("\r\n\r\n").unwrap();
        let lines: Vec<_> = head.lines().filter(|line| !line.starts_with("date")).collect();
        (lines.join("|"), body.to_owned())
    };
    let is = |status, change, head: &str, body: &str| {
        assert_eq!(answered(status, change), (head.to_owned(), body.to_owned()));
    };
    is(200, |_| {}, "HTTP/1.1 200 OK|content-length: 0", "");
    is(599, |_| {}, "HTTP/1.1 599 <none>|content-length: 0", "");
    is(204, |r| *r.body_mut() = AnswerBody::Fixed("x".into()), "HTTP/1.1 204 No Content", "");
    let length = |r: &mut Response<AnswerBody>| {
        r.headers_mut().insert(header::CONTENT_LENGTH, 9.into());
        r.headers_mut().insert(header::TRANSFER_ENCODING, "chunked".parse().unwrap());
    };
    is(304, length, "HTTP/1.1 304 Not Modified|content-length: 9", "");
    is(204, length, "HTTP/1.1 204 No Content", "");
    // What it says of its body does not count where we know better.
    is(200, length, "HTTP/1.1 200 OK|content-length: 0", "");
    let reason = |r: &mut Response<AnswerBody>| {
        r.extensions_mut().insert(ReasonPhrase::from_static(b"Made So"));
        r.headers_mut().append("x", "1".parse().unwrap());
        r.headers_mut().append("x", "2".parse().unwrap());
    };
    is(201, reason, "HTTP/1.1 201 Made So|x: 1|x: 2|content-length: 0", "");
}

#[test]
fn a_large_answer_is_whole() {
    let large: String = (0..200_000).map(|n| char::from(b'a' + (n % 26) as u8)).collect();
    let body = Bytes::from(large.clone());
    let left = play(vec![sends(post("/1", "") + &post("/2", ""))], None, move |_, _| {
        let body = body.clone();
        async { Response::new(AnswerBody::Fixed(body)) }
    });
    assert_eq!((left.answers(), left.written.matches(&large).count()), (2, 2));
}

/// A body of these pieces, then of an error if one is said; with the length that is announced.
struct Pieces(Vec<Bytes>, bool, Option<u64>);

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = AnswerError;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, AnswerError>>> {
        let me = self.get_mut();
        if !me.0.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(me.0.remove(0)))));
        }
        Poll::Ready(std::mem::take(&mut me.1).then(|| Err("it broke off".into())))
    }

    fn size_hint(&self) -> SizeHint {
        self.2.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// What is sent of such a body, and how the connection ends.
fn streamed(
    pieces: &[&'static str],
    breaks: bool,
    length: Option<u64>,
) -> (Option<&'static str>, String) {
    let pieces: Vec<_> = pieces.iter().map(|piece| Bytes::from_static(piece.as_bytes())).collect();
    let left = play(vec![sends(post("/", "")), Event::Finishes], None, move |_, _| {
        let body = Pieces(pieces.clone(), breaks, length);
        async { Response::new(boxed(body).await) }
    });
    let body = left.written.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
    (left.end, body.unwrap_or_default())
}

#[test]
fn a_body_of_unknown_length_is_chunked() {
    assert_eq!(
        streamed(&["one", "", "seventeen letters"], false, None),
        (Some("done"), "3\r\none\r\n11\r\nseventeen letters\r\n0\r\n\r\n".to_owned())
    );
    assert_eq!(streamed(&[], false, None), (Some("done"), "0\r\n\r\n".to_owned()));
    assert_eq!(streamed(&["one", "two"], false, Some(6)), (Some("done"), "onetwo".to_owned()));
    assert_eq!(streamed(&[], false, Some(0)), (Some("done"), String::new()));
}

/// Whoever reads it must not take it for the whole.
#[test]
fn an_answer_that_breaks_off_has_no_end() {
    for (pieces, breaks, length) in [
        (&["one"][..], true, None),
        (&[], true, None),
        (&["one"], true, Some(4)),
        (&["one"], false, Some(4)),
        (&[], false, Some(1)),
        (&["one", "two"], false, Some(4)),
    ] {
        let (end, body) = streamed(pieces, breaks, length);
        assert_eq!(end, Some("broken"), "{pieces:?} {length:?}");
        assert!(
            !body.ends_with("0\r\n\r\n") && (body.len() as u64) < length.unwrap_or(9),
            "{body}"
        );
    }
}

/// Such as one that is spawned: the connection has to hear that something is asked for.
#[tokio::test]
async fn a_body_that_another_task_reads_arrives() {
    let (mut near, far) = tokio::io::duplex(1024);
    let service = service_fn(|request: Request<Inbound>| async {
        let read = tokio::spawn(async {
            // So late that the connection is at rest.
            tokio::task::yield_now().await;
            request.into_body().collect().await.map(|body| body.to_bytes())
        });
        let bytes = read.await.unwrap().unwrap();
        Ok::<_, Infallible>(Response::new(AnswerBody::Fixed(bytes)))
    });
    let serving = tokio::spawn(async move {
        serve(far, &connection(), service, LIMIT).await;
    });
    let whole = post("/", "12345");
    let (part, rest) = whole.split_at(whole.len() - 3);
    near.write_all(part.as_bytes()).await.unwrap();
    tokio::task::yield_now().await;
    near.write_all(rest.as_bytes()).await.unwrap();
    near.shutdown().await.unwrap();
    let mut answer = String::new();
    let read = near.read_to_string(&mut answer);
    tokio::time::timeout(std::time::Duration::from_secs(10), read).await.unwrap().unwrap();
    assert!(answer.ends_with("12345"), "{answer}");
    serving.await.unwrap();
}
