//! Another configuration, without a restart: built whole, then swapped; or not at all.

use std::{collections::BTreeSet, io, path::PathBuf, sync::PoisonError};

use tokio::runtime::Handle;

use crate::{
    config::{Problem, lint::load_and_lint, listed, model::Config},
    gateway::BuildError,
    net::tls::TlsError,
    server::ServerSettings,
    telemetry,
};

use super::{Current, Inner, start};

/// Why a reload changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// The configuration has errors.
    #[error("the configuration has errors:\n{}", listed(.0))]
    Config(Vec<Problem>),
    /// A part of the configuration cannot run.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// A certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The audit file cannot be opened.
    #[error("cannot open the audit file: {0}")]
    Audit(#[from] io::Error),
}

impl Inner {
    /// Reads the configuration, with everything that it names, and puts it into force. Logged and
    /// counted here.
    pub(super) fn reload(&self, runtime: &Handle) -> Result<(), ReloadError> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let result = self.try_reload(&mut current, runtime);
        self.telemetry.metrics().reloaded(result.is_ok());
        if result.is_err() {
            // A file that it names may arrive after it.
            let named = crate::config::named(&self.options.path, &self.options.load());
            current.files.extend(named);
        }
        match &result {
            Ok(()) => tracing::info!("configuration reloaded"),
            Err(ReloadError::Config(problems)) => {
                for problem in problems {
                    tracing::error!("{problem}");
                }
                tracing::error!("the configuration was not reloaded; the old one stays");
            }
            Err(error) => {
                tracing::error!(%error, "the configuration was not reloaded; the old one stays");
            }
        }
        result
    }

    fn try_reload(&self, current: &mut Current, runtime: &Handle) -> Result<(), ReloadError> {
        let (loaded, remarks) =
            load_and_lint(&self.options.path, &self.options.load()).map_err(ReloadError::Config)?;
        let mut config = loaded.config;
        if self.options.dev {
            start::confine(&mut config);
        }
        // Everything that can fail comes before the first thing that changes.
        let settings = ServerSettings::new(&config.server, &self.options.clock)?;
        let audit = config.log.audit.as_ref().map(telemetry::audit::open).transpose()?;
        self.gateway.apply(&config)?;
        self.settings.store(settings.into());
        self.telemetry.audit_to(audit)?;
        if let Some(level) = &self.level
            && let Err(error) = level.set(&config.log.level)
        {
            tracing::error!(%error, "the log level stays as it was");
        }
        self.gateway.spawn_health(runtime);
        start::log_remarks(&remarks);
        warn_of_restart(current, &config);
        current.files = config.files;
        Ok(())
    }

    /// Every file whose content is part of what runs.
    pub(super) fn watched(&self) -> BTreeSet<PathBuf> {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let mut files = current.files.clone();
        files.extend(crate::config::sources(&self.options.path));
        files
    }
}

/// Sockets are bound once.
fn warn_of_restart(current: &Current, config: &Config) {
    if current.server.listen != config.server.listen {
        tracing::warn!("server.listen changed; it takes a restart to listen elsewhere");
    }
    let admin = |admin: &Option<crate::config::model::Admin>| {
        admin.as_ref().map(|admin| (admin.listen, admin.hosts.clone(), admin.probes.clone()))
    };
    if admin(&current.admin) != admin(&config.admin) {
        tracing::warn!("[admin] changed; it takes a restart to have an effect");
    }
}
