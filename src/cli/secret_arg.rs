//! Secrets and public keys on a command line: `env:NAME`, `file:PATH`, or the text itself.

use std::{ffi::OsStr, fs::File, io::Read as _, path::Path};

use zeroize::Zeroizing;

use crate::verify::{PublicKey, PublicKeys, Secret, read_public_keys};

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
    let (name, bytes) = named(text)?;
    let secret = Secret::new(name.as_deref().unwrap_or("secret"), trimmed(&bytes));
    match secret.bytes.trim_ascii().is_empty() {
        true => Err("the secret is empty".to_owned()),
        false => Ok(secret),
    }
}

/// Reads public keys as they are written on a command line, in the same way.
///
/// # Errors
///
/// Why there is none; of a private key that stands there, not a byte.
pub fn read_public(text: &str) -> Result<PublicKey, String> {
    let (name, bytes) = named(text)?;
    let keys = read_public_keys(&bytes).map_err(|why| format!("the public key {why}"))?;
    let kid = keys.first().and_then(|key| key.kid.as_deref().map(str::to_owned));
    let id = name.or(kid).unwrap_or_else(|| "public-key".to_owned());
    Ok(PublicKey {
        id: id.into(),
        id_is_explicit: false,
        expires: None,
        keys: PublicKeys::Known(keys),
    })
}

/// The name of a variable or a file's stem, and what is in it; no name for what stands there itself.
fn named(text: &str) -> Result<(Option<String>, Zeroizing<Vec<u8>>), String> {
    if let Some(name) = text.strip_prefix("env:") {
        if name.is_empty() {
            return Err("env: names no variable; write env:NAME".to_owned());
        }
        let value = std::env::var_os(name).ok_or_else(|| format!("{name} is not set"))?;
        return Ok((Some(name.to_owned()), Zeroizing::new(value.into_encoded_bytes())));
    }
    if let Some(path) = text.strip_prefix("file:") {
        let path = Path::new(path);
        let bytes = read_file(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let stem = path.file_stem().map(OsStr::to_string_lossy).unwrap_or_default();
        return Ok((Some(stem.into_owned()), bytes));
    }
    Ok((None, Zeroizing::new(text.as_bytes().to_vec())))
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
    fn public_keys_are_read_alike_and_private_ones_not() {
        let hex = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.key");
        std::fs::write(&path, format!("{hex}\n")).unwrap();
        let key = read_public(&format!("file:{}", path.display())).unwrap();
        assert_eq!((&*key.id, key.known().len()), ("app", 1));
        assert_eq!(&*read_public(hex).unwrap().id, "public-key");
        assert!(read_public(&format!("whsk_{hex}")).unwrap_err().contains("private"));
        assert!(read_public("env:").is_err() && read_public("").is_err());
    }

    #[test]
    fn variables_and_plain_text() {
        assert!(read("env:HOOKWARD_NO_SUCH_VARIABLE").unwrap_err().ends_with("is not set"));
        assert_eq!(**read("env").unwrap().bytes, *b"env");
        assert!(read("").is_err());
        assert!(read("env:").unwrap_err().contains("env:NAME"));
    }
}
