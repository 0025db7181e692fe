//! Plays a script one way or the other.

use std::{
    convert::Infallible,
    future::{pending, poll_fn},
    pin::pin,
    sync::{Arc, OnceLock},
    task::Poll,
};

use bytes::Bytes;
use hyper::server::conn::http1::Builder;
use hyper_util::rt::TokioIo;

use super::{
    super::{library, quick},
    answers::{self, Answer},
    script::Script,
    service::{Bare, Follower, Log, Seen},
};
use crate::{
    net::scripted::Wire,
    server::{
        Connection,
        connection::Opened,
        watch::{Patience, Phase, Watch},
    },
};

/// Who serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// As connections are served: the own reader, and what it leaves to hyper.
    Own,
    /// Hyper behind the guard from the first request on.
    Guarded,
    /// Hyper with nothing before it.
    Bare,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) seen: Vec<Seen>,
    /// How many of them the own reader served.
    pub(super) quick: usize,
    pub(super) answers: Vec<Answer>,
    pub(super) ended: Ended,
    /// What the connection was doing last.
    pub(super) phase: Phase,
}

/// How the connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Properly,
    /// Without an end to what was being said.
    Cut,
    /// Not at all: there may be more to come.
    Open,
}

pub(super) fn run(script: &Arc<Script>, way: Way) -> Run {
    let wire = Wire::new(script.window);
    let log = Log::default();
    let service = Follower { script: script.clone(), log: log.clone(), wire: wire.clone() };
    let (events, limit) = (script.events.clone(), script.limit);
    let connection = connection();
    let quick = OnceLock::new();
    let (io, of) = (wire.clone(), connection.clone());
    let serving = async {
        match way {
            Way::Own => {
                let served = quick::serve(io, &of, service, limit).await;
                quick.get_or_init(|| log.len());
                match served {
                    quick::Ended::Broken => false,
                    quick::Ended::Done(_) => true,
                    quick::Ended::Other { wire, unread, service } => {
                        library::serve(wire, unread, &of, service, limit).await.is_some()
                    }
                }
            }
            Way::Guarded => library::serve(io, Bytes::new(), &of, service, limit).await.is_some(),
            Way::Bare => {
                let mut http = Builder::new();
                http.header_read_timeout(None).half_close(true).writev(false);
                let http = http.max_buf_size(64 * 1024 + limit);
                http.serve_connection(TokioIo::new(io), Bare(service)).await.is_ok()
            }
        }
    };
    let (mut serving, mut drain) = (pin!(serving), pin!(drain(script, &wire, &connection)));
    let proper = wire.play(
        events,
        poll_fn(|cx| {
            // Only after it, the connection hears of it.
            let Poll::Pending = drain.as_mut().poll(cx);
            let ended = serving.as_mut().poll(cx);
            let watch = connection.watch();
            // As its supervisor has it.
            if watch.must_drain() && watch.phase() == Phase::Silent {
                return Poll::Ready(true);
            }
            ended
        }),
    );
    let seen = log.take();
    let methods: Vec<_> =
        seen.iter().map(|seen| seen.line.split(' ').next().unwrap_or("")).collect();
    Run {
        answers: answers::read(&wire.written(), &methods, proper == Some(true)),
        quick: quick.get().copied().unwrap_or(seen.len()),
        ended: match proper {
            Some(true) => Ended::Properly,
            Some(false) => Ended::Cut,
            None => Ended::Open,
        },
        phase: connection.watch().phase(),
        seen,
    }
}

/// Tells the connection to end, when it is time.
async fn drain(script: &Script, wire: &Wire, connection: &Connection) -> Infallible {
    let Some(after) = script.drains else { return pending().await };
    for _ in 0..after {
        wire.next_event().await;
    }
    connection.watch().drain();
    pending().await
}

/// A connection of which nobody loses patience.
pub(in super::super) fn connection() -> Arc<Connection> {
    let (head, idle) = (std::time::Duration::MAX, std::time::Duration::MAX);
    let peer = ([127, 0, 0, 1], 1).into();
    let opened = Opened { peer, announced: None, tls: false, http2: false, certificate: None };
    Arc::new(Connection::new(opened, Arc::new(Watch::new(Patience { head, idle }))))
}
