//! `--watch`: reloads when the contents of a file change.

use std::{collections::BTreeMap, io, path::PathBuf, sync::Arc, time::Duration};

use sha2::{Digest, Sha256};
use tokio::runtime::Handle;
use zeroize::Zeroizing;

use super::{Inner, signals::reload};

/// How often `--watch` compares.
const WATCH_EVERY: Duration = Duration::from_secs(10);

/// Reloads whenever the contents of a file change. Contents are compared, not times: an
/// orchestrator swaps whole directories by a symbolic link.
pub(super) async fn watch(inner: Arc<Inner>, runtime: Handle) {
    let mut seen = contents(&inner).await;
    let mut ticks = tokio::time::interval(WATCH_EVERY);
    loop {
        ticks.tick().await;
        look(&inner, &runtime, &mut seen).await;
    }
}

/// Reloads if anything changed since it was last looked at.
async fn look(inner: &Arc<Inner>, runtime: &Handle, seen: &mut Contents) {
    let before = contents(inner).await;
    if before == *seen {
        return;
    }
    reload(inner, runtime).await;
    // The files that count may be others now. What is written while the reload reads is not taken
    // for what it read: the next look finds it.
    let mut after = contents(inner).await;
    for (file, digest) in &mut after {
        if let Some(known) = before.get(file) {
            digest.clone_from(known);
        }
    }
    *seen = after;
}

/// What each file that counts holds, in SHA-256, or why it cannot be read.
type Contents = BTreeMap<PathBuf, Result<[u8; 32], io::ErrorKind>>;

/// Of every file that the running configuration was read from, and of what its includes match now.
async fn contents(inner: &Arc<Inner>) -> Contents {
    let inner = Arc::clone(inner);
    let digest = |file: &PathBuf| {
        // It may be a secret.
        let bytes = std::fs::read(file).map(Zeroizing::new).map_err(|error| error.kind())?;
        Ok(Sha256::digest(&bytes).into())
    };
    let read = move || {
        let files = inner.watched().into_iter();
        files.map(|file| (digest(&file), file)).map(|(digest, file)| (file, digest)).collect()
    };
    // Only a panic ends it without a result; then the next look finds everything changed.
    tokio::task::spawn_blocking(read).await.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::{os::unix::fs::symlink, path::Path};

    use tokio::runtime::Runtime;

    use super::*;
    use crate::{
        clock::{Clock, UnixMs},
        process::{Options, Process},
    };

    /// A gateway whose files can be changed, and what was last seen of them.
    struct Watcher {
        runtime: Runtime,
        process: Process,
        seen: Contents,
    }

    impl Watcher {
        fn start(config: &Path) -> Self {
            let mut options = Options::new(config.to_owned(), Clock::manual(UnixMs(0)));
            options.cores = std::num::NonZeroUsize::MIN;
            let process = Process::start(options).unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let seen = runtime.block_on(contents(&process.inner));
            Self { runtime, process, seen }
        }

        /// How many reloads worked and failed by now, after another look.
        fn look(&mut self) -> (u32, u32) {
            let handle = self.process.runtime.handle().clone();
            self.runtime.block_on(look(&self.process.inner, &handle, &mut self.seen));
            let text = self.process.inner.telemetry.scrape();
            let count = |result: &str| {
                let name = format!("hookward_config_reloads_total{{result=\"{result}\"}} ");
                text.lines().find_map(|line| line.strip_prefix(&name)).unwrap().parse().unwrap()
            };
            (count("success"), count("failure"))
        }
    }

    fn config(more: &str) -> String {
        format!(
            "include = [\"routes.d/*.toml\"]\n[server]\nlisten = [\"127.0.0.1:0\"]\n\
             [routes.a]\npath = \"/a\"\nprovider = \"github\"\n\
             secrets = [{{ file = \"mount/secret.txt\" }}]\nupstream = \"builtin:echo\"\n{more}"
        )
    }

    fn included(name: &str) -> String {
        config("").split("[routes.a]").nth(1).unwrap().replace("/a", name)
    }

    /// As a cluster mounts a secret: names that point through a link, which is swapped.
    fn mount(dir: &Path, version: &str, secret: &str) {
        let mount = dir.join("mount");
        std::fs::create_dir_all(mount.join(version)).unwrap();
        std::fs::write(mount.join(version).join("secret.txt"), secret).unwrap();
        symlink(version, mount.join("..tmp")).unwrap();
        std::fs::rename(mount.join("..tmp"), mount.join("..data")).unwrap();
        if !mount.join("secret.txt").exists() {
            symlink("..data/secret.txt", mount.join("secret.txt")).unwrap();
        }
    }

    fn directory() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        mount(dir.path(), "..1", "the-first-secret-0123456789");
        std::fs::create_dir(dir.path().join("routes.d")).unwrap();
        let route = format!("[routes.b]{}", included("/b"));
        std::fs::write(dir.path().join("routes.d/b.toml"), route).unwrap();
        std::fs::write(dir.path().join("hookward.toml"), config("")).unwrap();
        dir
    }

    #[test]
    fn a_swapped_link_is_a_change_and_a_touched_file_is_none() {
        let dir = directory();
        let mut watcher = Watcher::start(&dir.path().join("hookward.toml"));
        assert_eq!(watcher.look(), (0, 0));
        mount(dir.path(), "..2", "the-second-secret-0123456789");
        assert_eq!(watcher.look(), (1, 0));
        assert_eq!(watcher.look(), (1, 0));
        // Another directory with the same content is nothing new, nor is another time.
        mount(dir.path(), "..3", "the-second-secret-0123456789");
        std::fs::write(dir.path().join("hookward.toml"), config("")).unwrap();
        assert_eq!(watcher.look(), (1, 0));
        watcher.process.stop();
    }

    #[test]
    fn includes_that_come_and_go_are_changes() {
        let dir = directory();
        let mut watcher = Watcher::start(&dir.path().join("hookward.toml"));
        let more = format!("[routes.c]{}", included("/c"));
        std::fs::write(dir.path().join("routes.d/c.toml"), more).unwrap();
        assert_eq!(watcher.look(), (1, 0));
        std::fs::remove_file(dir.path().join("routes.d/c.toml")).unwrap();
        assert_eq!(watcher.look(), (2, 0));
        assert_eq!(watcher.look(), (2, 0));
        watcher.process.stop();
    }

    #[test]
    fn a_file_that_comes_after_the_configuration_that_names_it_is_a_change() {
        let dir = directory();
        let mut watcher = Watcher::start(&dir.path().join("hookward.toml"));
        let late = config("").replace("mount/secret.txt", "late.txt");
        std::fs::write(dir.path().join("hookward.toml"), late).unwrap();
        assert_eq!(watcher.look(), (0, 1));
        assert_eq!(watcher.look(), (0, 1));
        std::fs::write(dir.path().join("late.txt"), "the-late-secret-0123456789").unwrap();
        assert_eq!(watcher.look(), (1, 1));
        watcher.process.stop();
    }

    #[test]
    fn what_cannot_be_loaded_is_tried_once_and_again_when_it_changes() {
        let dir = directory();
        let mut watcher = Watcher::start(&dir.path().join("hookward.toml"));
        std::fs::remove_file(dir.path().join("mount/..1/secret.txt")).unwrap();
        assert_eq!(watcher.look(), (0, 1));
        assert_eq!(watcher.look(), (0, 1));
        mount(dir.path(), "..2", "");
        assert_eq!(watcher.look(), (0, 2));
        mount(dir.path(), "..3", "the-third-secret-0123456789");
        assert_eq!(watcher.look(), (1, 2));
        std::fs::write(dir.path().join("hookward.toml"), config("nonsense = 1\n")).unwrap();
        assert_eq!(watcher.look(), (1, 3));
        std::fs::write(dir.path().join("hookward.toml"), config("")).unwrap();
        assert_eq!(watcher.look(), (2, 3));
        watcher.process.stop();
    }
}
