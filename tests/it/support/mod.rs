//! What every test needs: a gateway on a free port, a client that writes raw bytes, an upstream
//! that records and misbehaves, and signatures.

mod client;
mod gateway;
pub mod http2;
mod logs;
mod sign;
pub mod tls;
mod upstream;

use std::time::{Duration, Instant};

pub use client::{Answer, Client, request};
pub use gateway::{Gateway, get};
pub use logs::logs;
pub use sign::{braintree, github, hmac_base64, hmac_hex, standard_webhooks, stripe};
pub use upstream::{Act, Upstream};

/// Waits for what comes about in other threads.
#[track_caller]
pub fn eventually(what: impl Fn() -> bool) {
    let begun = Instant::now();
    while !what() {
        assert!(begun.elapsed() < Duration::from_secs(10), "it does not come about");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A port that was free a moment ago, for what does not tell where it listens.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
