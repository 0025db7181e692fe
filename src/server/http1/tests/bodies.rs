//! Bodies of requests, and who reads them.

use std::{
    convert::Infallible,
    pin::pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::service::service_fn;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{
    super::quick::serve,
    support::{LIMIT, echo, play, post, read, sends},
};
use crate::{
    body::AnswerBody,
    net::scripted::Event,
    server::{Inbound, http1::differential::connection, watch::Phase},
};

#[test]
fn a_body_is_read_as_it_arrives() {
    let pieces = Arc::new(Mutex::new(Vec::new()));
    let seen = pieces.clone();
    let whole = post("/", "0123456789");
    let (head, body) = whole.split_at(whole.len() - 10);
    let mut events = vec![sends(head)];
    let (first, rest) = body.split_at(3);
    let (second, third) = rest.split_at(1);
    events.extend([first, second, third].map(sends));
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
    let (part, _) = whole.split_at(whole.len() - 1);
    for events in [vec![sends(part)], vec![sends(part), sends("5"), sends(post("/", ""))]] {
        let left = play(events, None, unread);
        assert_eq!((left.end, left.answers()), (Some("done"), 1));
        assert!(left.written.contains("connection: close\r\n"));
    }
}

#[test]
fn a_sender_that_is_gone_within_the_body() {
    let whole = post("/", "12345");
    let (part, _) = whole.split_at(whole.len() - 1);
    for end in [Event::Finishes, Event::Breaks] {
        let left = play(vec![sends(part), end.clone()], None, echo);
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
    let (part, _) = whole.split_at(whole.len() - 1);
    // The answer does not wait for who has the body.
    play(vec![sends(part)], None, move |request, _| {
        *body.lock().unwrap() = Some(request.into_body());
        async { Response::new(AnswerBody::empty()) }
    });
    let mut body = seen.lock().unwrap().take().unwrap();
    let mut cx = Context::from_waker(Waker::noop());
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

/// Such as one that is spawned: the connection has to hear that something is asked for.
#[tokio::test]
async fn a_body_that_another_task_reads_arrives() {
    let (mut near, far) = tokio::io::duplex(1024);
    let service = service_fn(|request: Request<Inbound>| async {
        let read = tokio::spawn(async {
            // So late that the connection is at rest.
            tokio::task::yield_now().await;
            read(request.into_body()).await
        });
        let bytes = read.await.unwrap().unwrap();
        Ok::<_, Infallible>(Response::new(AnswerBody::Fixed(bytes.into())))
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
