//! The file of a captured key: written whole or not at all, readable by its owner alone.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

/// Whether there is no key in the file: it is missing or blank.
///
/// # Errors
///
/// If that cannot be found out.
pub fn is_vacant(file: &Path) -> io::Result<bool> {
    match File::open(file) {
        // What is longer than any whitespace somebody left there is taken for a key.
        Ok(_) if fs::metadata(file)?.len() > BLANK => Ok(false),
        Ok(_) => Ok(fs::read(file)?.iter().all(u8::is_ascii_whitespace)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

/// Finds out whether the file could be written, and leaves nothing behind.
pub(super) fn try_out(file: &Path) -> io::Result<()> {
    let beside = beside(file)?;
    drop(create(&beside)?);
    fs::remove_file(&beside)
}

/// Writes a key where none is.
pub(super) fn write(file: &Path, key: &[u8]) -> io::Result<()> {
    let temporary = beside(file)?;
    let written = write_all(&temporary, key).and_then(|()| {
        if !is_vacant(file)? {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        fs::rename(&temporary, file)
    });
    if let Err(error) = written {
        // Nobody needs half a key.
        drop(fs::remove_file(&temporary));
        return Err(error);
    }
    // Else a crash could bring back the directory without the file, after the provider was told.
    match file.parent() {
        Some(parent) if parent.as_os_str().is_empty() => File::open(".")?.sync_all(),
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}

fn write_all(path: &Path, key: &[u8]) -> io::Result<()> {
    let mut file = create(path)?;
    file.write_all(key)?;
    file.sync_all()
}

/// A new file that is nobody else's from its first moment.
fn create(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        // What a crash left behind is no key of anybody.
        _ => {}
    }
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// A name in the same directory, so that renaming stays on one file system.
fn beside(file: &Path) -> io::Result<PathBuf> {
    let name = file.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let mut hidden = OsString::from(".");
    hidden.push(name);
    hidden.push(".pairing");
    Ok(file.with_file_name(hidden))
}

/// More is not read to find out whether a file is blank, in bytes.
const BLANK: u64 = 4096;
