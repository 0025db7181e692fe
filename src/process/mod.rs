//! A running gateway: listeners, stack, admin endpoints; reload and drain.
//!
//! What [`crate::cli::run`] starts, and the demo, and the tests.

mod options;
mod reload;
mod service;
mod signals;
mod start;
mod watch;

pub use options::Options;
pub use reload::ReloadError;
pub use start::StartError;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use arc_swap::ArcSwap;

use self::signals::Signals;
use crate::{
    config::model,
    gateway::Gateway,
    server::{Control, Running, ServerSettings},
    telemetry::{
        Telemetry,
        admin::{Readiness, State},
        log::LevelHandle,
    },
};

/// A gateway that serves. Dropping it without [`Self::stop`] ends its threads with the process.
pub struct Process {
    inner: Arc<Inner>,
    servers: Running,
    /// Admin endpoints, health checks, signals, watching: everything but deliveries.
    runtime: tokio::runtime::Runtime,
    addresses: Vec<SocketAddr>,
    admin: Option<SocketAddr>,
    signals: Option<Signals>,
}

/// What reloads and drains work on.
struct Inner {
    options: Options,
    gateway: Arc<Gateway>,
    settings: Arc<ArcSwap<ServerSettings>>,
    telemetry: Arc<Telemetry>,
    readiness: Arc<Readiness>,
    control: Control,
    level: Option<LevelHandle>,
    /// What cannot change while the process runs, and what the last reload read. Held during a
    /// reload, so that reloads are serialised.
    current: Mutex<Current>,
}

struct Current {
    server: model::Server,
    admin: Option<model::Admin>,
    files: std::collections::BTreeSet<std::path::PathBuf>,
}

/// How long a drain waits for a slow audit file.
const AUDIT_PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

impl Process {
    /// Where it listens, with the ports that were taken, in the configuration's order.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Where `admin.listen` listens, if it is configured.
    pub const fn admin_address(&self) -> Option<SocketAddr> {
        self.admin
    }

    /// Reads the configuration again and puts it into force.
    ///
    /// # Errors
    ///
    /// If it has errors; then everything stays as it was.
    pub fn reload(&self) -> Result<(), ReloadError> {
        self.inner.reload(self.runtime.handle())
    }

    /// Serves until SIGTERM or SIGINT, then drains; SIGHUP reloads. Blocks the thread.
    pub fn run_until_told(mut self) {
        let runtime = self.runtime.handle().clone();
        match self.signals.take().map_or_else(|| Signals::catch(&runtime), Ok) {
            Ok(signals) => {
                self.runtime.block_on(signals.until_told(Arc::clone(&self.inner), runtime));
            }
            Err(error) => tracing::error!(%error, "signals cannot be received; draining"),
        }
        self.stop();
    }

    /// Drains: `/readyz` says so, no connection is accepted any more, requests in flight have
    /// `shutdown_grace` to finish. Blocks the thread.
    pub fn stop(self) {
        tracing::info!("draining");
        self.inner.readiness.set(State::Draining);
        self.inner.control.shut_down();
        self.servers.join();
        self.inner.telemetry.close(AUDIT_PATIENCE);
        self.runtime.shutdown_background();
        tracing::info!("stopped");
    }
}
