//! Idle connections, kept apart by core: a request never wakes another core's connection.

use std::{
    cell::Cell,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::SendRequest;
use tokio::{
    runtime::Handle,
    time::{Instant, sleep_until},
};

/// One connection's sending half.
pub(super) type Sender = SendRequest<Full<Bytes>>;

/// How many idle connections of a kind are kept per core; more than that are closed.
const MAX_IDLE: usize = 256;

/// Up to this many bytes, head and body leave as one copy in one write: measured to be cheaper
/// than gathering them (7 % of a request's CPU at 1 KiB).
const SMALL_BODY: usize = 16 * 1024;

/// How a connection writes; decided once for its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Copies head and body together.
    Copying,
    /// Hands the body's own bytes to the kernel.
    Gathering,
}

impl Kind {
    /// The kind that suits a body of this many bytes.
    pub(super) const fn of(body: usize) -> Self {
        if body <= SMALL_BODY { Self::Copying } else { Self::Gathering }
    }
}

/// The idle connections to one origin.
#[derive(Debug)]
pub(super) struct Pool {
    cores: Box<[Mutex<Core>]>,
    idle_timeout: Duration,
}

#[derive(Debug, Default)]
struct Core {
    copying: Vec<Idle>,
    gathering: Vec<Idle>,
    /// Whether a task is there that closes what stays unused.
    sweeping: bool,
}

#[derive(Debug)]
struct Idle {
    sender: Sender,
    since: Instant,
    /// Whose runtime drives it. Another's may end before an exchange over it does.
    core: usize,
}

impl Pool {
    pub(super) fn new(idle_timeout: Duration) -> Arc<Self> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let cores = (0..cores).map(|_| Mutex::default()).collect();
        Arc::new(Self { cores, idle_timeout })
    }

    /// Takes an idle connection of this core, the most recently used one.
    pub(super) fn take(self: &Arc<Self>, kind: Kind, now: Instant) -> Option<Lease> {
        let core = core_index();
        let mut idle = self.core(core)?;
        let sender = idle.of(kind).take(core, now, self.idle_timeout)?;
        drop(idle);
        Some(Lease { sender, pool: self.clone(), core, kind })
    }

    /// Makes a fresh connection one of this core's.
    pub(super) fn adopt(self: &Arc<Self>, sender: Sender, kind: Kind) -> Lease {
        Lease { sender, pool: self.clone(), core: core_index(), kind }
    }

    fn core(&self, index: usize) -> Option<MutexGuard<'_, Core>> {
        // More threads than cores share a list, but not what is in it.
        let core = self.cores.get(index % self.cores.len())?;
        Some(core.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn put(self: &Arc<Self>, sender: Sender, index: usize, kind: Kind) {
        let Some(mut core) = self.core(index) else { return };
        let idle = core.of(kind);
        if idle.len() >= MAX_IDLE {
            return;
        }
        idle.push(Idle { sender, since: Instant::now(), core: index });
        if !core.sweeping
            && let Ok(runtime) = Handle::try_current()
        {
            core.sweeping = true;
            runtime.spawn(sweep(Arc::downgrade(self), index));
        }
    }
}

/// Closes connections that stayed unused for the idle timeout, until none is left.
async fn sweep(pool: Weak<Pool>, index: usize) {
    loop {
        let wake = {
            let Some(pool) = pool.upgrade() else { return };
            let Some(mut core) = pool.core(index) else { return };
            let now = Instant::now();
            let oldest = core.lists().map(|idle| idle.expire(now, pool.idle_timeout));
            let Some(oldest) = oldest.into_iter().flatten().min() else {
                core.sweeping = false;
                return;
            };
            oldest + pool.idle_timeout
        };
        sleep_until(wake).await;
    }
}

impl Core {
    const fn of(&mut self, kind: Kind) -> &mut Vec<Idle> {
        match kind {
            Kind::Copying => &mut self.copying,
            Kind::Gathering => &mut self.gathering,
        }
    }

    const fn lists(&mut self) -> [&mut Vec<Idle>; 2] {
        [&mut self.copying, &mut self.gathering]
    }
}

/// A list that is sorted by `since`, because connections are pushed when they become idle.
trait IdleList {
    fn take(&mut self, core: usize, now: Instant, timeout: Duration) -> Option<Sender>;
    fn expire(&mut self, now: Instant, timeout: Duration) -> Option<Instant>;
}

impl IdleList for Vec<Idle> {
    fn take(&mut self, core: usize, now: Instant, timeout: Duration) -> Option<Sender> {
        for at in (0..self.len()).rev() {
            let idle = self.get(at)?;
            if now.duration_since(idle.since) >= timeout {
                self.drain(..=at);
                return None;
            }
            if idle.sender.is_closed() {
                self.remove(at);
            } else if idle.core == core && idle.sender.is_ready() {
                return Some(self.remove(at).sender);
            }
        }
        None
    }

    /// Drops what is too old or closed; says since when the oldest that stays is idle.
    fn expire(&mut self, now: Instant, timeout: Duration) -> Option<Instant> {
        self.retain(|idle| now.duration_since(idle.since) < timeout && !idle.sender.is_closed());
        self.first().map(|idle| idle.since)
    }
}

/// A connection in use; dropping it closes the connection.
#[derive(Debug)]
pub(super) struct Lease {
    pub(super) sender: Sender,
    pool: Arc<Pool>,
    core: usize,
    kind: Kind,
}

impl Lease {
    /// Hands the connection back to the core that drives it.
    pub(super) fn give_back(self) {
        if !self.sender.is_closed() {
            self.pool.put(self.sender, self.core, self.kind);
        }
    }
}

/// A small number that is this thread's own.
fn core_index() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static INDEX: Cell<Option<usize>> = const { Cell::new(None) };
    }
    INDEX.get().unwrap_or_else(|| {
        let index = NEXT.fetch_add(1, Ordering::Relaxed);
        INDEX.set(Some(index));
        index
    })
}
