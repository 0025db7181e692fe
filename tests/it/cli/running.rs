//! `run` as a process of its own.

use std::{
    io::{BufRead, BufReader, Lines},
    net::SocketAddr,
    process::{Child, ChildStderr, Command, Stdio},
};

use super::call::{of_the_repository, program};
use crate::support::{Answer, Client, request};

/// A gateway in a process of its own; killed when dropped.
pub struct Running {
    child: Child,
    log: Lines<BufReader<ChildStderr>>,
    pub address: SocketAddr,
    folder: tempfile::TempDir,
}

impl Running {
    /// Starts a gateway and waits until it listens.
    pub fn start(config: &str, args: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hookward.toml");
        std::fs::write(&file, config).unwrap();
        let mut child = program()
            .args([&["run"], args].concat())
            .current_dir(folder.path())
            .env("HOOK", "0123456789abcdef0123")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap()).lines();
        let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
        let mut running = Self { child, log, address: nowhere, folder };
        let line = running.until("listening");
        let digits = line.rsplit_once("127.0.0.1:").expect("it listens on loopback").1;
        let port: String = digits.chars().take_while(char::is_ascii_digit).collect();
        running.address = SocketAddr::from(([127, 0, 0, 1], port.parse().unwrap()));
        running
    }

    /// The next line of the log that contains this.
    fn until(&mut self, text: &str) -> String {
        let mut line = self.log.by_ref().map(Result::unwrap);
        line.find(|line| line.contains(text)).unwrap_or_else(|| panic!("{text:?} was not logged"))
    }

    fn write_config(&self, config: &str) {
        std::fs::write(self.folder.path().join("hookward.toml"), config).unwrap();
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }

    fn get(&self, target: &str) -> Answer {
        let mut client = Client::connect(self.address);
        client.write(&request("GET", target, &[], b""));
        client.read().expect("an answer")
    }

    /// Asks it to end, and checks that it does so in order; the rest of its log.
    pub fn end(mut self) -> String {
        self.signal("-TERM");
        let rest: Vec<_> = self.log.by_ref().map(Result::unwrap).collect();
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
        rest.join("\n")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It is gone already where a test came to its end.
        let _: std::io::Result<()> = self.child.kill();
        let _: std::io::Result<_> = self.child.wait();
    }
}

const CONFIG: &str = "[server]\nlisten = [\"127.0.0.1:0\"]\n[routes.gh]\npath = \"/in\"\n\
                      provider = \"github\"\nsecrets = [{ env = \"HOOK\" }]\n\
                      upstream = \"builtin:echo\"\n";

#[test]
fn the_example_runs_and_drains() {
    let text = std::fs::read_to_string(of_the_repository("config.example.toml")).unwrap();
    // As it is but for the ports, which may be taken where the tests run.
    let text =
        text.replace("127.0.0.1:8080", "127.0.0.1:0").replace("127.0.0.1:9900", "127.0.0.1:0");
    let gateway = Running::start(&text, &["-c", "hookward.toml"]);
    assert_eq!(gateway.get("/github").status, 405);
    let log = gateway.end();
    assert!(log.contains("draining") && log.contains("stopped"), "{log}");
}

#[test]
fn a_bad_reload_changes_nothing_and_says_so() {
    let mut gateway = Running::start(CONFIG, &[]);
    gateway.write_config("[server]\nlisten = 1\n");
    gateway.signal("-HUP");
    let said = gateway.until("hookward.toml:2:10");
    assert!(said.contains("ERROR"), "{said}");
    gateway.until("the old one stays");
    assert_eq!(gateway.get("/in").status, 405);

    gateway.write_config(&CONFIG.replace("/in", "/out"));
    gateway.signal("-HUP");
    gateway.until("configuration reloaded");
    assert_eq!(gateway.get("/in").status, 404);
    assert_eq!(gateway.get("/out").status, 405);
    gateway.end();
}

#[test]
fn a_second_gateway_on_the_same_port_does_not_start() {
    let first = Running::start(CONFIG, &[]);
    let config = CONFIG.replace("127.0.0.1:0", &first.address.to_string());
    let second = super::Call::new(&["run"]).file("hookward.toml", config);
    let second = second.env("HOOK", "0123456789abcdef0123").run();
    assert_eq!((second.code, second.out.as_str()), (1, ""));
    let says = format!("error: cannot listen on {}: Address already in use", first.address);
    assert!(second.err.contains(&says), "{second:?}");
    first.end();
}

#[test]
fn an_audit_file_that_cannot_be_written_is_named() {
    let config = format!("{CONFIG}[log]\naudit = \"none/audit.jsonl\"\n");
    let done = super::Call::new(&["run"]).file("hookward.toml", config);
    let done = done.env("HOOK", "0123456789abcdef0123").run();
    assert_eq!(done.code, 1);
    assert!(done.err.contains("error: cannot open the audit file: none/audit.jsonl: "), "{done:?}");
}

#[test]
fn dev_is_for_people() {
    // Not only loopback is asked for, but only loopback it is.
    let config =
        CONFIG.replace("127.0.0.1:0", "0.0.0.0:0").replace("builtin:echo", "http://127.0.0.1:1");
    let mut gateway = Running::start(&config, &["--dev"]);
    let mut client = Client::connect(gateway.address);
    client.write(&request("POST", "/in", &[("X-Hub-Signature-256", "sha256=00")], b"{}"));
    assert_eq!(client.read().unwrap().code(), "signature_malformed");
    let line = gateway.until("signature_malformed");
    assert!(line.starts_with("✗ gh "), "{line}");
    assert_eq!(gateway.get("/nothing").code(), "no_route");
    gateway.end();
}
