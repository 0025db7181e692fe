//! Secrets on a command line: `env:NAME`, `file:PATH`, or the secret itself.

use std::{ffi::OsStr, fs::File, io::Read as _, path::Path};

use zeroize::Zeroizing;

use crate::verify::Secret;

/// No secret of any provider comes near.
const MAX_BYTES: u64 = 64 * 1024;

/// Reads a secret as it is written on a command line.
///
/// Variables and files lose trailing newlines and nothing else. The secret's id is the variable's
/// name or the file's stem, as in a configuration.
///
/// # Errors
///
/// Why there is none, without a byte of it.
pub fn read(text: &str) -> Result<Secret, String> {
    let secret = if let Some(name) = text.strip_prefix("env:") {
        if name.is_empty() {
            return Err("env: names no variable; write env:NAME".to_owned());
        }
        let value = std::env::var_os(name).ok_or_else(|| format!("{name} is not set"))?;
        let bytes = Zeroizing::new(value.into_encoded_bytes());
        Secret::new(name, trimmed(&bytes))
    } else if let Some(path) = text.strip_prefix("file:") {
        let path = Path::new(path);
        let bytes = read_file(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let stem = path.file_stem().map(OsStr::to_string_lossy).unwrap_or_default();
        Secret::new(&stem, trimmed(&bytes))
    } else {
        Secret::new("secret", text.as_bytes())
    };
    match secret.bytes.trim_ascii().is_empty() {
        true => Err("the secret is empty".to_owned()),
        false => Ok(secret),
    }
}

fn read_file(path: &Path) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
    let read = File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if read as u64 > MAX_BYTES {
        return Err(std::io::Error::other("is too large for a secret"));
    }
    Ok(bytes)
}

fn trimmed(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|b| !matches!(b, b'\n' | b'\r')).map_or(0, |at| at + 1);
    bytes.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trailing_newlines_go_and_nothing_else() {
        assert_eq!(trimmed(b" a \r\n\n"), b" a ");
        assert_eq!(trimmed(b"\n\n"), b"");
    }

    #[test]
    fn files_are_named_by_their_stem() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stripe-old.txt");
        std::fs::write(&path, "hunter2\n").unwrap();
        let secret = read(&format!("file:{}", path.display())).unwrap();
        assert_eq!((&*secret.id, &**secret.bytes), ("stripe-old", &b"hunter2"[..]));
        std::fs::write(&path, " \n").unwrap();
        assert!(read(&format!("file:{}", path.display())).is_err());
        assert!(read("file:/nowhere/at/all").unwrap_err().contains("/nowhere/at/all"));
    }

    #[test]
    fn variables_and_plain_text() {
        assert!(read("env:HOOKWARD_NO_SUCH_VARIABLE").unwrap_err().ends_with("is not set"));
        assert_eq!(**read("env").unwrap().bytes, *b"env");
        assert!(read("").is_err());
        assert!(read("env:").unwrap_err().contains("env:NAME"));
    }
}
