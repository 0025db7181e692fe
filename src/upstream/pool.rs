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

use tokio::{
    runtime::Handle,
    time::{Instant, sleep_until},
};

use super::stream::{Stream, is_quiet};

/// How many idle connections are kept per core; more than that are closed.
const MAX_IDLE: usize = 512;

/// The idle connections to one origin.
#[derive(Debug)]
pub(super) struct Pool {
    cores: Box<[Mutex<Core>]>,
    idle_timeout: Duration,
}

#[derive(Debug, Default)]
struct Core {
    idle: Vec<Idle>,
    /// Whether a task is there that closes what stays unused.
    sweeping: bool,
}

#[derive(Debug)]
struct Idle {
    stream: Stream,
    since: Instant,
    /// Whose runtime wakes it. Another's may end before an exchange over it does.
    core: usize,
}

impl Pool {
    pub(super) fn new(idle_timeout: Duration) -> Arc<Self> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let cores = (0..cores).map(|_| Mutex::default()).collect();
        Arc::new(Self { cores, idle_timeout })
    }

    /// Takes an idle connection of this core, the most recently used one.
    pub(super) fn take(self: &Arc<Self>, now: Instant) -> Option<Lease> {
        let core = core_index();
        let stream = self.core(core)?.idle.take(core, now, self.idle_timeout)?;
        Some(Lease { stream, pool: self.clone(), core })
    }

    /// Makes a fresh connection one of this core's.
    pub(super) fn adopt(self: &Arc<Self>, stream: Stream) -> Lease {
        Lease { stream, pool: self.clone(), core: core_index() }
    }

    fn core(&self, index: usize) -> Option<MutexGuard<'_, Core>> {
        // More threads than cores share a list, but not what is in it.
        let core = self.cores.get(index % self.cores.len())?;
        Some(core.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn put(self: &Arc<Self>, stream: Stream, index: usize, now: Instant) {
        let Some(mut core) = self.core(index) else { return };
        if core.idle.len() >= MAX_IDLE {
            return;
        }
        core.idle.push(Idle { stream, since: now, core: index });
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
            let Some(oldest) = core.idle.expire(now, pool.idle_timeout) else {
                core.sweeping = false;
                return;
            };
            oldest + pool.idle_timeout
        };
        sleep_until(wake).await;
    }
}

/// A list that is sorted by `since`, because connections are pushed when they become idle.
trait IdleList {
    fn take(&mut self, core: usize, now: Instant, timeout: Duration) -> Option<Stream>;
    fn expire(&mut self, now: Instant, timeout: Duration) -> Option<Instant>;
}

impl IdleList for Vec<Idle> {
    fn take(&mut self, core: usize, now: Instant, timeout: Duration) -> Option<Stream> {
        for at in (0..self.len()).rev() {
            let idle = self.get_mut(at)?;
            if now.duration_since(idle.since) >= timeout {
                self.drain(..=at);
                return None;
            }
            if idle.core == core {
                let mut idle = self.remove(at);
                if is_quiet(&mut idle.stream) {
                    return Some(idle.stream);
                }
            }
        }
        None
    }

    /// Drops what is too old or closed; says since when the oldest that stays is idle.
    fn expire(&mut self, now: Instant, timeout: Duration) -> Option<Instant> {
        let core = core_index();
        self.retain_mut(|idle| {
            now.duration_since(idle.since) < timeout
                && (idle.core != core || is_quiet(&mut idle.stream))
        });
        self.first().map(|idle| idle.since)
    }
}

/// A connection in use; dropping it closes the connection.
#[derive(Debug)]
pub(super) struct Lease {
    pub(super) stream: Stream,
    pool: Arc<Pool>,
    core: usize,
}

impl Lease {
    /// Hands the connection back to the core that wakes it.
    pub(super) fn give_back(self, now: Instant) {
        self.pool.put(self.stream, self.core, now);
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
