//! The handle on running servers: what they count, and how they are told to end.

use std::{num::NonZeroUsize, sync::Arc, thread};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::gate::Gate;

/// Handle on the servers; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Control {
    shutdown: CancellationToken,
    exchanges: TaskTracker,
    pub(super) gate: Arc<Gate>,
}

impl Control {
    /// A handle to be given to [`super::serve`].
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins to drain: no connection is accepted any more, idle ones are closed, others are closed
    /// once they are answered.
    pub fn shut_down(&self) {
        self.shutdown.cancel();
        self.exchanges.close();
    }

    /// Whether [`Self::shut_down`] was called.
    pub fn is_draining(&self) -> bool {
        self.shutdown.is_cancelled()
    }

    /// Waits for [`Self::shut_down`].
    pub async fn draining(&self) {
        self.shutdown.cancelled().await;
    }

    /// Where work is spawned that outlives its sender: a drain waits for it.
    pub const fn exchanges(&self) -> &TaskTracker {
        &self.exchanges
    }

    /// Connections that are open now.
    pub fn connections(&self) -> usize {
        self.gate.open()
    }

    /// HTTP/2 connections that ended with an error. What HTTP/2 itself refuses reaches no service, so
    /// this is all that is known of it.
    pub fn http2_errors(&self) -> u64 {
        self.gate.http2_errors()
    }

    /// Connections that were closed at once because there were too many.
    pub fn turned_away(&self) -> u64 {
        self.gate.turned_away()
    }
}

/// One worker for each core that this process may use.
pub fn available_cores() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}
