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

/// A body of known length that is still under way: asked for here, and read at the other end, which
/// is a [`Feed`].
pub(super) struct Arriving(Arc<Mutex<State>>);

/// Where such a body is read. Once this is dropped nothing more of it comes.
pub(super) struct Feed(Arc<Mutex<State>>);

struct State {
    /// Not asked for yet, but read already.
    here: Bytes,
    /// Not read yet.
    to_come: u64,
    /// Who asked, and waits.
    asked: Option<Waker>,
    /// Who would read, if it were asked for.
    reader: Option<Waker>,
    /// Whether nothing more comes, and why as long as nobody was told.
    is_broken: bool,
    broken: Option<io::Error>,
}

impl State {
    fn break_off(&mut self, error: io::Error) {
        self.is_broken = true;
        self.broken = Some(error);
    }

    fn wake(&mut self) {
        if let Some(waker) = self.asked.take() {
            waker.wake();
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Arriving {
    /// A body of which `here` was read and `to_come` was not.
    pub(super) fn new(here: Bytes, to_come: u64) -> (Self, Feed) {
        let state =
            State { here, to_come, asked: None, reader: None, is_broken: false, broken: None };
        let state = Arc::new(Mutex::new(state));
        (Self(state.clone()), Feed(state))
    }

    /// How many bytes whoever asks will still get.
    fn left(&self) -> u64 {
        let state = lock(&self.0);
        state.to_come + state.here.len() as u64
    }

    fn poll(&self, cx: &Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        let mut state = lock(&self.0);
        if !state.here.is_empty() {
            return Poll::Ready(Some(Ok(std::mem::take(&mut state.here))));
        }
        if state.is_broken {
            let error = state.broken.take();
            return Poll::Ready(Some(Err(error.unwrap_or(io::ErrorKind::BrokenPipe.into()))));
        }
        if state.to_come == 0 {
            return Poll::Ready(None);
        }
        state.asked = Some(cx.waker().clone());
        // Who reads the connection looks by itself behind every step of the service, but does not
        // know of what another task asks for.
        if let Some(reader) = state.reader.take() {
            reader.wake();
        }
        Poll::Pending
    }
}

impl Feed {
    /// How many bytes are to be read, if more are asked for now.
    pub(super) fn wanted(&self, cx: &Context<'_>) -> Option<u64> {
        let mut state = lock(&self.0);
        if state.asked.is_none() {
            state.reader = Some(cx.waker().clone());
            return None;
        }
        Some(state.to_come).filter(|to_come| *to_come > 0)
    }

    /// How many bytes are to be read, asked for or not.
    pub(super) fn to_come(&self) -> u64 {
        lock(&self.0).to_come
    }

    /// Hands over what was read, at most as much as was to come; or why nothing more will be.
    pub(super) fn deliver(&self, read: io::Result<Bytes>) {
        let mut state = lock(&self.0);
        match read {
            Ok(bytes) => {
                state.to_come = state.to_come.saturating_sub(bytes.len() as u64);
                state.here = bytes;
            }
            Err(error) => state.break_off(error),
        }
        state.wake();
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        let mut state = lock(&self.0);
        if state.to_come > 0 && !state.is_broken {
            state.break_off(io::ErrorKind::BrokenPipe.into());
            state.wake();
        }
    }
}

impl fmt::Debug for Arriving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arriving").field("left", &self.left()).finish()
    }
}
