//! The program itself: signals, exit codes, and what it prints.

use std::{
    io::Read,
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
};

use crate::support::{Act, Answer, Client, Upstream, eventually, free_port, get, github, request};

const OLD: &str = "the-old-secret-of-16-bytes-or-more";
const NEW: &str = "the-new-secret-of-16-bytes-or-more";

/// `hookward run`; killed when dropped.
struct Run {
    child: Child,
    address: SocketAddr,
    admin: SocketAddr,
}

fn config(dir: &Path, address: SocketAddr, admin: SocketAddr, upstream: &Upstream, more: &str) {
    let text = format!(
        "[server]\nlisten = [\"{address}\"]\nanswers = \"codes\"\n[admin]\nlisten = \"{admin}\"\n[routes.github]\npath = \"/github\"\nprovider = \"github\"\nsecrets = [{{ file = \"secret.txt\" }}]\nupstream = \"{}\"\n{more}",
        upstream.url("")
    );
    std::fs::write(dir.join("hookward.toml"), text).unwrap();
}

fn hookward(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hookward"));
    command.args(["run", "-c"]).arg(dir.join("hookward.toml"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

impl Run {
    fn start(dir: &Path, upstream: &Upstream) -> Self {
        let on = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
        let (address, admin) = (on(free_port()), on(free_port()));
        std::fs::write(dir.join("secret.txt"), format!("{OLD}\n")).unwrap();
        config(dir, address, admin, upstream, "");
        let child = hookward(dir).stderr(Stdio::null()).spawn().unwrap();
        eventually(|| TcpStream::connect(admin).is_ok());
        eventually(|| get(admin, "localhost", "/readyz").status == 200);
        Self { child, address, admin }
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    fn post(&self, secret: &str, body: &str) -> Answer {
        let mut client = Client::connect(self.address);
        client.write(&delivery(secret, body));
        client.read().unwrap()
    }

    fn counts(&self, line: &str) -> bool {
        get(self.admin, "localhost", "/metrics").text().lines().any(|there| there == line)
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn delivery(secret: &str, body: &str) -> Vec<u8> {
    let signature = github(secret, body.as_bytes());
    request("POST", "/github", &[("X-Hub-Signature-256", &signature)], body.as_bytes())
}

#[test]
fn signals_reload_and_drain() {
    let upstream = Upstream::start();
    let dir = tempfile::tempdir().unwrap();
    let mut run = Run::start(dir.path(), &upstream);
    assert_eq!(run.post(OLD, "1").status, 200);
    assert_eq!(run.post(NEW, "2").status, 401);

    // Nobody else gets the port.
    let second = hookward(dir.path()).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(said.contains(&run.address.to_string()), "{said}");

    std::fs::write(dir.path().join("secret.txt"), NEW).unwrap();
    run.signal("-HUP");
    eventually(|| run.counts("hookward_config_reloads_total{result=\"success\"} 1"));
    assert_eq!(run.post(OLD, "3").status, 401);
    assert_eq!(run.post(NEW, "4").status, 200);
    assert_eq!(run.post(NEW, "1").code(), "replayed");

    config(dir.path(), run.address, run.admin, &upstream, "nonsense = 1\n");
    run.signal("-HUP");
    eventually(|| run.counts("hookward_config_reloads_total{result=\"failure\"} 1"));
    assert_eq!(run.post(NEW, "5").status, 200);

    upstream.next([Act::Gate]);
    let seen = upstream.count();
    let mut client = Client::connect(run.address);
    client.write(&delivery(NEW, "6"));
    upstream.wait_for(seen + 1);
    run.signal("-TERM");
    eventually(|| TcpStream::connect(run.address).is_err());
    assert!(run.child.try_wait().unwrap().is_none(), "it waits for the delivery");
    upstream.open_gate();
    assert_eq!(client.read().unwrap().text(), "gated");
    assert_eq!(run.child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_bad_configuration_does_not_start_and_says_where() {
    let upstream = Upstream::start();
    let dir = tempfile::tempdir().unwrap();
    let free = || SocketAddr::from(([127, 0, 0, 1], free_port()));
    let (address, admin) = (free(), free());
    std::fs::write(dir.path().join("secret.txt"), OLD).unwrap();
    for (more, line, said) in [
        ("evnts = [\"x\"]\n", 11, "did you mean \"events\"?"),
        ("[policy]\nrequire_timestamp = true\n", 8, "require_timestamp"),
        ("allow_from = [\"300.0.0.1\"]\n", 11, "300.0.0.1"),
    ] {
        config(dir.path(), address, admin, &upstream, more);
        let mut child = hookward(dir.path()).spawn().unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(1));
        let mut text = String::new();
        child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        assert!(text.contains(said), "{text}");
        assert!(text.contains(&format!("hookward.toml:{line}:")), "{line} {text}");
        assert!(!text.contains(OLD));
        assert!(!text.contains('\u{1b}'), "no colours where there is no terminal");
    }
    std::fs::remove_file(dir.path().join("hookward.toml")).unwrap();
    let missing = hookward(dir.path()).output().unwrap();
    assert!(matches!(missing.status.code(), Some(1 | 2)));
    assert!(String::from_utf8_lossy(&missing.stderr).contains("hookward.toml"));
}

#[test]
fn whoever_sees_it_listen_may_send_signals() {
    let upstream = Upstream::start();
    let dir = tempfile::tempdir().unwrap();
    let on = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
    let (address, admin) = (on(free_port()), on(free_port()));
    std::fs::write(dir.path().join("secret.txt"), OLD).unwrap();
    config(dir.path(), address, admin, &upstream, "");
    for name in ["-TERM", "-INT", "-HUP"].repeat(3) {
        let child = hookward(dir.path()).stderr(Stdio::null()).spawn().unwrap();
        let mut run = Run { child, address, admin };
        while TcpStream::connect(address).is_err() {
            std::thread::yield_now();
        }
        run.signal(name);
        if name == "-HUP" {
            run.signal("-TERM");
        }
        assert_eq!(run.child.wait().unwrap().code(), Some(0), "{name}");
    }
}
