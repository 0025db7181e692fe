//! Files that a call names; `-` is standard input.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

/// No request, and no file of cases, is larger.
const LARGEST: u64 = 64 << 20;

/// Reads a file, at most 64 MiB of it.
///
/// # Errors
///
/// A sentence for people that names it.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, String> {
    let read = if path.as_os_str() == "-" {
        bounded(io::stdin().lock(), LARGEST)
    } else {
        File::open(path).and_then(|file| bounded(file, LARGEST))
    };
    read.map_err(|error| format!("cannot read {}: {error}", path.display()))
}

/// Reads a file of text, at most 64 MiB of it.
///
/// # Errors
///
/// A sentence for people that names it.
pub(super) fn read_text(path: &Path) -> Result<String, String> {
    String::from_utf8(read(path)?).map_err(|_| format!("{} is not UTF-8", path.display()))
}

fn bounded(input: impl Read, largest: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if input.take(largest + 1).read_to_end(&mut bytes)? as u64 > largest {
        return Err(io::Error::other(format!("larger than {} MiB", largest >> 20)));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_end_is_refused() {
        let error = bounded(io::repeat(0), 1 << 20).unwrap_err();
        assert_eq!(error.to_string(), "larger than 1 MiB");
        assert_eq!(bounded(&[7; 9][..], 9).unwrap(), [7; 9]);
    }

    #[test]
    fn errors_name_the_file() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read(&folder.path().join("none")).unwrap_err().contains("none: "));
        assert!(read(folder.path()).is_err());
        let garbage = folder.path().join("garbage");
        std::fs::write(&garbage, b"\xff").unwrap();
        assert!(read_text(&garbage).unwrap_err().ends_with("garbage is not UTF-8"));
    }
}
