//! What one fetch takes, and what it refuses.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use super::server::{Act, Server, answer, target};
use crate::{
    clock::{Clock, UnixMs},
    config::model,
    fetch::{FetchError, Fetcher, Resolver, Settings},
    net::Target,
};

#[tokio::test]
async fn a_good_answer() {
    let server =
        Server::start("keys.example", answer("200 OK", "Cache-Control: max-age=600\r\n", "{}"))
            .await;
    let (fetcher, _) = server.fetcher(&server.config());
    let fetched = fetcher.get(&target()).await.unwrap();
    assert_eq!((&*fetched.body, fetched.fresh_for.as_secs()), (&b"{}"[..], 600));
    let head = server.heads.lock().unwrap()[0].to_ascii_lowercase();
    assert!(head.starts_with("get /set?a=b http/1.1\r\nhost: keys.example\r\n"), "{head}");
    // Nothing that invites a compressed answer, and nothing about us but a name.
    assert!(!head.contains("accept-encoding") && !head.contains("authorization"), "{head}");
}

#[tokio::test]
async fn every_other_answer() {
    let server = Server::start("keys.example", answer("200 OK", "", "")).await;
    let long = "x".repeat(1001);
    let chunked =
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n{long}\r\n0\r\n\r\n");
    let endless = format!("HTTP/1.1 200 OK\r\n\r\n{long}");
    let head = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(100_000));
    for (act, want) in [
        (answer("500 Oops", "", "{}"), "the answer's status is 500"),
        (answer("404 Not Found", "", ""), "the answer's status is 404"),
        (
            answer("302 Found", "Location: https://keys.example/other\r\n", ""),
            "the answer's status is 302",
        ),
        (answer("206 Partial Content", "", "{}"), "the answer's status is 206"),
        (answer("204 No Content", "", ""), "the answer's status is 204"),
        (answer("200 OK", "Content-Encoding: gzip\r\n", "{}"), "the answer is compressed"),
        (answer("200 OK", "", &long), "the answer is larger than 1000 bytes"),
        (Act::Answer(chunked.into()), "the answer is larger than 1000 bytes"),
        (Act::Answer(endless.into()), "the answer is larger than 1000 bytes"),
        (
            Act::Answer(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}".into()),
            "the answer is broken",
        ),
        (Act::Answer(b"SSH-2.0-OpenSSH\r\n".into()), "the answer is broken"),
        (Act::Answer(head.into()), "the answer is broken"),
        (Act::Answer(Vec::new()), "the answer is broken"),
    ] {
        server.now(act);
        let (fetcher, _) = server.fetcher(&server.config());
        let error = fetcher.get(&target()).await.unwrap_err().to_string();
        assert!(error.starts_with(want), "{error}, not {want}");
    }
    assert_eq!(server.hits(), 13, "no redirect is followed, nothing is asked twice");
}

#[tokio::test]
async fn whoever_takes_too_long_is_left() {
    let server = Server::start("keys.example", Act::Stall(Vec::new())).await;
    let config = model::Fetch { timeout: Duration::from_millis(200), ..server.config() };
    for begin in
        [&b""[..], b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{}"]
    {
        server.now(Act::Stall(begin.into()));
        let (fetcher, _) = server.fetcher(&config);
        let late = FetchError::Late(Duration::from_millis(200));
        assert_eq!(fetcher.get(&target()).await.unwrap_err(), late);
    }
    // A name that is never resolved.
    let settings = Settings::new(&config, Resolver::new(|_, _| Box::pin(std::future::pending())));
    let fetcher = Fetcher::new(Clock::manual(UnixMs(0)), settings);
    assert!(matches!(fetcher.get(&target()).await, Err(FetchError::Late(_))));
}

#[tokio::test]
async fn the_certificate_must_be_for_the_host_and_trusted() {
    let server = Server::start("other.example", answer("200 OK", "", "{}")).await;
    let (fetcher, _) = server.fetcher(&server.config());
    assert!(matches!(fetcher.get(&target()).await, Err(FetchError::Tls(_))));
    let server = Server::start("keys.example", answer("200 OK", "", "{}")).await;
    let stranger = Server::start("keys.example", answer("200 OK", "", "{}")).await;
    let (fetcher, _) = server.fetcher(&stranger.config());
    assert!(matches!(fetcher.get(&target()).await, Err(FetchError::Tls(_))));
    assert!(server.heads.lock().unwrap().is_empty(), "nothing was asked of a stranger");
}

/// A client for which every name resolves to these addresses.
fn resolving_to(addresses: &[&str], allow_private: bool) -> Arc<Fetcher> {
    let addresses: Vec<SocketAddr> = addresses.iter().map(|text| text.parse().unwrap()).collect();
    let resolver = Resolver::new(move |_, _| {
        let addresses = addresses.clone();
        Box::pin(async move { Ok(addresses) })
    });
    let config = model::Fetch { allow_private, ..model::Fetch::default() };
    Fetcher::new(Clock::manual(UnixMs(0)), Settings::new(&config, resolver))
}

#[tokio::test]
async fn what_resolves_to_the_inside_is_not_connected_to() {
    for inside in [
        "127.0.0.1:443",
        "10.0.0.1:443",
        "169.254.169.254:443",
        "[::1]:443",
        "[fe80::1]:443",
        "[::ffff:127.0.0.1]:443",
        "[64:ff9b::7f00:1]:443",
        "0.0.0.0:443",
        "100.64.0.1:443",
    ] {
        let error = resolving_to(&[inside], false).get(&target()).await.unwrap_err();
        assert_eq!(error, FetchError::Inside, "{inside}");
    }
    for never in ["169.254.169.254:443", "[fe80::1]:443", "0.0.0.0:443", "224.0.0.1:443"] {
        let error = resolving_to(&[never], true).get(&target()).await.unwrap_err();
        assert_eq!(error, FetchError::Inside, "{never}");
    }
    let error = resolving_to(&[], true).get(&target()).await.unwrap_err();
    assert!(matches!(error, FetchError::Unresolved(_)));
    // An address in the URL needs no resolver, and is judged all the same.
    for url in ["https://127.0.0.1/", "https://[::1]/", "https://169.254.169.254/"] {
        let target = Target::configured(url).unwrap();
        let error = resolving_to(&["1.1.1.1:443"], false).get(&target).await.unwrap_err();
        assert_eq!(error, FetchError::Inside, "{url}");
    }
}

#[tokio::test]
async fn of_several_addresses_only_the_allowed_are_tried() {
    let server = Server::start("keys.example", answer("200 OK", "", "{}")).await;
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let addresses: Vec<SocketAddr> =
        vec!["169.254.169.254:443".parse().unwrap(), closed, server.address];
    let resolver = Resolver::new(move |_, _| {
        let addresses = addresses.clone();
        Box::pin(async move { Ok(addresses) })
    });
    let settings = Settings::new(&server.config(), resolver);
    let fetcher = Fetcher::new(Clock::manual(UnixMs(0)), settings);
    assert!(fetcher.get(&target()).await.is_ok());
}
