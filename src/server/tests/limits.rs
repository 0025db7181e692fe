//! How many connections there may be.

use super::support::{TestServer, eventually, post};

fn works(server: &TestServer) -> bool {
    let mut client = server.client();
    // A connection turned away may be reset before it is written to.
    let sent = std::io::Write::write_all(&mut client.0, post("/", "x").as_bytes()).is_ok();
    sent && client.finish_quietly().contains("body=Some(1)")
}

impl super::support::Client {
    fn finish_quietly(&mut self) -> String {
        // It may be closed already.
        self.0.shutdown(std::net::Shutdown::Write).unwrap_or_default();
        self.rest()
    }
}

#[test]
fn so_many_connections_and_no_more() {
    let server = TestServer::start(|config| config.limits.connections = 2);
    let (mut one, mut two) = (server.client(), server.client());
    for client in [&mut one, &mut two] {
        assert!(client.send(post("/", "x")).answer().contains("200 OK"));
    }
    assert_eq!(server.control.connections(), 2);
    assert_eq!(server.client().closed_after().as_secs(), 0);
    assert_eq!(server.control.turned_away(), 1);
    drop(one);
    eventually(|| server.control.connections() == 1);
    assert!(works(&server));
    drop(two);
    eventually(|| server.control.connections() == 0);
}

#[test]
fn so_many_connections_of_one_source() {
    let server = TestServer::start(|config| config.limits.connections_per_source = 1);
    let mut one = server.client();
    assert!(one.send(post("/", "x")).answer().contains("200 OK"));
    assert!(!works(&server));
    // IPv4 loopback is a whole /8: another address is another source.
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&std::net::SocketAddr::from(([127, 0, 0, 2], 0)).into()).unwrap();
    socket.connect(&server.address.into()).unwrap();
    let mut other = super::support::Client(socket.into());
    assert!(other.send(post("/", "x")).answer().contains("source=127.0.0.2"));
    drop(one);
    eventually(|| works(&server));
}

#[test]
fn trusted_proxies_are_exempt() {
    let server = TestServer::start(|config| {
        config.limits.connections_per_source = 1;
        config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    });
    let mut clients: Vec<_> = (0..5).map(|_| server.client()).collect();
    for client in &mut clients {
        assert!(client.send(post("/", "x")).answer().contains("200 OK"));
    }
}

#[test]
fn connections_are_spread_over_the_cores() {
    let server = TestServer::start(|_| {});
    let mut clients: Vec<_> = (0..8).map(|_| server.client()).collect();
    let cores: Vec<_> = clients
        .iter_mut()
        .map(|client| client.send(post("/", "x")).answer().contains("core=0"))
        .collect();
    let on_first = cores.iter().filter(|first| **first).count();
    assert!((3..=5).contains(&on_first), "{on_first} of 8");
}

#[test]
fn limits_that_a_reload_changed_hold_for_new_connections() {
    let server = TestServer::start(|_| {});
    let mut before = server.client();
    assert!(before.send(post("/", "x")).answer().contains("200 OK"));
    let mut changed = crate::server::ServerSettings::clone(&server.settings.load());
    changed.limits.connections = 1;
    server.settings.store(std::sync::Arc::new(changed));
    assert!(!works(&server));
    assert!(before.send(post("/", "x")).answer().contains("200 OK"));
}
