//! Why there are no figures.

use std::{
    io,
    path::{Path, PathBuf},
};

/// What ends a comparison.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A program is not installed.
    #[error(
        "{0} is not installed; on Debian: apt-get install nginx-light haproxy util-linux, \
         and for Hookward itself: cargo build --release"
    )]
    Missing(String),
    /// A gateway or the receiver did not come up.
    #[error("a server did not start:{0}")]
    Start(String),
    /// No process could be made.
    #[error("a process could not be started: {0} (setpriv and taskset are in util-linux)")]
    Spawn(io::Error),
    /// A file could not be read or written.
    #[error("{0}: {1}")]
    File(PathBuf, io::Error),
    /// The load generator gave up.
    #[error("the load generator failed: {0}")]
    Load(String),
    /// The receiver could not be asked.
    #[error("the receiver could not be asked: {0}")]
    Receiver(io::Error),
    /// No certificate could be made.
    #[error("no certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// A gateway let through what it should not, or refused what it should not.
    #[error("wrong answers:{0}")]
    Wrong(String),
}

impl Failure {
    /// What went wrong with this file.
    pub fn file(file: &Path) -> impl FnOnce(io::Error) -> Self {
        let file = file.to_owned();
        move |error| Self::File(file, error)
    }
}
