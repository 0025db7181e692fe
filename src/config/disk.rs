//! Files that a configuration names, and which of them were read.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

/// Reads files relative to the configuration and remembers them for `--watch`.
pub(super) struct Disk {
    base: PathBuf,
    files: RefCell<BTreeSet<PathBuf>>,
}

/// No file of a configuration is larger.
const LARGEST: u64 = 16 << 20;

/// Reads a file, at most 16 MiB of it.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    // Room for all of it: a vector that grows would leave pieces of a secret behind.
    let len = file.metadata().map_or(0, |meta| meta.len().min(LARGEST));
    let mut bytes = Vec::with_capacity(usize::try_from(len).unwrap_or(0) + 64);
    if file.take(LARGEST + 1).read_to_end(&mut bytes)? as u64 > LARGEST {
        return Err(io::Error::other("larger than 16 MiB"));
    }
    Ok(bytes)
}

impl Disk {
    pub(super) fn new(config: &Path) -> Self {
        let base = config.parent().unwrap_or(Path::new("")).to_owned();
        Self { base, files: RefCell::default() }
    }

    /// Where a path of the configuration is.
    pub(super) fn resolve(&self, path: &Path) -> PathBuf {
        self.base.join(path)
    }

    /// Reads a file, at most 16 MiB of it.
    pub(super) fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let path = self.resolve(path);
        self.remember(path.clone());
        read(&path)
    }

    /// Counts a file among those whose content matters.
    pub(super) fn remember(&self, path: PathBuf) {
        self.files.borrow_mut().insert(path);
    }

    pub(super) fn into_files(self) -> BTreeSet<PathBuf> {
        self.files.into_inner()
    }
}
