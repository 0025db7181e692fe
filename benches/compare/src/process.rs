//! Processes that are pinned to CPUs and never outlive this one.

use std::{
    env,
    fs::{self, File},
    net::{SocketAddr, TcpStream},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::failure::Failure;

/// How a program is run here.
#[derive(Clone, Copy, Debug)]
pub struct Placement<'a> {
    /// The CPUs that it may use, as `taskset -c` takes them.
    pub cpus: &'a str,
    /// SCHED_RR, so that what else the machine does is not seen. For low rates only.
    pub realtime: bool,
}

impl Placement<'_> {
    /// The program behind those that place it. Each of them becomes the next one, so the process
    /// stays the same. The kernel ends it when this process ends, in whatever way.
    pub fn command(self, program: &str, arguments: &[String]) -> std::process::Command {
        let mut command = std::process::Command::new("setpriv");
        command.args(["--pdeathsig", "TERM", "taskset", "-c", self.cpus]);
        if self.realtime {
            command.args(["chrt", "-r", "1"]);
        }
        command.arg(program).args(arguments).stdin(Stdio::null());
        command
    }
}

/// A server that this process started; dropping it ends it.
#[derive(Debug)]
pub struct Server {
    child: Child,
    address: SocketAddr,
    started_in: Duration,
}

impl Server {
    /// Starts a program and waits until it listens on `address`.
    ///
    /// # Errors
    ///
    /// It ended, or did not listen in time: with the end of what it wrote.
    pub fn start(
        mut command: std::process::Command,
        address: SocketAddr,
        log: &Path,
    ) -> Result<Self, Failure> {
        let output = File::create(log).map_err(Failure::file(log))?;
        let errors = output.try_clone().map_err(Failure::file(log))?;
        let begun = Instant::now();
        // A group of its own: what it starts can be ended with it.
        let command = command.stdout(output).stderr(errors).process_group(0);
        let child = command.spawn().map_err(Failure::Spawn)?;
        let mut server = Self { child, address, started_in: Duration::ZERO };
        while TcpStream::connect(address).is_err() {
            let ended = server.child.try_wait().map_err(Failure::Spawn)?.is_some();
            if ended || begun.elapsed() > LONGEST_START {
                let log = fs::read_to_string(log).unwrap_or_default();
                return Err(Failure::Start(tail(&log)));
            }
            thread::sleep(Duration::from_millis(5));
        }
        server.started_in = begun.elapsed();
        Ok(server)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// From its start until it listened.
    pub fn started_in(&self) -> Duration {
        self.started_in
    }

    /// Asks it to end, and waits. One that does not is killed, with the children in its group.
    fn stop(&mut self) {
        let Some(process) = Pid::from_raw(self.child.id().cast_signed()) else { return };
        // It may have ended by itself meanwhile: then there is nothing to signal.
        kill_process(process, Signal::TERM).ok();
        let asked = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) {
            if asked.elapsed() > LONGEST_STOP {
                kill_process_group(process, Signal::KILL).ok();
                break;
            }
            thread::sleep(Duration::from_millis(5));
        }
        self.child.wait().ok();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The path of a program. Servers stand where not everybody's `PATH` looks.
///
/// # Errors
///
/// It is not installed: with the packages that bring it.
pub fn find(program: &str) -> Result<String, Failure> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(["/usr/sbin", "/sbin"].map(PathBuf::from));
    let mut found = folders.map(|folder| folder.join(program)).filter(|file| file.is_file());
    let found = found.next().map(|file| file.to_string_lossy().into_owned());
    found.ok_or_else(|| Failure::Missing(program.into()))
}

/// Whether this user may have real-time scheduling.
pub fn realtime_permitted() -> bool {
    let status = std::process::Command::new("chrt").args(["-r", "1", "true"]).status();
    status.is_ok_and(|status| status.success())
}

fn tail(log: &str) -> String {
    let lines: Vec<_> = log.lines().collect();
    lines.iter().skip(lines.len().saturating_sub(12)).map(|line| format!("\n  {line}")).collect()
}

/// Ten thousand routes on a busy machine need a while.
const LONGEST_START: Duration = Duration::from_secs(30);
const LONGEST_STOP: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placing_does_not_change_the_program() {
        let placement = Placement { cpus: "0,1", realtime: true };
        let command = placement.command("nginx", &["-g".into(), "daemon off;".into()]);
        let arguments: Vec<_> = command.get_args().map(|word| word.to_str().unwrap()).collect();
        let wanted = "--pdeathsig TERM taskset -c 0,1 chrt -r 1 nginx -g";
        assert_eq!(arguments[..arguments.len() - 1].join(" "), wanted);
        assert_eq!(arguments.last(), Some(&"daemon off;"));
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = find("no-such-gateway").unwrap_err().to_string();
        assert!(error.contains("no-such-gateway") && error.contains("apt-get install"), "{error}");
    }

    #[test]
    fn the_end_of_a_log_is_shown() {
        let log: String = (0..20).map(|line| format!("{line}\n")).collect();
        assert!(tail(&log).starts_with("\n  8\n") && tail(&log).ends_with("\n  19"));
        assert_eq!(tail(""), "");
    }
}
