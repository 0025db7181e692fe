//! The last good copy of what was fetched, for a start without the network.
//!
//! A file a URL, named by the URL's SHA-256, readable by nobody else: whoever can write there says
//! which keys and sources are good.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::lifetime;
use crate::{clock::UnixMs, net::Target};

/// A copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The body, as it was sent.
    pub body: Bytes,
    /// When it was fetched.
    pub at: UnixMs,
    /// How long it was fresh from then on.
    pub fresh_for: Duration,
}

/// How long keys that cannot be refreshed stay in use beyond their lifetime.
pub(super) const GRACE: Duration = Duration::from_secs(24 * 3600);

impl Kept {
    /// How long keys in it may be used from this time on, grace included; `None` if they are too
    /// old, or from the future and thus of no known age.
    pub(super) fn left(&self, now: UnixMs) -> Option<Duration> {
        let age = u64::try_from(now.0.checked_sub(self.at.0)?).ok()?;
        (self.fresh_for + GRACE).checked_sub(Duration::from_millis(age))
    }
}

/// The first line of every file.
const MAGIC: &str = "hookward-fetched-1";
/// No head of a file is longer, in bytes.
const LONGEST_HEAD: usize = 4096;

/// Writes a copy: whole, or not at all.
pub(super) fn save(dir: &Path, target: &Target, kept: &Kept) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    ours(dir)?;
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let path = file(dir, target);
    let draft = path.with_extension(format!("{}-{number}.new", std::process::id()));
    let written = write(&draft, &head(target, kept), &kept.body);
    let done = written.and_then(|()| fs::rename(&draft, &path));
    if done.is_err() {
        // What is left of it is of no use; why it failed is told already.
        let _removed: io::Result<()> = fs::remove_file(&draft);
    }
    done
}

fn write(path: &Path, head: &str, body: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(head.as_bytes())?;
    file.write_all(body)?;
    file.sync_all()
}

/// Reads a copy; `None` if there is none.
pub(super) fn load(dir: &Path, target: &Target, max_bytes: usize) -> io::Result<Option<Kept>> {
    let file = match File::open(file(dir, target)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    ours(dir)?;
    let most = max_bytes.saturating_add(LONGEST_HEAD);
    let mut bytes = Vec::new();
    if file.take(most as u64 + 1).read_to_end(&mut bytes)? > most {
        return Err(io::Error::other("larger than fetch.max_bytes"));
    }
    read(target, &bytes).map(Some).ok_or_else(|| io::Error::other("damaged"))
}

fn read(target: &Target, bytes: &[u8]) -> Option<Kept> {
    let end = bytes.windows(2).take(LONGEST_HEAD).position(|pair| pair == b"\n\n")?;
    let (head, rest) = bytes.split_at_checked(end)?;
    let body = rest.get(2..)?;
    let mut lines = std::str::from_utf8(head).ok()?.split('\n');
    let is_ours = lines.next()? == MAGIC && lines.next()? == name(target);
    let at = UnixMs(lines.next()?.parse().ok()?);
    let fresh_for = Duration::from_secs(lines.next()?.parse().ok()?).min(lifetime::CEILING);
    let is_whole = lines.next()? == hex::encode(Sha256::digest(body)) && lines.next().is_none();
    let body = Bytes::copy_from_slice(body);
    (is_ours && is_whole).then_some(Kept { body, at, fresh_for })
}

fn head(target: &Target, kept: &Kept) -> String {
    let digest = hex::encode(Sha256::digest(&kept.body));
    let (name, at, secs) = (name(target), kept.at.0, kept.fresh_for.as_secs());
    format!("{MAGIC}\n{name}\n{at}\n{secs}\n{digest}\n\n")
}

/// What the copy of a URL is called: the URL may hold a token.
fn name(target: &Target) -> String {
    hex::encode(Sha256::digest(target.url()))
}

fn file(dir: &Path, target: &Target) -> PathBuf {
    dir.join(name(target))
}

/// What others may write to is not believed.
fn ours(dir: &Path) -> io::Result<()> {
    if fs::metadata(dir)?.mode() & 0o022 == 0 {
        return Ok(());
    }
    Err(io::Error::other("others may write to the directory; chmod 700"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn target() -> Target {
        Target::configured("https://keys.example/set").unwrap()
    }

    fn kept() -> Kept {
        let fresh_for = Duration::from_secs(600);
        Kept { body: Bytes::from_static(b"{}\n\n{}"), at: UnixMs(1_760_000_000_123), fresh_for }
    }

    #[test]
    fn what_is_saved_is_loaded_and_private() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("a/b");
        assert_eq!(load(&dir, &target(), 100).unwrap(), None);
        save(&dir, &target(), &kept()).unwrap();
        save(&dir, &target(), &kept()).unwrap();
        assert_eq!(load(&dir, &target(), 100).unwrap(), Some(kept()));
        let other = Target::configured("https://keys.example/other").unwrap();
        assert_eq!(load(&dir, &other, 100).unwrap(), None);
        assert_eq!(fs::metadata(&dir).unwrap().mode() & 0o777, 0o700);
        let files: Vec<_> = fs::read_dir(&dir).unwrap().map(Result::unwrap).collect();
        assert_eq!(files.len(), 1, "no draft is left");
        assert_eq!(files[0].metadata().unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn what_is_damaged_is_not_believed() {
        let root = tempfile::tempdir().unwrap();
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o700)).unwrap();
        save(root.path(), &target(), &kept()).unwrap();
        let path = file(root.path(), &target());
        let whole = fs::read(&path).unwrap();
        for cut in 0..whole.len() {
            fs::write(&path, &whole[..cut]).unwrap();
            assert!(load(root.path(), &target(), 100).is_err(), "{cut}");
        }
        for at in 0..whole.len() {
            let mut other = whole.clone();
            other[at] ^= 1;
            fs::write(&path, &other).unwrap();
            // Only when it was fetched and for how long is not covered by a digest.
            if let Ok(found) = load(root.path(), &target(), 100) {
                assert_eq!(found.unwrap().body, kept().body, "{at}");
            }
        }
        fs::write(&path, &whole).unwrap();
        assert!(load(root.path(), &target(), 0).is_ok(), "a head has room of its own");
        fs::write(&path, [whole.as_slice(), &[b'x'; 5000]].concat()).unwrap();
        assert!(load(root.path(), &target(), 100).unwrap_err().to_string().contains("larger"));
    }

    #[test]
    fn a_directory_that_others_may_write_to_is_not_used() {
        let root = tempfile::tempdir().unwrap();
        save(root.path(), &target(), &kept()).unwrap();
        fs::set_permissions(root.path(), fs::Permissions::from_mode(0o777)).unwrap();
        assert!(load(root.path(), &target(), 100).is_err());
        assert!(save(root.path(), &target(), &kept()).is_err());
    }
}
