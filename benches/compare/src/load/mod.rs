//! The load generator: one thread, one epoll loop, as cheap a request as the kernel allows.
//!
//! It runs as a process of its own, pinned by its parent; a [`Plan`] comes in as JSON, an
//! [`Outcome`] goes out as JSON.

mod engine;
mod pace;
mod stream;
mod window;

use std::{collections::BTreeMap, io, net::SocketAddr};

use serde::{Deserialize, Serialize};

pub use self::engine::run;
use crate::{message::Shape, usage::Usage};

/// What to send, where, how, and until when.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Plan {
    /// The gateway, on loopback.
    pub target: SocketAddr,
    /// The process whose usage is taken over the measured window.
    pub watch: u32,
    /// Connections at the same time.
    pub connections: usize,
    /// What becomes of a connection after an answer.
    pub reuse: Reuse,
    /// Requests a second, whatever the answers do; without it each answer brings the next request.
    pub rate: Option<u32>,
    /// When it ends.
    pub until: Until,
    /// The first id; each request takes the next one.
    pub first_id: u64,
    /// Bytes of a body.
    pub size: usize,
    /// How many routes the deliveries are spread over.
    pub routes: usize,
    /// Which of a route's secrets signs.
    pub secret: usize,
    /// Every signature is wrong.
    pub forged: bool,
    /// The certificate that is trusted, in PEM; without it the connections are plain.
    pub certificate: Option<String>,
    /// Whether the client also offers X25519MLKEM768, and prefers it.
    pub hybrid: bool,
}

/// What becomes of a connection after an answer.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub enum Reuse {
    /// It carries the next request.
    Always,
    /// It is closed, and another one is opened: with TLS, a full handshake each.
    Never,
    /// It stays open and idle until the end.
    Once,
}

/// When it ends.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub enum Until {
    /// After this many answers; usage is taken over all of it.
    Answers(u64),
    /// After so many milliseconds that do not count, and so many that do.
    Window {
        /// Not measured.
        warmup_ms: u64,
        /// Measured.
        measured_ms: u64,
    },
}

/// What happened in the measured window.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Outcome {
    /// How long the window was.
    pub seconds: f64,
    /// Answers in it.
    pub answers: u64,
    /// Answers by status, of the whole run.
    pub statuses: BTreeMap<u16, u64>,
    /// Connections that ended before their answer, in the whole run.
    pub broken: u64,
    /// Connections opened, in the whole run.
    pub opened: u64,
    /// What the watched process used.
    pub usage: Usage,
    /// Its resident memory at the end, with all connections open.
    pub resident_kib: u64,
    /// What the generator itself used, on a CPU.
    pub own_cpu_ns: u64,
    /// From when a request was due to its whole answer; only with a rate.
    pub latency: Option<Latency>,
}

/// Latencies in microseconds.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub struct Latency {
    /// The median.
    pub p50_us: f64,
    /// One request in a hundred took longer.
    pub p99_us: f64,
}

/// Why a run could not be made.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// No connection to the gateway, or no epoll.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A kernel interface that is not there.
    #[error("{0}")]
    Kernel(#[from] rustix::io::Errno),
    /// The certificate is not one.
    #[error("the certificate: {0}")]
    Certificate(String),
    /// The gateway closes every connection.
    #[error("{0} connections ended before their answer{1}")]
    Broken(u64, String),
    /// No answer for seconds.
    #[error("no answer within {0} s")]
    Silent(u64),
}

impl Plan {
    fn shape(&self) -> Shape {
        let Self { size, routes, secret, forged, .. } = *self;
        Shape { size, routes, secret, forged }
    }
}

#[cfg(test)]
mod tests;
