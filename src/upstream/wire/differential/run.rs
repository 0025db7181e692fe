//! Plays an answer to either client.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    sync::{Mutex, PoisonError},
    task::{Context, Poll, Waker},
};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::{client::conn::http1::handshake, ext::ReasonPhrase};
use hyper_util::rt::TokioIo;

use super::super::answer::{BadAnswer, read};
use crate::net::{
    scratch,
    scripted::{Event, Wire, cut},
};

/// So many bytes of an input say how the rest is played.
pub(super) const CONTROL: usize = 8;

/// One answer.
#[derive(Clone, Debug)]
pub(super) struct Script {
    pub(super) to_head: bool,
    pub(super) events: Vec<Event>,
}

impl Script {
    /// Reads an input; nothing if it is too short to be one.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let ([method, end, sizes @ ..], bytes) = bytes.split_first_chunk::<CONTROL>()?;
        let sizes: Vec<_> = sizes.iter().map(|size| usize::from(*size)).collect();
        let mut events = cut(bytes, &sizes);
        events.extend(match end % 4 {
            0 | 1 => Some(Event::Finishes),
            2 => Some(Event::Breaks),
            _ => None,
        });
        Some(Self { to_head: method % 4 == 0, events })
    }
}

/// What a client made of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) head: Option<(StatusCode, Option<ReasonPhrase>, HeaderMap)>,
    pub(super) body: Vec<u8>,
    pub(super) ended: Ended,
    /// Whether the connection may serve another request.
    pub(super) reusable: bool,
    /// Why the own reader would not have it.
    pub(super) refused: Option<Refused>,
}

/// How an answer ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Ended {
    /// Not yet.
    #[default]
    Open,
    Whole,
    /// It is no answer, or it broke off.
    Cut,
}

/// What the own reader stumbled over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    Head(BadAnswer),
    Chunk,
}

/// Reads as the pool's exchanges do.
pub(super) fn own(script: &Script) -> Heard {
    let wire = Wire::new(usize::MAX);
    let heard = Mutex::new(Heard::default());
    let with = |change: &mut dyn FnMut(&mut Heard)| {
        change(&mut heard.lock().unwrap_or_else(PoisonError::into_inner));
    };
    wire.play(script.events.clone(), async {
        let ended = listen(wire.clone(), script.to_head, &with).await;
        with(&mut |heard| {
            heard.ended = if ended.is_some() { Ended::Whole } else { Ended::Cut };
            heard.reusable = ended == Some(true);
        });
    });
    heard.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Whether the connection may be used again; nothing if the answer is not whole.
async fn listen(
    mut wire: Wire,
    to_head: bool,
    with: &impl Fn(&mut dyn FnMut(&mut Heard)),
) -> Option<bool> {
    let mut received = Bytes::new();
    let (length, head) = loop {
        if more(&mut wire, &mut received).await? == 0 {
            return None;
        }
        match read(&received, to_head) {
            Ok(None) => {}
            Ok(Some(whole)) => break whole,
            Err(error) => {
                with(&mut |heard| heard.refused = Some(Refused::Head(error)));
                return None;
            }
        }
    };
    drop(received.split_to(length));
    let (parts, mut framing) = (head.parts, head.framing);
    let reason = parts.extensions.get::<ReasonPhrase>().cloned();
    with(&mut |heard| heard.head = Some((parts.status, reason.clone(), parts.headers.clone())));
    loop {
        match framing.next(&mut received) {
            Ok(Some(data)) => with(&mut |heard| heard.body.extend_from_slice(&data)),
            Ok(None) if framing.is_done() => break,
            Ok(None) => {
                if more(&mut wire, &mut received).await? == 0 && !framing.close() {
                    return None;
                }
            }
            Err(_) => {
                with(&mut |heard| heard.refused = Some(Refused::Chunk));
                return None;
            }
        }
    }
    Some(head.persists && received.is_empty() && !framing.ends_with_it())
}

/// Waits for more; says how much there is.
async fn more(wire: &mut Wire, received: &mut Bytes) -> Option<usize> {
    let read = poll_fn(|cx| {
        scratch::poll_read(wire, cx, |new| {
            let mut longer = BytesMut::from(received.as_ref());
            longer.extend_from_slice(new);
            *received = longer.freeze();
            new.len()
        })
    });
    read.await.ok()
}

/// Lets hyper read.
pub(super) fn hyper(script: &Script) -> Heard {
    let wire = Wire::new(usize::MAX);
    let heard = Mutex::new(Heard::default());
    let with = |change: &mut dyn FnMut(&mut Heard)| {
        change(&mut heard.lock().unwrap_or_else(PoisonError::into_inner));
    };
    wire.play(script.events.clone(), async {
        let shaken = handshake::<_, Empty<Bytes>>(TokioIo::new(wire.clone())).await;
        let (mut sender, connection) = shaken.expect("no byte is needed for that");
        let mut connection = pin!(connection);
        let mut connected = true;
        let mut exchange = Box::pin(exchange(&mut sender, script.to_head, &with));
        let mut drive = |cx: &mut Context<'_>| {
            connected = connected && connection.as_mut().poll(cx).is_pending();
        };
        let whole = poll_fn(|cx| {
            drive(cx);
            let ended = exchange.as_mut().poll(cx);
            drive(cx);
            ended
        });
        let ended = if whole.await.is_some() { Ended::Whole } else { Ended::Cut };
        drop(exchange);
        let mut cx = Context::from_waker(Waker::noop());
        drive(&mut cx);
        let ready = sender.poll_ready(&mut cx);
        with(&mut |heard| {
            heard.ended = ended;
            heard.reusable = ended == Ended::Whole && matches!(ready, Poll::Ready(Ok(())));
        });
    });
    heard.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Something if the answer is whole.
async fn exchange(
    sender: &mut hyper::client::conn::http1::SendRequest<Empty<Bytes>>,
    to_head: bool,
    with: &impl Fn(&mut dyn FnMut(&mut Heard)),
) -> Option<()> {
    let method = if to_head { Method::HEAD } else { Method::POST };
    let request = Request::builder().method(method).uri("/").header("host", "a");
    let request = request.body(Empty::new()).expect("a request");
    let response = sender.send_request(request).await.ok()?;
    let (parts, mut body) = response.into_parts();
    let reason = parts.extensions.get::<ReasonPhrase>().cloned();
    with(&mut |heard| heard.head = Some((parts.status, reason.clone(), parts.headers.clone())));
    while let Some(frame) = Pin::new(&mut body).frame().await {
        let data = frame.ok()?.into_data().unwrap_or_default();
        with(&mut |heard| heard.body.extend_from_slice(&data));
    }
    Some(())
}
