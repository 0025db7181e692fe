//! How much memory all bodies together may take unless the configuration says so.

use std::{fs, path::Path, sync::OnceLock};

/// 512 MiB, or a quarter of the memory limit where that is less.
///
/// The limit is asked for once: it is a property of the process, not of a configuration.
pub(super) fn default_body_memory() -> usize {
    static LIMIT: OnceLock<usize> = OnceLock::new();
    *LIMIT.get_or_init(|| {
        let limit = memory_limit(Path::new("/")).unwrap_or(u64::MAX);
        usize::try_from((limit / 4).clamp(LEAST, MOST)).unwrap_or(usize::MAX)
    })
}

const MOST: u64 = 512 << 20;
/// A process that has less than this cannot serve anyway.
const LEAST: u64 = 1 << 20;

/// The smallest of the control groups' limits (version 2, version 1) and the machine's memory.
fn memory_limit(root: &Path) -> Option<u64> {
    let number = |path: &str| -> Option<u64> {
        fs::read_to_string(root.join(path)).ok()?.trim().parse().ok()
    };
    let groups = fs::read_to_string(root.join("proc/self/cgroup")).unwrap_or_default();
    let mut limits = vec![
        number("sys/fs/cgroup/memory.max"),
        number("sys/fs/cgroup/memory/memory.limit_in_bytes"),
        meminfo(&fs::read_to_string(root.join("proc/meminfo")).unwrap_or_default()),
    ];
    for line in groups.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(group)) = (fields.next(), fields.next()) else { continue };
        let group = group.trim_start_matches('/');
        if controllers.is_empty() {
            limits.push(number(&format!("sys/fs/cgroup/{group}/memory.max")));
        } else if controllers.split(',').any(|name| name == "memory") {
            limits.push(number(&format!("sys/fs/cgroup/memory/{group}/memory.limit_in_bytes")));
        }
    }
    limits.into_iter().flatten().min()
}

/// `MemTotal` of `/proc/meminfo`, in bytes.
fn meminfo(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_limit_counts() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        assert_eq!(memory_limit(root.path()), None);
        write("proc/meminfo", "MemTotal:        2048 kB\nMemFree: 1 kB\n");
        assert_eq!(memory_limit(root.path()), Some(2 << 20));
        write("sys/fs/cgroup/memory.max", "max\n");
        assert_eq!(memory_limit(root.path()), Some(2 << 20));
        write("proc/self/cgroup", "0::/a.slice/b\n");
        write("sys/fs/cgroup/a.slice/b/memory.max", "1048576\n");
        assert_eq!(memory_limit(root.path()), Some(1 << 20));
    }

    #[test]
    fn never_more_than_half_a_gibibyte() {
        assert!((LEAST..=MOST).contains(&(default_body_memory() as u64)));
    }
}
