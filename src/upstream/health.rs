//! Which of several receivers are asked, and in which order.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Method, uri::PathAndQuery};
use tokio::time::{Instant, sleep, timeout};

use super::{
    connect::Origin,
    wire::{Message, put, talk},
};

/// How many failed checks in a row make a receiver unhealthy. One success makes it healthy.
const FAILURES: u32 = 2;

/// How long a receiver that could not be reached is asked only after all others.
const REST: Duration = Duration::from_secs(5);

/// What is known of one receiver's state; kept over a reload that does not touch it.
#[derive(Debug)]
pub(super) struct Vitals {
    healthy: AtomicBool,
    /// In milliseconds since `made`.
    rests_until: AtomicU64,
    made: Instant,
}

/// Whether a receiver is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// In its turn.
    Ready,
    /// After all that are ready: it could not be reached a moment ago.
    Resting,
    /// Not at all: it fails its health check.
    Down,
}

impl Vitals {
    /// A receiver is believed in until it fails.
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            healthy: AtomicBool::new(true),
            rests_until: AtomicU64::new(0),
            made: Instant::now(),
        })
    }

    pub(super) fn standing(&self, now: Instant) -> Standing {
        if !self.healthy.load(Ordering::Relaxed) {
            Standing::Down
        } else if self.rests_until.load(Ordering::Relaxed) > self.elapsed(now) {
            Standing::Resting
        } else {
            Standing::Ready
        }
    }

    /// It could not be reached.
    pub(super) fn rest(&self, now: Instant) {
        let until = self.elapsed(now + REST);
        self.rests_until.store(until, Ordering::Relaxed);
    }

    fn elapsed(&self, now: Instant) -> u64 {
        u64::try_from(now.duration_since(self.made).as_millis()).unwrap_or(u64::MAX)
    }

    fn set_healthy(&self, healthy: bool) -> bool {
        self.rests_until.store(0, Ordering::Relaxed);
        self.healthy.swap(healthy, Ordering::Relaxed) != healthy
    }
}

/// The check of one receiver.
pub(super) struct Check {
    pub(super) origin: Arc<Origin>,
    pub(super) vitals: Arc<Vitals>,
    pub(super) path: PathAndQuery,
    pub(super) interval: Duration,
    /// For one check, from connecting to the status line.
    pub(super) timeout: Duration,
}

impl Check {
    /// Asks again and again; ends only by being aborted.
    pub(super) async fn run(self) {
        let mut failures = 0;
        // Gateways that start together must not ask together.
        sleep(self.interval.mul_f64(fastrand::f64() * 0.1)).await;
        loop {
            match self.ask().await {
                Ok(()) => {
                    failures = 0;
                    if self.vitals.set_healthy(true) {
                        tracing::info!(upstream = self.origin.name(), "upstream is healthy");
                    }
                }
                Err(why) => {
                    failures = FAILURES.min(failures + 1);
                    if failures == FAILURES && self.vitals.set_healthy(false) {
                        tracing::warn!(upstream = self.origin.name(), why, "upstream is unhealthy");
                    }
                }
            }
            sleep(self.interval.mul_f64(0.95 + fastrand::f64() * 0.1)).await;
        }
    }

    async fn ask(&self) -> Result<(), String> {
        match timeout(self.timeout, self.exchange()).await {
            Ok(Ok(status)) if (200..400).contains(&status) => Ok(()),
            Ok(Ok(status)) => Err(format!("answered {status}")),
            Ok(Err(why)) => Err(why),
            Err(_) => Err(format!("no answer within {:?}", self.timeout)),
        }
    }

    /// Over a connection of its own: one in the pool says nothing of new ones.
    async fn exchange(&self) -> Result<u16, String> {
        let mut lease = self.origin.connect().await.map_err(|error| error.to_string())?;
        let mut message = Message::new(&Method::GET, 256, &Bytes::new());
        let target = |bytes: &mut Vec<u8>| {
            bytes.extend_from_slice(self.path.as_str().as_bytes());
            Ok::<_, Infallible>(())
        };
        let Ok(()) = message.address(&Method::GET, target, Some(&self.origin.authority));
        put(message.fields(), "connection", b"close");
        let agent = concat!("hookward/", env!("CARGO_PKG_VERSION"), " health");
        put(message.fields(), "user-agent", agent.as_bytes());
        message.finish(Bytes::new());
        let answered =
            talk(&mut lease.stream, &message).await.map_err(|error| error.to_string())?;
        Ok(answered.head.parts.status.as_u16())
    }
}
