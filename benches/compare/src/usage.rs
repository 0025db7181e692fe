//! What a process and its children have used, by the kernel's own account in `/proc`.

use std::fs;

use serde::{Deserialize, Serialize};

/// A process and all that descend from it.
#[derive(Debug)]
pub struct Tree {
    processes: Vec<u32>,
}

/// CPU time up to one moment, or between two.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Usage {
    /// On a CPU, in nanoseconds.
    pub cpu_ns: u64,
    /// Ready to run while somebody else had the CPU, in nanoseconds: what neighbours took.
    pub wait_ns: u64,
    /// In user mode, in clock ticks: exact only over many bursts.
    pub user_ticks: u64,
    /// In the kernel, in clock ticks.
    pub system_ticks: u64,
}

impl Tree {
    /// The tree as it is now; who is born later is not in it.
    pub fn of(root: u32) -> Self {
        let parents: Vec<(u32, u32)> = fs::read_dir("/proc")
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter_map(|process| Some((process, parent(process)?)))
            .collect();
        let mut processes = vec![root];
        let mut seen = 0;
        while let Some(&next) = processes.get(seen) {
            seen += 1;
            let children = parents.iter().filter(|(_, parent)| *parent == next);
            processes.extend(children.map(|(process, _)| *process));
        }
        Self { processes }
    }

    /// What all of them have used so far.
    pub fn usage(&self) -> Usage {
        self.processes.iter().fold(Usage::default(), |sum, process| {
            let (user_ticks, system_ticks) = ticks(*process).unwrap_or_default();
            let (cpu_ns, wait_ns) =
                scheduled(*process).unwrap_or_else(|| (in_ns(user_ticks + system_ticks), 0));
            Usage {
                cpu_ns: sum.cpu_ns + cpu_ns,
                wait_ns: sum.wait_ns + wait_ns,
                user_ticks: sum.user_ticks + user_ticks,
                system_ticks: sum.system_ticks + system_ticks,
            }
        })
    }

    /// Resident memory of all of them, in KiB. What they share counts for each.
    pub fn resident_kib(&self) -> u64 {
        let status = |process| fs::read_to_string(format!("/proc/{process}/status")).ok();
        self.processes.iter().filter_map(|process| resident(&status(process)?)).sum()
    }
}

impl Usage {
    /// What was used since that earlier moment.
    pub fn since(self, earlier: Self) -> Self {
        Self {
            cpu_ns: self.cpu_ns.saturating_sub(earlier.cpu_ns),
            wait_ns: self.wait_ns.saturating_sub(earlier.wait_ns),
            user_ticks: self.user_ticks.saturating_sub(earlier.user_ticks),
            system_ticks: self.system_ticks.saturating_sub(earlier.system_ticks),
        }
    }
}

/// The scheduler's account of all threads: time on a CPU, and time ready but not on one. `None`
/// where the kernel keeps none; a thread that has just ended counts no more.
fn scheduled(process: u32) -> Option<(u64, u64)> {
    fs::metadata(format!("/proc/{process}/schedstat")).ok()?;
    let threads = fs::read_dir(format!("/proc/{process}/task")).ok()?.flatten();
    let times = threads.filter_map(|thread| {
        let account = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        let mut times = account.split_ascii_whitespace().map_while(|time| time.parse::<u64>().ok());
        Some((times.next()?, times.next()?))
    });
    Some(times.fold((0, 0), |sum: (u64, u64), times| (sum.0 + times.0, sum.1 + times.1)))
}

fn parent(process: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    after_name(&stat).nth(1)?.parse().ok()
}

fn ticks(process: u32) -> Option<(u64, u64)> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let mut fields = after_name(&stat).skip(11);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

/// The fields from the state on. The name before it may hold spaces and parentheses.
fn after_name(stat: &str) -> impl Iterator<Item = &str> {
    stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_ascii_whitespace()
}

fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

fn in_ns(ticks: u64) -> u64 {
    ticks * 1_000_000_000 / rustix::param::clock_ticks_per_second().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_anything() {
        let stat = "7 (a) b (c) S 3 7 7 0 -1 4194560 1 2 3 4 55 66 0 0";
        assert_eq!(after_name(stat).nth(1), Some("3"));
        assert_eq!(after_name(stat).nth(11), Some("55"));
    }

    #[test]
    fn resident_memory_is_in_the_status() {
        assert_eq!(resident("Name:\tx\nVmRSS:\t    1234 kB\nThreads:\t1\n"), Some(1234));
        assert_eq!(resident("Name:\tx\n"), None);
    }

    #[test]
    fn this_process_has_used_something_and_grows() {
        let tree = Tree::of(std::process::id());
        let before = tree.usage();
        let mut sum = 0_u64;
        for number in 0..20_000_000_u64 {
            sum = std::hint::black_box(sum.wrapping_add(number));
        }
        assert!(tree.usage().since(before).cpu_ns > 0, "{sum}");
        assert!(tree.resident_kib() > 0);
    }
}
