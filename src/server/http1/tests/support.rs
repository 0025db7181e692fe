//! A connection that is played, and services for it.

use std::{
    convert::Infallible,
    future::{pending, poll_fn},
    pin::pin,
    task::Poll,
};

use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::service::service_fn;

use super::super::quick::{Ended, serve};
use crate::{
    body::AnswerBody,
    net::scripted::{Event, Wire},
    server::{Connection, Inbound, http1::differential::connection, watch::Phase},
};

pub(super) const LIMIT: usize = 4096;

/// How a connection was left: its end, what it was doing, and what was written.
#[derive(Debug)]
pub(super) struct Left {
    pub(super) end: Option<&'static str>,
    pub(super) phase: Phase,
    pub(super) written: String,
}

impl Left {
    pub(super) fn answers(&self) -> usize {
        self.written.matches("HTTP/1.1 ").count()
    }
}

/// Plays events; at the moment of each number of `drains`, the connection is told to end.
pub(super) fn play<F>(
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
        pending::<Infallible>().await
    };
    let (mut told, mut serving) = (pin!(told), pin!(serving));
    poll_fn(|cx| {
        if after.is_some() {
            let Poll::Pending = told.as_mut().poll(cx);
        }
        serving.as_mut().poll(cx)
    })
    .await
}

/// Answers with target and body, or with `broken` where the body breaks off.
pub(super) async fn echo(request: Request<Inbound>, _: Wire) -> Response<AnswerBody> {
    let (head, body) = request.into_parts();
    let text = match read(body).await {
        Some(body) => format!("<{} {}>", head.uri, String::from_utf8_lossy(&body)),
        None => "<broken>".to_owned(),
    };
    Response::new(AnswerBody::Fixed(text.into()))
}

/// The whole body; nothing if it breaks off.
pub(super) async fn read(mut body: Inbound) -> Option<Vec<u8>> {
    let mut all = Vec::new();
    while let Some(frame) = body.frame().await {
        all.extend(frame.ok()?.into_data().ok()?);
    }
    Some(all)
}

pub(super) fn sends(bytes: impl AsRef<[u8]>) -> Event {
    Event::Sends(bytes.as_ref().to_vec())
}

pub(super) fn post(path: &str, body: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}
