//! One delivery from many threads and connections: exactly one is forwarded.

use std::sync::{Arc, Barrier, Mutex};

use crate::support::{Client, Gateway, Upstream, github, request};

const SECRET: &str = "a-secret-of-16-bytes-or-more";

#[test]
fn one_winner() {
    let upstream = Upstream::start();
    let gateway = Gateway::start(&format!(
        "[routes.github]\npath = \"/github\"\nprovider = \"github\"\nsecrets = [{{ value = \"{SECRET}\" }}]\nupstream = \"{}\"\n",
        upstream.url("")
    ));
    for round in 0..25 {
        let body = format!("round {round}").into_bytes();
        let bytes = Arc::new(request(
            "POST",
            "/github",
            &[("X-Hub-Signature-256", &github(SECRET, &body))],
            &body,
        ));
        let barrier = Barrier::new(8);
        let statuses = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let mut client = Client::connect(gateway.address);
                    barrier.wait();
                    client.write(&bytes);
                    statuses.lock().unwrap().push(client.read().unwrap().status);
                });
            }
        });
        let statuses = statuses.into_inner().unwrap();
        assert_eq!(statuses.iter().filter(|s| **s == 200).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|s| matches!(s, 200 | 409 | 503)), "{statuses:?}");
        assert_eq!(upstream.count(), round + 1);
    }
}
