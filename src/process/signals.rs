//! What the outside can tell the process: signals, and changed files.

use std::{io, sync::Arc, time::Duration};

use sha2::{Digest, Sha256};
use tokio::{
    runtime::Handle,
    signal::unix::{Signal, SignalKind, signal},
};

use super::Inner;

/// How often `--watch` compares.
const WATCH_EVERY: Duration = Duration::from_secs(10);

/// The signals that a gateway heeds. From the moment this is there, none of them kills the process.
pub(super) struct Signals {
    hangup: Signal,
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Begins to receive; inside a runtime only.
    pub(super) fn receive() -> io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
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

/// Reloads whenever the contents of a file change. Contents are compared, not times: an
/// orchestrator swaps whole directories by a symbolic link.
pub(super) async fn watch(inner: Arc<Inner>, runtime: Handle) {
    let mut seen = fingerprint(&inner).await;
    let mut ticks = tokio::time::interval(WATCH_EVERY);
    loop {
        ticks.tick().await;
        if fingerprint(&inner).await != seen {
            reload(&inner, &runtime).await;
            // The files that count may be others now.
            seen = fingerprint(&inner).await;
        }
    }
}

async fn reload(inner: &Arc<Inner>, runtime: &Handle) {
    let (inner, runtime) = (Arc::clone(inner), runtime.clone());
    // Reads files; the outcome is logged and counted where it is known.
    let reloaded = tokio::task::spawn_blocking(move || inner.reload(&runtime)).await;
    if reloaded.is_err() {
        tracing::error!("the reload panicked; the old configuration stays");
    }
}

/// SHA-256 over every file that the running configuration was read from, and over what its
/// includes match now.
async fn fingerprint(inner: &Arc<Inner>) -> Option<[u8; 32]> {
    let inner = Arc::clone(inner);
    tokio::task::spawn_blocking(move || {
        let mut hash = Sha256::new();
        for file in inner.watched() {
            hash.update(file.as_os_str().as_encoded_bytes());
            match std::fs::read(&file) {
                Ok(bytes) => hash.update(Sha256::digest(&bytes)),
                Err(error) => hash.update(error.kind().to_string()),
            }
        }
        hash.finalize().into()
    })
    .await
    .ok()
}
