//! What the outside can tell the process by signals.

use std::{io, sync::Arc};

use tokio::{
    runtime::Handle,
    signal::unix::{Signal, SignalKind, signal},
};

use super::Inner;

/// The signals that a gateway takes, from when they are caught on.
#[derive(Debug)]
pub(super) struct Signals {
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Catches them. Until then, each of them ends the process.
    pub(super) fn catch(runtime: &Handle) -> io::Result<Self> {
        let _entered = runtime.enter();
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for SIGTERM or SIGINT; reloads at SIGHUP.
    pub(super) async fn until_told(mut self, inner: Arc<Inner>, runtime: Handle) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hangup.recv() => reload(&inner, &runtime).await,
            }
        }
    }
}

/// Reloads without keeping the runtime waiting.
pub(super) async fn reload(inner: &Arc<Inner>, runtime: &Handle) {
    let (inner, runtime) = (Arc::clone(inner), runtime.clone());
    // Reads files; the outcome is logged and counted where it is known.
    let reloaded = tokio::task::spawn_blocking(move || inner.reload(&runtime)).await;
    if reloaded.is_err() {
        tracing::error!("the reload panicked; the old configuration stays");
    }
}
