//! The real gateway in this process, on ports that the system chooses.

use std::{net::SocketAddr, path::PathBuf};

use hookward::{
    clock::{Clock, UnixMs},
    fetch::Resolver,
    process::{Options, Process, StartError},
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
        Self::try_start_in(dir, config).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Why a configuration does not start.
    pub fn refused(config: &str) -> String {
        let dir = tempfile::tempdir().unwrap();
        Self::try_start_in(dir, config).err().expect("it must not start").to_string()
    }

    /// Starts where every name leads to this address, whatever the port.
    pub fn start_resolving(dir: tempfile::TempDir, config: &str, address: SocketAddr) -> Self {
        let resolver = Resolver::new(move |_, _| Box::pin(async move { Ok(vec![address]) }));
        let started = Self::try_start_with(dir, config, |options| options.resolver = resolver);
        started.unwrap_or_else(|error| panic!("{error}"))
    }

    fn try_start_in(dir: tempfile::TempDir, config: &str) -> Result<Self, StartError> {
        Self::try_start_with(dir, config, |_| {})
    }

    fn try_start_with(
        dir: tempfile::TempDir,
        config: &str,
        change: impl FnOnce(&mut Options),
    ) -> Result<Self, StartError> {
        let clock = Clock::manual(UnixMs::from_secs(NOW));
        let path = write_config(&dir, config);
        let mut options = Options::new(path, clock.clone());
        options.cores = std::num::NonZeroUsize::new(2).unwrap();
        change(&mut options);
        let process = Process::start(options)?;
        let address = process.addresses()[0];
        Ok(Self { process: Some(process), address, clock, dir })
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
        get(self.admin(), "localhost", "/metrics").text()
    }

    /// Drains from another thread; the handle ends with the drain.
    pub fn stop_elsewhere(mut self) -> std::thread::JoinHandle<()> {
        let process = self.process.take().unwrap();
        std::thread::spawn(move || process.stop())
    }

    /// Stops, and reads the audit file's lines.
    pub fn audit(&mut self, name: &str) -> Vec<serde_json::Value> {
        if let Some(process) = self.process.take() {
            process.stop();
        }
        let text = std::fs::read_to_string(self.dir.path().join(name)).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub fn stop(mut self) {
        self.process.take().unwrap().stop();
    }
}

/// Asks an admin endpoint.
pub fn get(address: SocketAddr, host: &str, path: &str) -> Answer {
    let mut client = Client::connect(address);
    client.write(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes());
    client.read().expect("an answer of the admin endpoints")
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
