//! HTTP/2 as a hostile sender writes it, frame by frame.

use crate::support::{Client, Gateway, Upstream, eventually, github};

const SECRET: &str = "a-secret-of-16-bytes-or-more";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// Header fields as literals, so that no table and no Huffman code is needed.
fn fields(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        for (text, first) in [(name, Some(0)), (value, None)] {
            block.extend(first);
            block.push(u8::try_from(text.len()).unwrap());
            block.extend(text.as_bytes());
        }
    }
    block
}

#[test]
fn a_stream_reset_without_an_error_is_no_end_of_the_body() {
    let upstream = Upstream::start();
    let gateway = Gateway::start(&format!(
        r#"
[server]
listen = ["127.0.0.1:0"]
[admin]
listen = "127.0.0.1:0"
[routes.github]
path = "/github"
provider = "github"
secrets = [{{ value = "{SECRET}" }}]
upstream = "{}"
"#,
        upstream.url("")
    ));
    // What arrived is signed: only that it is not all may keep it from being forwarded.
    let block = fields(&[
        (":method", "POST"),
        (":scheme", "http"),
        (":authority", "localhost"),
        (":path", "/github"),
        ("x-hub-signature-256", &github(SECRET, b"{}")),
    ]);
    let mut client = Client::connect(gateway.address);
    client.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").write(&frame(SETTINGS, 0, 0, b""));
    client.write(&frame(HEADERS, 4, 1, &block)).write(&frame(DATA, 0, 1, b"{}"));
    client.write(&frame(RESET, 0, 1, &0_u32.to_be_bytes()));
    eventually(|| {
        let metrics = gateway.metrics();
        metrics.contains(r#"hookward_requests_total{route="github",decision="sender_gone"} 1"#)
    });
    assert_eq!(upstream.count(), 0);
}

#[test]
fn an_upgrade_that_nobody_wants_holds_no_connection() {
    let upstream = Upstream::start();
    let gateway = Gateway::start(&format!(
        "[routes.github]\npath = \"/github\"\nprovider = \"github\"\nsecrets = [{{ value = \"{SECRET}\" }}]\nupstream = \"{}\"\n",
        upstream.url("")
    ));
    let mut client = gateway.connect();
    for (body, more) in [("1", ""), ("2", ", close")] {
        let signature = github(SECRET, body.as_bytes());
        client.write(
            format!(
                "POST /github HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings{more}\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nContent-Length: 1\r\nX-Hub-Signature-256: {signature}\r\n\r\n{body}"
            )
            .as_bytes(),
        );
        assert_eq!(client.read().expect("an answer").status, 200);
        assert_eq!(upstream.last().header("upgrade"), None);
        assert_eq!(upstream.last().header("http2-settings"), None);
    }
    assert!(client.is_closed());
}
