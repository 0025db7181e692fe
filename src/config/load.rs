//! The way from a file's name to what the program believes.

use std::{fmt, path::Path, sync::Arc};

use super::{
    checked,
    disk::Disk,
    keymap::KeyMap,
    material, model,
    problem::{Problem, Severity},
    problems::{Problems, finish},
    raw::Raw,
    read,
};
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
    let loaded = load_what_can_be(path, options)?;
    if loaded.has_errors() { Err(finish(loaded.problems, &loaded.map)) } else { Ok(loaded) }
}

/// Loads what can be made of a configuration that may have errors: parts that have one are left
/// out. For those who look for more problems; never to be run with.
///
/// # Errors
///
/// All problems, if nothing can be made of it.
pub(super) fn load_what_can_be(path: &Path, options: &LoadOptions) -> Result<Loaded, Vec<Problem>> {
    let read::Files { raw, map, problems: mut list, unusable, well_formed } = read::read_all(path)?;
    // After a syntax error nobody knows what is missing and what only looks so.
    if !well_formed {
        return Err(finish(list, &map));
    }
    let problems = Problems::new(&map, &unusable);
    let disk = Disk::new(path);
    let material = material::gather(&raw, &disk, options, &problems);
    let config = checked::config(
        &raw,
        material,
        &checked::Context {
            problems: &problems,
            disk: &disk,
            now: options.now,
            digest: digest(&map),
        },
    );
    list.extend(problems.into_list());
    let Some(mut config) = config else { return Err(finish(list, &map)) };
    config.files = disk.into_files();
    config.files.extend(map.sources().iter().map(|source| source.path().to_owned()));
    Ok(Loaded { config, map, raw, secrets: options.secrets, problems: list })
}

impl Loaded {
    pub(super) fn has_errors(&self) -> bool {
        self.problems.iter().any(|problem| problem.severity == Severity::Error)
    }
}

/// The main file and what its includes match now, for `--watch`.
pub fn sources(path: &Path) -> Vec<std::path::PathBuf> {
    let files = read::read_all(path).map(|files| files.map);
    let paths = |map: KeyMap| map.sources().iter().map(|s| s.path().to_owned()).collect();
    files.map_or_else(|_| vec![path.to_owned()], paths)
}

/// Every file that a configuration consists of or names, even if it cannot be loaded: what is
/// missing may come.
pub fn named(path: &Path, options: &LoadOptions) -> std::collections::BTreeSet<std::path::PathBuf> {
    let mut named = std::collections::BTreeSet::from([path.to_owned()]);
    if let Ok(read::Files { raw, map, unusable, .. }) = read::read_all(path) {
        let disk = Disk::new(path);
        material::gather(&raw, &disk, options, &Problems::new(&map, &unusable));
        named.extend(disk.into_files());
        named.extend(map.sources().iter().map(|source| source.path().to_owned()));
    }
    named
}

/// SHA-256 over the bytes of the main file and its includes, in order.
fn digest(map: &KeyMap) -> [u8; 32] {
    use sha2::{Digest as _, Sha256};
    let mut hash = Sha256::new();
    for source in map.sources() {
        hash.update(source.text().as_bytes());
    }
    hash.finalize().into()
}
