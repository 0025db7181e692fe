//! What a process is started with besides its configuration.

use std::{fmt, num::NonZeroUsize, path::PathBuf};

use crate::{clock::Clock, config::LoadOptions, fetch::Resolver, telemetry::Observer};

/// How to start; see [`super::Process::start`].
pub struct Options {
    /// The configuration.
    pub path: PathBuf,
    /// Both times.
    pub clock: Clock,
    /// Threads that serve deliveries; by default one a core.
    pub cores: NonZeroUsize,
    /// Reload when the contents of a file change.
    pub watch: bool,
    /// Whether SIGHUP, SIGTERM and SIGINT are caught from before it listens; they are then acted
    /// upon by [`super::Process::run_until_told`].
    pub signals: bool,
    /// Loopback only, and refusals say why.
    pub dev: bool,
    /// Whether `tracing` is set up from `[log]`; once a process.
    pub log: bool,
    /// How names are looked up of what is fetched.
    pub resolver: Resolver,
    /// Is told of every decision.
    pub observer: Option<Observer>,
}

impl Options {
    /// The gateway as it runs in production, without logs.
    pub fn new(path: PathBuf, clock: Clock) -> Self {
        Self {
            path,
            clock,
            cores: crate::server::available_cores(),
            watch: false,
            signals: false,
            dev: false,
            log: false,
            resolver: Resolver::system(),
            observer: None,
        }
    }

    pub(super) fn load(&self) -> LoadOptions {
        LoadOptions::new(self.clock.unix())
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("path", &self.path).finish_non_exhaustive()
    }
}
