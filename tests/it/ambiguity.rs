//! I5: what two programs could read in two ways is refused, on the bytes as received.

use crate::support::{Gateway, Upstream, github};

const SECRET: &str = "a-secret-of-16-bytes-or-more";

#[test]
fn ambiguous_heads_are_refused_and_nothing_behind_them_is_parsed() {
    let upstream = Upstream::start();
    let gateway = Gateway::start(&format!(
        "[routes.github]\npath = \"/github\"\nprovider = \"github\"\nsecrets = [{{ value = \"{SECRET}\" }}]\nupstream = \"{}\"\n",
        upstream.url("")
    ));
    let signature = github(SECRET, b"ab");
    let heads = [
        "POST /github HTTP/1.1\r\nHost: h\r\n{S}Content-Length: 2\r\nContent-Length: 2\r\n\r\nab",
        "POST /github HTTP/1.1\r\nHost: h\r\n{S}Content-Length: 2\r\nContent-Length: 3\r\n\r\nab",
        "POST /github HTTP/1.1\r\nHost: h\r\n{S}Content-Length: 2, 2\r\n\r\nab",
        "POST /github HTTP/1.1\r\nHost: h\r\n{S}Content-Length: +2\r\n\r\nab",
        "POST /github HTTP/1.1\r\nHost: h\r\n{S}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
        "POST /github HTTP/1.1\r\nHost: h\r\n{S}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
        "POST /github HTTP/1.1\r\nHost: h\r\n{S}Transfer-Encoding: gzip, chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
        "POST /github HTTP/1.1\r\nHost: h\r\n{S}Transfer-Encoding : chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
        "POST /github HTTP/1.1\r\n{S}Content-Length: 2\r\n\r\nab",
        "POST /github HTTP/1.1\r\nHost: h\r\nHost: h\r\n{S}Content-Length: 2\r\n\r\nab",
        "POST http://other/github HTTP/1.1\r\nHost: h\r\n{S}Content-Length: 2\r\n\r\nab",
        "POST /github#x HTTP/1.1\r\nHost: h\r\n{S}Content-Length: 2\r\n\r\nab",
        "POST /github HTTP/1.1\r\nHost: h\r\n{S}X: a\r\n b\r\nContent-Length: 2\r\n\r\nab",
        "GARBAGE\r\nHost: h\r\n\r\n",
    ];
    for head in heads {
        let head = head.replace("{S}", &format!("X-Hub-Signature-256: {signature}\r\n"));
        let mut client = gateway.connect();
        client.write(head.as_bytes());
        client.write(b"GET /next HTTP/1.1\r\nHost: h\r\n\r\n");
        let answer = client.read();
        let answer = answer.unwrap_or_else(|| panic!("no answer to {head}"));
        assert_eq!(answer.status, 400, "{head}\n{answer:?}");
        assert_eq!(answer.code(), "bad_request", "{head}");
        assert!(answer.header("x-request-id").is_some());
        assert!(client.read().is_none(), "something behind it was answered: {head}");
    }
    assert_eq!(upstream.count(), 0);
}

#[test]
fn a_fault_in_a_later_request_is_answered_in_order() {
    let upstream = Upstream::start();
    let gateway = Gateway::start(&format!(
        "[routes.github]\npath = \"/github\"\nprovider = \"github\"\nsecrets = [{{ value = \"{SECRET}\" }}]\nupstream = \"{}\"\n",
        upstream.url("")
    ));
    let signature = github(SECRET, b"ab");
    let mut client = gateway.connect();
    client.write(
        format!(
            "POST /github HTTP/1.1\r\nHost: h\r\nX-Hub-Signature-256: {signature}\r\nContent-Length: 2\r\n\r\nab\
             POST /github HTTP/1.1\r\nHost: h\r\nHost: h\r\nContent-Length: 2\r\n\r\nab"
        )
        .as_bytes(),
    );
    assert_eq!(client.read().unwrap().status, 200);
    assert_eq!(client.read().unwrap().status, 400);
    assert!(client.is_closed());
}

#[test]
fn an_absolute_form_target_with_its_own_host_is_fine() {
    let upstream = Upstream::start();
    let gateway = Gateway::start(&format!(
        "[routes.github]\nhost = \"h.example\"\npath = \"/github\"\nprovider = \"github\"\nsecrets = [{{ value = \"{SECRET}\" }}]\nupstream = \"{}\"\n",
        upstream.url("")
    ));
    let signature = github(SECRET, b"ab");
    let mut client = gateway.connect();
    client.write(
        format!("POST http://H.example:80/github?a=b HTTP/1.1\r\nHost: h.example:80\r\nX-Hub-Signature-256: {signature}\r\nContent-Length: 2\r\n\r\nab").as_bytes(),
    );
    assert_eq!(client.read().unwrap().status, 200);
    assert_eq!(upstream.last().target(), "/github?a=b");
}
