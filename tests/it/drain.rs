//! A drain finishes what is in flight and begins nothing.

use std::{net::TcpStream, time::Instant};

use crate::support::{Act, Gateway, Upstream, eventually, github, request};

const SECRET: &str = "a-secret-of-16-bytes-or-more";

fn gateway(upstream: &Upstream, grace: &str) -> Gateway {
    Gateway::start(&format!(
        r#"
[server]
listen = ["127.0.0.1:0"]
[server.limits]
shutdown_grace = "{grace}"
[log]
audit = "audit.jsonl"
[routes.github]
path = "/github"
provider = "github"
secrets = [{{ value = "{SECRET}" }}]
upstream = "{}"
"#,
        upstream.url("")
    ))
}

fn delivery(body: &[u8]) -> Vec<u8> {
    request("POST", "/github", &[("X-Hub-Signature-256", &github(SECRET, body))], body)
}

#[test]
fn what_is_in_flight_is_finished_and_answered() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, "10s");
    upstream.next([Act::Gate]);
    let address = gateway.address;
    let mut busy = gateway.connect();
    busy.write(&delivery(b"first"));
    upstream.wait_for(1);
    let mut idle = gateway.connect();
    idle.write(&delivery(b"second"));
    assert_eq!(idle.read().unwrap().status, 200);
    let begun = Instant::now();
    let stopping = gateway.stop_elsewhere();
    eventually(|| TcpStream::connect(address).is_err());
    assert!(idle.is_closed(), "an idle connection is closed at once");
    assert!(!stopping.is_finished());
    upstream.open_gate();
    let answer = busy.read().expect("an answer in spite of the drain");
    assert_eq!((answer.status, answer.text().as_str()), (200, "gated"));
    assert!(busy.is_closed());
    stopping.join().unwrap();
    assert!(begun.elapsed().as_secs() < 9, "it waited for nothing");
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn no_longer_than_the_grace() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, "300ms");
    upstream.next([Act::Gate]);
    let mut client = gateway.connect();
    client.write(&delivery(b"slow"));
    upstream.wait_for(1);
    let begun = Instant::now();
    gateway.stop();
    let took = begun.elapsed();
    assert!((300..5000).contains(&took.as_millis()), "{took:?}");
    assert!(client.read().is_none());
    upstream.open_gate();
}

#[test]
fn a_delivery_whose_sender_is_gone_is_finished_too() {
    let upstream = Upstream::start();
    let mut gateway = gateway(&upstream, "10s");
    upstream.next([Act::Gate]);
    let mut client = gateway.connect();
    client.write(&delivery(b"gone"));
    upstream.wait_for(1);
    drop(client);
    upstream.open_gate();
    let lines = gateway.audit("audit.jsonl");
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(lines[0]["decision"], "forwarded");
    assert_eq!(lines[0]["upstream_status"], 200);
}
