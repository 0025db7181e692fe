//! What the figures were taken on.

use std::{fs, process::Command, thread};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::{pages::Block, process::find};

/// The machine, the versions and how quiet it was in one line, as the block `machine`.
pub fn block(hookward: &str, disturbed: f64) -> Block {
    let cpus = thread::available_parallelism().map_or(0, usize::from);
    let parts = [
        format!("{cpus} × {}", cpu().unwrap_or_else(|| "unknown CPU".into())),
        format!("Linux {}", kernel()),
        version("nginx", "-v"),
        version("haproxy", "-v"),
        version(hookward, "--version"),
        format!("neighbours had the gateways' CPU {:.0} % of the time", disturbed * 100.0),
    ];
    Block::new("machine", parts.join("; "))
}

/// Allows as many descriptors as this user may have: thousands of connections need them. What is
/// started from here inherits it.
pub fn raise_descriptor_limit() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // Where it is refused, only the scenarios with thousands of connections fail, and say so.
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).ok();
}

fn cpu() -> Option<String> {
    let info = fs::read_to_string("/proc/cpuinfo").ok()?;
    let value = |key: &str| {
        let line = info.lines().find(|line| line.starts_with(key))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let numbers = value("cpu family").zip(value("model\t"));
    let numbers = numbers.map(|(family, model)| format!(" (family {family}, model {model})"));
    Some(value("model name")? + &numbers.unwrap_or_default())
}

fn kernel() -> String {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    release.split(['-', '+', '\n']).next().unwrap_or_default().to_owned()
}

/// The first three words or so of what a program says about itself.
fn version(program: &str, flag: &str) -> String {
    let file = if program.contains('/') { Ok(program.to_owned()) } else { find(program) };
    let Some(output) = file.ok().and_then(|file| Command::new(file).arg(flag).output().ok()) else {
        return format!("no {program}");
    };
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let line = said.lines().next().unwrap_or_default();
    let line =
        line.replace("nginx version: nginx/", "nginx ").replace("HAProxy version", "HAProxy");
    line.split_ascii_whitespace().take(2).collect::<Vec<_>>().join(" ")
}
