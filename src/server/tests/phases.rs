//! Who is too slow is closed, and nobody else.

use std::time::Duration;

use super::support::{TestServer, alone, post};

const SHORT: Duration = Duration::from_millis(150);
const LATE: Duration = Duration::from_secs(5);

fn impatient(server: &mut crate::config::model::Server) {
    server.limits.header_timeout = SHORT;
}

#[test]
fn who_sends_no_head_in_time_is_closed() {
    let _alone = alone();
    let server = TestServer::start(impatient);
    for part in ["", "\r\n", "P", "PRI * HTTP/2.0", "POST / HTTP/1.1\r\nHost: a\r\n"] {
        let mut client = server.client();
        let closed = client.send(part).closed_after();
        assert!((SHORT / 2..LATE).contains(&closed), "{part:?} after {closed:?}");
    }
}

#[test]
fn a_trickle_does_not_buy_time() {
    let _alone = alone();
    let server = TestServer::start(impatient);
    let mut client = server.client();
    let mut writer = client.0.try_clone().unwrap();
    let trickle = std::thread::spawn(move || {
        let mut sent = 0;
        while std::io::Write::write_all(&mut writer, b"P").is_ok() {
            std::thread::sleep(Duration::from_millis(10));
            sent += 1;
        }
        sent
    });
    assert!(client.closed_after() < LATE);
    assert!(trickle.join().unwrap() > 2);
}

#[test]
fn a_second_head_has_its_own_time() {
    let _alone = alone();
    let server = TestServer::start(impatient);
    let mut client = server.client();
    // The time between requests is the idle timeout's, ten seconds here.
    client.send(post("/slow", "x")).answer();
    std::thread::sleep(SHORT * 3);
    assert!(client.send(post("/", "x")).answer().contains("200 OK"));
    let closed = client.send("POST / HT").closed_after();
    assert!((SHORT / 2..LATE).contains(&closed), "{closed:?}");
}

#[test]
fn idle_connections_end() {
    let _alone = alone();
    let server = TestServer::start(|config| config.limits.idle_timeout = SHORT);
    let mut client = server.client();
    // The answer takes longer than the idle timeout: a request is not idleness.
    assert!(client.send(post("/slow", "x")).answer().contains("200 OK"));
    let closed = client.closed_after();
    assert!((SHORT / 2..LATE).contains(&closed), "{closed:?}");
}

#[test]
fn a_stray_line_end_does_not_shorten_the_idle_time() {
    let _alone = alone();
    let server = TestServer::start(impatient);
    let mut client = server.client();
    client.send(post("/", "x")).send("\r\n").answer();
    std::thread::sleep(SHORT * 3);
    assert!(client.send(post("/", "x")).answer().contains("200 OK"));
}
