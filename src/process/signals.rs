//! What the outside can tell the process by signals.

use std::{io, sync::Arc};

use tokio::{
    runtime::Handle,
    signal::unix::{SignalKind, signal},
};

use super::Inner;

/// Waits for SIGTERM or SIGINT; reloads at SIGHUP.
pub(super) async fn until_told(inner: Arc<Inner>, runtime: Handle) -> io::Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    loop {
        tokio::select! {
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
            _ = hangup.recv() => reload(&inner, &runtime).await,
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
