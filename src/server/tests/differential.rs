//! The guard against hyper: what hyper refuses the guard refuses, and of what the guard passes hyper
//! sees the very header list that is in the bytes.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use hyper::{body::Incoming, server::conn::http1::Builder, service::service_fn};
use hyper_util::rt::TokioIo;
use proptest::prelude::*;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex};

use crate::{
    body::AnswerBody,
    server::{
        Connection, HeadFault,
        connection::Opened,
        guard::Guard,
        head::{Found, find, judge},
        watch::{Patience, Watch},
    },
};

type Fields = Vec<(String, Vec<u8>)>;

/// What reached the service.
#[derive(Clone, Debug, PartialEq)]
enum Seen {
    Fault(HeadFault),
    Request(String, String, Fields),
}

fn connection() -> Arc<Connection> {
    let patience = Patience { head: Duration::MAX, idle: Duration::MAX };
    let peer = ([127, 0, 0, 1], 1).into();
    let opened = Opened { peer, announced: None, tls: false, http2: false, certificate: None };
    Arc::new(Connection::new(opened, Arc::new(Watch::new(patience))))
}

fn fields<'a>(all: impl Iterator<Item = (&'a str, &'a [u8])>) -> Fields {
    let mut all: Fields = all.map(|(n, v)| (n.to_ascii_lowercase(), v.to_vec())).collect();
    all.sort();
    all
}

async fn hyper_sees(
    io: impl AsyncRead + AsyncWrite + Unpin,
    connection: Option<Arc<Connection>>,
) -> Vec<Seen> {
    let seen = Mutex::new(Vec::new());
    let service = service_fn(|request: Request<Incoming>| {
        let fault = connection.as_ref().and_then(|connection| connection.next_fault());
        let headers = request.headers().iter().map(|(n, v)| (n.as_str(), v.as_bytes()));
        seen.lock().unwrap().push(match fault {
            Some(fault) => Seen::Fault(fault),
            None => Seen::Request(
                request.method().to_string(),
                request.uri().to_string(),
                fields(headers),
            ),
        });
        async { Ok::<_, Infallible>(Response::new(AnswerBody::empty())) }
    });
    let served = Builder::new()
        .header_read_timeout(None)
        .half_close(true)
        .max_buf_size(64 * 1024)
        .serve_connection(TokioIo::new(io), service)
        .await;
    // That hyper refused shows in what the service did not see.
    drop(served);
    seen.into_inner().unwrap()
}

/// Sends the pieces, each seen by the other side before the next one.
async fn send(mut client: DuplexStream, pieces: Vec<Vec<u8>>) {
    for piece in pieces {
        // The other side may have closed already.
        client.write_all(&piece).await.unwrap_or_default();
        tokio::task::yield_now().await;
    }
    client.shutdown().await.unwrap_or_default();
    let mut sink = Vec::new();
    client.read_to_end(&mut sink).await.unwrap_or_default();
}

fn run(pieces: Vec<Vec<u8>>, guarded: bool) -> Vec<Seen> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let (client, server) = duplex(1 << 20);
        let sender = tokio::spawn(send(client, pieces));
        let seen = if guarded {
            let connection = connection();
            let guard = Guard::new(server, connection.clone(), 16 * 1024, Bytes::new());
            hyper_sees(guard, Some(connection)).await
        } else {
            hyper_sees(server, None).await
        };
        sender.await.unwrap();
        seen
    })
}

/// The header list of a head that passed, by nothing but its bytes.
fn by_bytes(head: &str) -> Seen {
    let mut lines = head.trim_start_matches("\r\n").split("\r\n");
    let mut first = lines.next().unwrap().split(' ');
    let (method, target) = (first.next().unwrap(), first.next().unwrap());
    let all = lines.take_while(|line| !line.is_empty()).map(|line| {
        let (name, value) = line.split_once(':').unwrap();
        (name, value.trim_matches([' ', '\t']).as_bytes())
    });
    // hyper writes a URL's missing path as `/`, and its scheme in lower case.
    let uri = target.parse::<http::Uri>().unwrap().to_string();
    Seen::Request(method.into(), uri, fields(all))
}

const FAULTY: [(&str, HeadFault); 12] = [
    ("GET / HTTP/1.1\r\n\r\n", HeadFault::HostMissing),
    ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", HeadFault::HostTwice),
    ("GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", HeadFault::HostDiffers),
    ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", HeadFault::HostMalformed),
    ("GET /#x HTTP/1.1\r\nHost: a\r\n\r\n", HeadFault::Fragment),
    ("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", HeadFault::Form),
    ("GET / HTTP/1.1\nHost: a\r\n\r\n", HeadFault::Control),
    ("GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n", HeadFault::HeaderName),
    (
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
        HeadFault::LengthTwice,
    ),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", HeadFault::LengthMalformed),
    (
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        HeadFault::TwoFramings,
    ),
    ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", HeadFault::TransferEncoding),
];

#[test]
fn every_fault_is_found_wherever_the_bytes_are_split() {
    let before = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n";
    for (faulty, fault) in FAULTY {
        let text = format!("{before}{faulty}{before}").into_bytes();
        for at in 0..before.len() + faulty.len() {
            let (one, other) = text.split_at(at);
            let seen = run(vec![one.to_vec(), other.to_vec()], true);
            assert_eq!(seen, [by_bytes(before), Seen::Fault(fault)], "{faulty:?} split at {at}");
        }
        let bytes = text.iter().map(|byte| vec![*byte]).collect();
        assert_eq!(run(bytes, true), [by_bytes(before), Seen::Fault(fault)], "{faulty:?}");
    }
}

fn head() -> impl Strategy<Value = String> {
    let start = prop::sample::select(vec![
        "GET / HTTP/1.1\r\n",
        "POST /a?b=c HTTP/1.1\r\n",
        "GET http://a/x HTTP/1.1\r\n",
        "GET http://a HTTP/1.0\r\n",
        "\r\nPUT /x HTTP/1.1\r\n",
        "POST / HTTP/1.0\r\n",
        "CONNECT a:1 HTTP/1.1\r\n",
        "OPTIONS * HTTP/1.1\r\n",
        "GET /\"{}|\\^`<> HTTP/1.1\r\n",
        "GET /?\"{}|\\^`<> HTTP/1.1\r\n",
        "GET //a/../b;c HTTP/1.1\r\n",
    ]);
    let line = prop::sample::select(vec![
        "Host: a\r\n",
        "host:a:80\r\n",
        "Host: [::1]\r\n",
        "Content-Length: 0\r\n",
        "Content-Length: 3\r\n",
        "Content-Length: 003\r\n",
        "content-length:\t3 \r\n",
        "Transfer-Encoding: chunked\r\n",
        "transfer-encoding: CHUNKED\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "X: y\r\n",
        "X: y\r\n",
        "X:\r\n",
        "Accept: */*\r\n",
        "Expect: 100-continue\r\n",
        "Upgrade: x\r\n",
        "Connection: upgrade, close\r\n",
        "x-\u{e9}: y\r\n",
        "X: \u{e9}\r\n",
        "a b: c\r\n",
        " folded\r\n",
        "\tx: y\r\n",
        "X: a\n",
        "X: a\rb\r\n",
        "X : y\r\n",
        "X-Long-Name-With_Under.Score!#$%&'*+^`|~: \"\\;,()\t\r\n",
    ]);
    (start, prop::collection::vec(line, 0..6))
        .prop_map(|(start, lines)| format!("{start}Host: a\r\n{}\r\n", lines.concat()))
}

/// Heads, as they are or with some bytes changed, inserted or taken out.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        4 => prop::sample::select(b"\r\n\t :#/\\\"%,;=@[]{}|^`<>~\x00\x01\x7f\x80\xff\xc3\xa9AZaz09.-_".to_vec()),
        1 => any::<u8>(),
    ];
    let edit = (any::<prop::sample::Index>(), 0u8..3, byte);
    (head(), prop_oneof![Just(0usize), 1usize..4], prop::collection::vec(edit, 3)).prop_map(
        |(head, count, edits)| {
            let mut bytes = head.into_bytes();
            for (at, kind, byte) in edits.into_iter().take(count) {
                let at = at.index(bytes.len());
                match kind {
                    0 => bytes[at] = byte,
                    1 => bytes.insert(at, byte),
                    _ => drop(bytes.remove(at)),
                }
            }
            bytes
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn what_the_guard_passes_has_one_meaning(head in mutated()) {
        let passes = match find(&head, 0) {
            Ok(Found::Complete { blank, end }) => judge(&head[blank..end]).is_ok(),
            _ => false,
        };
        let plain = run(vec![head.clone()], false);
        if passes {
            let text: String = head.iter().map(|b| char::from(*b)).collect();
            // As many bytes as characters: the bytes of values are compared as they are.
            let Seen::Request(method, uri, all) = by_bytes(&text) else { unreachable!() };
            let raw = |value: Vec<u8>| String::from_utf8(value).unwrap().chars().map(|c| c as u8).collect();
            let all = all.into_iter().map(|(name, value)| (name, raw(value))).collect();
            let expected = Seen::Request(method, uri, all);
            prop_assert_eq!(plain.first(), Some(&expected));
            let guarded = run(vec![head], true);
            prop_assert_eq!(guarded.first(), Some(&expected));
        }
    }

    #[test]
    fn through_the_guard_nothing_else_is_ever_seen(
        heads in prop::collection::vec(mutated(), 1..4),
        cuts in prop::collection::vec(1usize..100, 1..10),
    ) {
        let text = heads.concat();
        let mut rest = text.as_slice();
        let mut pieces = Vec::new();
        for cut in cuts.into_iter().cycle().take(text.len()) {
            let (piece, after) = rest.split_at(cut.min(rest.len()));
            pieces.push(piece.to_vec());
            rest = after;
        }
        let seen = run(pieces, true);
        // However the bytes are cut the same is seen, but for where it ends: what is left of a body
        // that nobody read is skipped if it is there already, and ends the connection if it is not.
        let whole = run(vec![text], true);
        prop_assert!(seen.iter().zip(&whole).all(|(one, other)| one == other), "{:?} {:?}", seen, whole);
        let faults = seen.iter().filter(|seen| matches!(seen, Seen::Fault(_))).count();
        prop_assert!(faults <= 1 && (faults == 0 || matches!(seen.last(), Some(Seen::Fault(_)))));
    }
}
