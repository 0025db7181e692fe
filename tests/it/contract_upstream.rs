//! What an upstream's odd answers become.

use crate::support::{Act, Gateway, Upstream, github, request};

const SECRET: &str = "a-secret-of-16-bytes-or-more";

#[test]
fn an_upstream_s_http_version_is_its_own() {
    let upstream = Upstream::start();
    let gateway = Gateway::start(&format!(
        "[routes.github]\npath = \"/github\"\nprovider = \"github\"\nsecrets = [{{ value = \"{SECRET}\" }}]\nupstream = \"{}\"\n",
        upstream.url("")
    ));
    upstream.next([
        Act::Raw("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi"),
        Act::Raw("HTTP/1.0 200 OK\r\n\r\nto the end"),
    ]);
    // Both on one connection, which stays open.
    let mut client = gateway.connect();
    for (body, expected) in [(&b"1"[..], "hi"), (b"2", "to the end")] {
        let signature = github(SECRET, body);
        client.write(&request("POST", "/github", &[("X-Hub-Signature-256", &signature)], body));
        let answer = client.read().expect("an answer");
        assert!(answer.head.starts_with("HTTP/1.1 200"), "{}", answer.head);
        assert_eq!(answer.text(), expected);
    }
}
