//! A request's body on its way in, whoever reads it.

use std::{
    fmt, io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A body that ends only where its sender ended it.
#[derive(Debug)]
pub struct Inbound(Kind);

#[derive(Debug)]
enum Kind {
    /// Came with its head.
    Whole(Bytes),
    /// Is read of the connection while it is asked for.
    Arriving(Arriving),
    Http1(Incoming),
    /// To hyper, an HTTP/2 stream reset with `NO_ERROR` has ended well; so what came until then
    /// would be taken for the whole body (and, where nothing but a token is checked, be forwarded
    /// as that).
    Http2(Incoming),
}

impl Inbound {
    pub(super) const fn whole(bytes: Bytes) -> Self {
        Self(Kind::Whole(bytes))
    }

    pub(super) const fn arriving(body: Arriving) -> Self {
        Self(Kind::Arriving(body))
    }

    pub(super) const fn http1(incoming: Incoming) -> Self {
        Self(Kind::Http1(incoming))
    }

    pub(super) const fn http2(incoming: Incoming) -> Self {
        Self(Kind::Http2(incoming))
    }

    /// Whether nothing of it is still under way, so that its connection can be used again even if
    /// it is not read.
    pub const fn is_whole(&self) -> bool {
        matches!(self.0, Kind::Whole(_))
    }
}

fn reset() -> BoxError {
    io::Error::new(io::ErrorKind::ConnectionReset, "the stream was reset within the body").into()
}

impl Body for Inbound {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let body = match &mut self.get_mut().0 {
            Kind::Whole(bytes) => {
                let data = Some(std::mem::take(bytes)).filter(|bytes| !bytes.is_empty());
                return Poll::Ready(data.map(|data| Ok(Frame::data(data))));
            }
            Kind::Arriving(body) => {
                return body.poll(cx).map(|data| data.map(|data| Ok(Frame::data(data?))));
            }
            Kind::Http1(body) => body,
            Kind::Http2(body) => {
                return Poll::Ready(match ready!(Pin::new(&mut *body).poll_frame(cx)) {
                    None if !body.is_end_stream() => Some(Err(reset())),
                    frame => frame.map(|frame| frame.map_err(Into::into)),
                });
            }
        };
        Pin::new(body).poll_frame(cx).map(|frame| frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Whole(bytes) => bytes.is_empty(),
            Kind::Arriving(body) => body.left() == 0,
            Kind::Http1(body) | Kind::Http2(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Kind::Arriving(body) => SizeHint::with_exact(body.left()),
            Kind::Http1(body) | Kind::Http2(body) => body.size_hint(),
        }
    }
}

/// A body of known length that is still under way: asked for at one end, read at the other.
#[derive(Clone)]
pub(super) struct Arriving(Arc<Mutex<State>>);

struct State {
    /// Not asked for yet, but read already.
    here: Bytes,
    /// Not read yet.
    to_come: u64,
    /// Who asked, and waits.
    asked: Option<Waker>,
    /// Why nothing more comes.
    broken: Option<io::Error>,
}

impl Arriving {
    /// A body of which `here` was read and `to_come` was not.
    pub(super) fn new(here: Bytes, to_come: u64) -> Self {
        Self(Arc::new(Mutex::new(State { here, to_come, asked: None, broken: None })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many bytes whoever asks will still get.
    fn left(&self) -> u64 {
        let state = self.state();
        state.to_come + state.here.len() as u64
    }

    fn poll(&self, cx: &Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        let mut state = self.state();
        if !state.here.is_empty() {
            return Poll::Ready(Some(Ok(std::mem::take(&mut state.here))));
        }
        if let Some(error) = state.broken.take() {
            return Poll::Ready(Some(Err(error)));
        }
        if state.to_come == 0 {
            return Poll::Ready(None);
        }
        state.asked = Some(cx.waker().clone());
        Poll::Pending
    }

    /// How many bytes are to be read, if more are asked for now.
    pub(super) fn wanted(&self) -> Option<u64> {
        let state = self.state();
        state.asked.is_some().then_some(state.to_come).filter(|to_come| *to_come > 0)
    }

    /// How many bytes are to be read, asked for or not.
    pub(super) fn to_come(&self) -> u64 {
        self.state().to_come
    }

    /// Hands over what was read, at most as much as was to come; or why nothing more will be.
    pub(super) fn deliver(&self, read: io::Result<Bytes>) {
        let mut state = self.state();
        match read {
            Ok(bytes) => {
                state.to_come = state.to_come.saturating_sub(bytes.len() as u64);
                state.here = bytes;
            }
            Err(error) => state.broken = Some(error),
        }
        if let Some(waker) = state.asked.take() {
            waker.wake();
        }
    }
}

impl fmt::Debug for Arriving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arriving").field("left", &self.left()).finish()
    }
}
