//! Answers as they are written.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Response, header};
use http_body::{Frame, SizeHint};
use hyper::ext::ReasonPhrase;

use super::support::{play, post, sends};
use crate::{
    body::{AnswerBody, AnswerError},
    net::scripted::Event,
    server::http1::differential::boxed,
};

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
