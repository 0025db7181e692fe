//! A connection whose other end follows a script, for tests and for the fuzz targets.
//!
//! One event after the other: each is played only when whoever serves the connection has done all
//! that it could do without it. So a run is the same every time, a reader that forgets to be woken
//! gets no further, and one that wakes itself for ever is found.

use std::{
    collections::VecDeque,
    fmt,
    future::poll_fn,
    io,
    pin::{Pin, pin},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll, Wake, Waker},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What the other end does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// Sends these bytes.
    Sends(Vec<u8>),
    /// Closes its side; it still listens.
    Finishes,
    /// Resets the connection.
    Breaks,
}

/// One end of a connection; its clones are the same end.
#[derive(Clone, Debug)]
pub(crate) struct Wire(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    readable: VecDeque<u8>,
    finished: bool,
    broken: bool,
    /// Who waits for something to read.
    reader: Option<Waker>,
    /// Who waits for the next event, whatever it is.
    waiting: Vec<Waker>,
    events: usize,
    /// Whether nothing will happen any more.
    over: bool,
    written: Vec<u8>,
    /// How much one write takes; then it has to be tried again.
    window: usize,
    full: bool,
    shut: bool,
}

/// More calls than any script needs.
const MAX_POLLS: usize = 2_000_000;

impl Wire {
    /// A connection that takes at most `window` bytes a write.
    pub(crate) fn new(window: usize) -> Self {
        Self(Arc::new(Mutex::new(State { window, ..State::default() })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was written so far.
    pub(crate) fn written(&self) -> Vec<u8> {
        self.state().written.clone()
    }

    /// Waits for the next event; not at all if there is none to come.
    pub(crate) async fn next_event(&self) {
        let before = self.state().events;
        poll_fn(|cx| {
            let mut state = self.state();
            if state.over || state.events > before {
                return Poll::Ready(());
            }
            state.waiting.push(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Plays the script while `future` runs; nothing if it still waits when all is played.
    pub(crate) fn play<T>(
        &self,
        events: impl IntoIterator<Item = Event>,
        future: impl Future<Output = T>,
    ) -> Option<T> {
        let (mut events, mut future) = (events.into_iter(), pin!(future));
        let flag = Arc::new(Flag(AtomicBool::new(true)));
        let waker = Waker::from(flag.clone());
        let mut cx = Context::from_waker(&waker);
        let mut polls = 0;
        loop {
            while flag.0.swap(false, Relaxed) {
                if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                    return Some(output);
                }
                polls += 1;
                assert!(polls < MAX_POLLS, "it wakes itself for ever");
            }
            if self.state().over {
                return None;
            }
            self.happen(events.next());
        }
    }

    fn happen(&self, event: Option<Event>) {
        let mut state = self.state();
        state.events += 1;
        match event {
            Some(Event::Sends(bytes)) => state.readable.extend(bytes),
            Some(Event::Finishes) => state.finished = true,
            Some(Event::Breaks) => state.broken = true,
            None => state.over = true,
        }
        state.waiting.drain(..).for_each(Waker::wake);
        if let Some(reader) = state.reader.take() {
            reader.wake();
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut state = self.state();
        if state.broken {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        if state.readable.is_empty() && !state.finished {
            state.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let count = buf.remaining().min(state.readable.len());
        let bytes: Vec<u8> = state.readable.drain(..count).collect();
        buf.put_slice(&bytes);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut state = self.state();
        if state.broken || state.shut {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if std::mem::take(&mut state.full) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let (taken, rest) = bytes.split_at_checked(state.window).unwrap_or((bytes, &[]));
        state.full = !rest.is_empty();
        state.written.extend_from_slice(taken);
        Poll::Ready(Ok(taken.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.state().shut = true;
        Poll::Ready(Ok(()))
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("events", &self.events).finish_non_exhaustive()
    }
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Relaxed);
    }
}

/// Cuts a stream of bytes into pieces of these sizes, again and again; 0 is all the rest.
pub(crate) fn cut(stream: &[u8], sizes: &[usize]) -> Vec<Event> {
    let (mut rest, mut pieces) = (stream, Vec::new());
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let size = if *size == 0 { rest.len() } else { *size };
        let (piece, after) = rest.split_at_checked(size).unwrap_or((rest, &[]));
        pieces.push(Event::Sends(piece.to_vec()));
        rest = after;
    }
    pieces
}
