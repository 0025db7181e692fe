//! A service that follows a script and writes down what it saw.

use std::{
    collections::VecDeque,
    convert::Infallible,
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::{body::Incoming, ext::ReasonPhrase, service::Service};
use tower::{Layer, ServiceExt};
use tower_http::catch_panic::CatchPanicLayer;

use super::script::{Body, End, Plan, Read, Script};
use crate::{
    body::{AnswerBody, AnswerError},
    net::scripted::Wire,
    server::{HeadFault, Inbound},
};

/// What reached the service of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) fault: Option<HeadFault>,
    pub(super) line: String,
    /// In the order in which they came.
    pub(super) headers: Vec<(String, Vec<u8>)>,
    /// The body's length, as far as it is known before.
    pub(super) announced: Option<u64>,
    pub(super) body: Vec<u8>,
    pub(super) ended: Ended,
}

impl Seen {
    /// Whether it is the same request, of whose body less was read.
    pub(super) fn is_before(&self, other: &Self) -> bool {
        let (body, ended) = (self.body.clone(), self.ended);
        other.body.starts_with(&self.body) && Self { body, ended, ..other.clone() } == *self
    }
}

/// How the body was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// Not read, or not to its end.
    Left,
    Whole,
    Broken,
}

/// What reached the service.
#[derive(Clone, Debug, Default)]
pub(super) struct Log(Arc<Mutex<Vec<Seen>>>);

impl Log {
    fn all(&self) -> MutexGuard<'_, Vec<Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut self.all())
    }

    pub(super) fn len(&self) -> usize {
        self.all().len()
    }

    fn add(&self, seen: Seen) -> usize {
        let mut all = self.all();
        all.push(seen);
        all.len() - 1
    }

    fn read(&self, number: usize, body: Vec<u8>, ended: Ended) {
        if let Some(seen) = self.all().get_mut(number) {
            (seen.body, seen.ended) = (body, ended);
        }
    }
}

/// Answers as the script says.
#[derive(Clone, Debug)]
pub(super) struct Follower {
    pub(super) script: Arc<Script>,
    pub(super) log: Log,
    pub(super) wire: Wire,
}

type Answering = Pin<Box<dyn Future<Output = Result<Response<AnswerBody>, Infallible>> + Send>>;

impl Service<Request<Inbound>> for Follower {
    type Response = Response<AnswerBody>;
    type Error = Infallible;
    type Future = Answering;

    fn call(&self, request: Request<Inbound>) -> Answering {
        let (head, body) = request.into_parts();
        let fault = head.extensions.get::<HeadFault>().copied();
        let headers = head.headers.iter();
        let seen = Seen {
            fault,
            line: format!("{} {} {:?}", head.method, head.uri, head.version),
            headers: headers.map(|(n, v)| (n.to_string(), v.as_bytes().to_vec())).collect(),
            announced: http_body::Body::size_hint(&body).exact(),
            body: Vec::new(),
            ended: Ended::Left,
        };
        let number = self.log.add(seen);
        let plan = self.script.plan(number).filter(|_| fault.is_none());
        let (log, wire) = (self.log.clone(), self.wire.clone());
        Box::pin(async move {
            let Some(plan) = plan else { return Ok(refusal()) };
            if plan.waits.0 {
                wire.next_event().await;
            }
            let kept = match plan.read {
                Read::Nothing => None,
                Read::Kept => Some(body),
                Read::All => read(body, usize::MAX, &log, number).await,
                Read::Some(most) => read(body, most, &log, number).await,
            };
            if plan.waits.1 {
                wire.next_event().await;
            }
            drop(kept);
            Ok(answer(plan, wire).await)
        })
    }
}

/// The same for hyper alone.
pub(super) struct Bare(pub(super) Follower);

impl Service<Request<Incoming>> for Bare {
    type Response = Response<AnswerBody>;
    type Error = Infallible;
    type Future = Answering;

    fn call(&self, request: Request<Incoming>) -> Answering {
        self.0.call(request.map(Inbound::http1))
    }
}

/// Reads so many bytes. How they are cut into frames is nobody's promise, so that of a frame that
/// is longer the rest does not count.
async fn read(mut body: Inbound, most: usize, log: &Log, number: usize) -> Option<Inbound> {
    let mut all = Vec::new();
    let ended = loop {
        if all.len() >= most {
            break Ended::Left;
        }
        match body.frame().await {
            Some(Ok(frame)) => all.extend(frame.into_data().unwrap_or_default()),
            Some(Err(_)) => break Ended::Broken,
            None => break Ended::Whole,
        }
    };
    all.truncate(most);
    log.read(number, all, ended);
    None
}

fn refusal() -> Response<AnswerBody> {
    let mut response = Response::new(AnswerBody::Fixed(Bytes::from_static(b"refused")));
    *response.status_mut() = http::StatusCode::BAD_REQUEST;
    response
}

async fn answer(plan: Plan, wire: Wire) -> Response<AnswerBody> {
    let mut builder = Response::builder().status(plan.status);
    if plan.adorned {
        let reason = ReasonPhrase::from_static(b"Its Own \xe9");
        let obscure = HeaderValue::from_bytes(b"\xff\tx").ok();
        builder = builder.extension(reason).header("x-one", "1").header("x-one", "2");
        builder = obscure
            .map(|value| ("x-two", value))
            .into_iter()
            .fold(builder, |builder, (name, value)| builder.header(name, value));
        // Hyper takes it for an error where there is a body, though it sends none.
        if plan.status == 304 && plan.body == Body::Empty {
            builder = builder.header(header::CONTENT_LENGTH, 17);
        }
    }
    if plan.closes {
        builder = builder.header(header::CONNECTION, "close");
    }
    let body = match plan.body {
        Body::Empty => AnswerBody::empty(),
        Body::Fixed(size) => AnswerBody::Fixed(filler(size, 0)),
        Body::Pieces { count, size, sized, waits, ends } => {
            let known = sized.then_some((count * size) as u64);
            let left = if ends == End::Short { count / 2 } else { count };
            let pieces = (0..left).map(|number| filler(size, number)).collect();
            let body = Pieces { pieces, known, ends, wire: waits.then_some(wire), waiting: None };
            boxed(body).await
        }
    };
    builder.body(body).unwrap_or_else(|_| refusal())
}

/// As the layer that catches panics has it; there is no other way to such a body.
pub(in super::super) async fn boxed<B>(body: B) -> AnswerBody
where
    B: http_body::Body<Data = Bytes, Error = AnswerError> + Send + 'static,
{
    let inner = tower::service_fn(|request: Request<B>| async {
        Ok::<_, Infallible>(Response::new(request.into_body()))
    });
    let boxed = CatchPanicLayer::new().layer(inner).oneshot(Request::new(body)).await;
    boxed.map_or_else(|never| match never {}, |response| response.into_body().into())
}

/// Bytes of which none looks like the next.
fn filler(size: usize, seed: usize) -> Bytes {
    (0..size).map(|at| b'a' + u8::try_from((at * 7 + seed) % 26).unwrap_or(0)).collect()
}

/// An answer's body as a script has it.
struct Pieces {
    pieces: VecDeque<Bytes>,
    known: Option<u64>,
    ends: End,
    /// If something happens between the pieces.
    wire: Option<Wire>,
    waiting: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = AnswerError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, AnswerError>>> {
        let me = self.get_mut();
        if let Some(wire) = me.wire.clone() {
            let next = || Box::pin(async move { wire.next_event().await }) as _;
            ready!(me.waiting.get_or_insert_with(next).as_mut().poll(cx));
            me.waiting = None;
        }
        Poll::Ready(match me.pieces.pop_front() {
            Some(piece) => {
                me.known = me.known.map(|known| known.saturating_sub(piece.len() as u64));
                Some(Ok(Frame::data(piece)))
            }
            None if me.ends == End::Broken => {
                me.ends = End::Whole;
                Some(Err(io::Error::other("as the script says").into()))
            }
            None => None,
        })
    }

    fn size_hint(&self) -> SizeHint {
        self.known.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
