//! The real gateway in this process, on ports that the system chooses.

use std::{net::SocketAddr, path::PathBuf};

use hookward::{
    clock::{Clock, UnixMs},
    process::{Options, Process},
};

use super::client::{Answer, Client, request};

/// A running gateway; stopped when dropped.
pub struct Gateway {
    process: Option<Process>,
    pub address: SocketAddr,
    pub clock: Clock,
    pub dir: tempfile::TempDir,
}

/// When the manual clock of every test begins.
pub const NOW: i64 = 1_760_000_000;

impl Gateway {
    /// Starts with a configuration; `listen = ["127.0.0.1:0"]` is added in front if it has no
    /// `[server]` of its own.
    pub fn start(config: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self::start_in(dir, config)
    }

    pub fn start_in(dir: tempfile::TempDir, config: &str) -> Self {
        let clock = Clock::manual(UnixMs::from_secs(NOW));
        let path = write_config(&dir, config);
        let mut options = Options::new(path, clock.clone());
        options.cores = std::num::NonZeroUsize::new(2).unwrap();
        let process = Process::start(options).unwrap_or_else(|error| panic!("{error}"));
        let address = process.addresses()[0];
        Self { process: Some(process), address, clock, dir }
    }

    /// Writes another configuration and reloads; `false` if it was refused.
    pub fn reload(&self, config: &str) -> bool {
        write_config(&self.dir, config);
        self.process().reload().is_ok()
    }

    pub fn process(&self) -> &Process {
        self.process.as_ref().unwrap()
    }

    pub fn admin(&self) -> SocketAddr {
        self.process().admin_address().expect("the configuration has [admin]")
    }

    pub fn connect(&self) -> Client {
        Client::connect(self.address)
    }

    pub fn send(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let mut client = self.connect();
        client.write(&request(method, target, headers, body));
        client.read().expect("an answer")
    }

    pub fn post(&self, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.send("POST", target, headers, body)
    }

    /// The text of `/metrics`.
    pub fn metrics(&self) -> String {
        let mut client = Client::connect(self.admin());
        client.write(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
        client.read().expect("metrics").text()
    }

    /// Stops, and reads the audit file's lines.
    pub fn audit(mut self, name: &str) -> Vec<serde_json::Value> {
        self.process.take().unwrap().stop();
        let text = std::fs::read_to_string(self.dir.path().join(name)).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub fn stop(mut self) {
        self.process.take().unwrap().stop();
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if let Some(process) = self.process.take() {
            process.stop();
        }
    }
}

fn write_config(dir: &tempfile::TempDir, config: &str) -> PathBuf {
    let path = dir.path().join("hookward.toml");
    let listen =
        if config.contains("[server]") { "" } else { "[server]\nlisten = [\"127.0.0.1:0\"]\n" };
    std::fs::write(&path, format!("{listen}{config}")).unwrap();
    path
}
