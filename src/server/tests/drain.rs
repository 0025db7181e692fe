//! Ending without losing an answer.

use std::time::{Duration, Instant};

use super::support::{TestServer, alone, eventually, post};

#[test]
fn a_drain_answers_what_has_begun_and_closes_the_rest() {
    let _alone = alone();
    let server = TestServer::start(|_| {});
    let (mut silent, mut idle, mut busy, mut begun) =
        (server.client(), server.client(), server.client(), server.client());
    idle.send(post("/", "x")).answer();
    begun.send(post("/", "x")).answer();
    begun.send("POST / HTTP/1.1\r\n");
    busy.send(post("/drain", "x"));
    eventually(|| server.control.connections() == 4);
    std::thread::sleep(Duration::from_millis(50));
    server.control.shut_down();
    assert!(silent.closed_after() < Duration::from_secs(1));
    assert!(idle.closed_after() < Duration::from_secs(1));
    let answer = busy.rest();
    assert!(answer.contains("200 OK") && answer.contains("connection: close"), "{answer}");
    begun.send("Host: a\r\nContent-Length: 0\r\n\r\n");
    assert!(begun.rest().contains("200 OK"));
    drop((silent, idle, busy, begun));
    let address = server.address;
    assert!(server.join() < Duration::from_secs(3));
    assert!(std::net::TcpStream::connect(address).is_err());
}

#[test]
fn a_drain_waits_for_exchanges_that_outlive_their_sender() {
    let server = TestServer::start(|_| {});
    let exchange = server.control.exchanges().token();
    server.control.shut_down();
    let joined = std::thread::spawn(move || server.join());
    std::thread::sleep(Duration::from_millis(50));
    assert!(!joined.is_finished());
    drop(exchange);
    assert!(joined.join().unwrap() < Duration::from_secs(5));
}

#[test]
fn the_grace_ends() {
    let _alone = alone();
    let server =
        TestServer::start(|config| config.limits.shutdown_grace = Duration::from_millis(50));
    let mut client = server.client();
    client.send(post("/", "12345").trim_end_matches('5'));
    eventually(|| server.control.connections() == 1);
    let begun = Instant::now();
    server.control.shut_down();
    server.join();
    assert!(begun.elapsed() < Duration::from_secs(5));
    client.rest();
}

#[test]
fn what_arrived_before_the_drain_is_answered() {
    let _alone = alone();
    let server = TestServer::start(|_| {});
    let mut clients: Vec<_> = (0..50).map(|_| server.client()).collect();
    for client in &mut clients {
        client.send(post("/slow", "x"));
    }
    server.control.shut_down();
    for client in &mut clients {
        assert!(client.rest().contains("200 OK"));
    }
}
