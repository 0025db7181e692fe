//! The way from a file's name to what the program believes.

use std::{fmt, path::Path, sync::Arc};

use super::{keymap::KeyMap, model, problem::Problem, raw::Raw};
use crate::clock::UnixMs;

/// Whether secrets are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Secrets {
    /// From variables and files; one that cannot be had is an error.
    #[default]
    Read,
    /// Not at all (`check --no-secrets`): random placeholders stand in for them, and what is not
    /// there is a note. Nothing that was loaded so may serve.
    Skip,
}

/// How variables are looked up, so that tests need not touch the process.
pub type Env = Arc<dyn Fn(&str) -> Option<std::ffi::OsString> + Send + Sync>;

/// What loading depends on besides the files.
#[derive(Clone)]
pub struct LoadOptions {
    /// Whether secrets are read.
    pub secrets: Secrets,
    /// The environment.
    pub env: Env,
    /// The time against which exceptions expire.
    pub now: UnixMs,
}

impl LoadOptions {
    /// Secrets read, the process's environment.
    pub fn new(now: UnixMs) -> Self {
        Self { secrets: Secrets::Read, env: Arc::new(|name| std::env::var_os(name)), now }
    }
}

impl fmt::Debug for LoadOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadOptions")
            .field("secrets", &self.secrets)
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

/// A configuration without errors.
#[derive(Debug)]
pub struct Loaded {
    /// What the program believes.
    pub config: model::Config,
    /// Where each key stands.
    pub map: KeyMap,
    /// The tables as written, includes merged.
    pub raw: Raw,
    /// Whether the secrets are the real ones.
    pub secrets: Secrets,
    /// Warnings and notes of loading itself.
    pub problems: Vec<Problem>,
}

/// Loads a configuration: reads, checks and converts it, with everything that it names.
///
/// # Errors
///
/// All problems at once, in file order; at least one of them is an error.
pub fn load(path: &Path, options: &LoadOptions) -> Result<Loaded, Vec<Problem>> {
    let _ = (path, options);
    todo!()
}
