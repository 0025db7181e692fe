//! Answers of every kind.

use proptest::prelude::*;

use super::{
    answer,
    run::{CONTROL, Ended, Script, own},
};

fn head() -> impl Strategy<Value = String> {
    let line = prop::sample::select(vec![
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 \r\n",
        "HTTP/1.1 201 Made So\r\n",
        "HTTP/1.1 204 No Content\r\n",
        "HTTP/1.1 304 Not Modified\r\n",
        "HTTP/1.1 500 Internal Server Error\r\n",
        "HTTP/1.1 999 X\r\n",
        "HTTP/1.0 200 OK\r\n",
        "HTTP/1.1 101 Switching Protocols\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n",
        "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Accepted\r\n",
        "\r\nHTTP/1.1 200 OK\r\n",
        "HTTP/2.0 200 OK\r\n",
        "HTTP/1.1 20 OK\r\n",
    ]);
    let field = prop::sample::select(vec![
        "Content-Length: 0\r\n",
        "content-length:\t005 \r\n",
        "Content-Length: 5, 5\r\n",
        "Content-Length: 5, 6\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: 18446744073709551615\r\n",
        "Content-Length: 18446744073709551616\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding: gzip, Chunked\r\n",
        "Transfer-Encoding: chunked, gzip\r\n",
        "Transfer-Encoding: \u{e9}, chunked\r\n",
        "Transfer-Encoding:\r\n",
        "X: y\r\n",
        "x: z\r\n",
        "X: \u{e9}\t\u{ff}\r\n",
        "Connection: close\r\n",
        "Connection: keep-alive, x\r\n",
        "connection: x\t,CLOSE ,y\r\n",
        "Connection: \u{e9},close\r\n",
        "Connection: upgrade\r\n",
        "Upgrade: x\r\n",
        "a b: c\r\n",
        " folded\r\n",
        "X: a\n",
        "X : y\r\n",
    ]);
    let line = prop_oneof![2 => Just("HTTP/1.1 200 OK\r\n"), 3 => line];
    (line, prop::collection::vec(field, 0..3))
        .prop_map(|(line, fields)| line.to_owned() + &fields.concat())
}

/// How an answer says where it ends.
#[derive(Clone, Copy, Debug)]
enum Said {
    Length(isize),
    Chunks,
    Nothing,
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let said = prop_oneof![
        3 => Just(Said::Length(0)),
        1 => (-2isize..3).prop_map(Said::Length),
        4 => Just(Said::Chunks),
        1 => Just(Said::Nothing),
    ];
    let parts = prop::collection::vec(prop::collection::vec(any::<u8>(), 1..20), 0..4);
    let size =
        prop::sample::select(vec!["", ";a=b", " ", "\t;x", " x", "; \u{e9}", ";\x01", "0", "g"]);
    let size = prop_oneof![6 => Just(""), 1 => size];
    let end = prop::sample::select(vec![
        "0\r\n\r\n",
        "000\r\n\r\n",
        "0;x\r\n\r\n",
        "0\r\nA: b\r\nC:\r\n\r\n",
        "0\r\nno trailer\r\n\r\n",
        "0\r\nHTTP/1.1 200 OK\r\n\r\n",
        "0\r\n A: b\r\n\r\n",
        "0\r\n: b\r\n\r\n",
        "0\r\nA : b\r\n\r\n",
        "0\r\nA: \x01\r\n\r\n",
        "00000000000000000\r\n\r\n",
        "",
    ]);
    let end = prop_oneof![3 => Just("0\r\n\r\n"), 1 => end];
    (said, parts, size, end).prop_map(|(said, parts, size, end)| match said {
        Said::Length(more) => {
            let all = parts.concat();
            let length = all.len().saturating_add_signed(more);
            [format!("Content-Length: {length}\r\n\r\n").into_bytes(), all].concat()
        }
        Said::Chunks => {
            let mut coded = b"Transfer-Encoding: chunked\r\n\r\n".to_vec();
            for part in &parts {
                coded.extend(format!("{:x}{size}\r\n", part.len()).chars().map(|c| c as u8));
                coded.extend(part);
                coded.extend(b"\r\n");
            }
            coded.extend(end.bytes());
            coded
        }
        Said::Nothing => [b"\r\n".to_vec(), parts.concat()].concat(),
    })
}

/// How it is played: rather whole and in few pieces.
pub(super) fn control() -> impl Strategy<Value = Vec<u8>> {
    let size = prop_oneof![2 => Just(0u8), 1 => any::<u8>(), 1 => 1u8..9];
    prop::collection::vec(size, CONTROL - 2)
        .prop_flat_map(|sizes| (any::<u8>(), any::<u8>(), Just(sizes)))
        .prop_map(|(method, end, sizes)| [vec![method, end], sizes].concat())
}

pub(super) fn stream() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        4 => prop::sample::select(b"\r\n\t :,;=0159afgx\x00\x01\x7f\x80\xff".to_vec()),
        1 => any::<u8>(),
    ];
    let edit = (any::<prop::sample::Index>(), 0u8..3, byte);
    let edits = prop_oneof![2 => Just(vec![]), 1 => prop::collection::vec(edit, 1..3)];
    let behind =
        prop_oneof![6 => Just(""), 1 => Just("\r\n"), 1 => Just("HTTP/1.1 200 OK\r\n\r\n")];
    (head(), body(), behind, edits).prop_map(|(head, body, behind, edits)| {
        let mut bytes: Vec<u8> = head.chars().map(|c| c as u8).collect();
        bytes.extend(body);
        bytes.extend(behind.bytes());
        for (at, kind, byte) in edits {
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => drop(bytes.remove(at)),
            }
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn an_answer_is_hypers_or_none((control, stream) in (control(), stream())) {
        answer(&[control, stream].concat());
    }
}

/// What any receiver may answer, and the body that it means.
fn good() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let parts = prop::collection::vec(prop::collection::vec(any::<u8>(), 1..20), 0..4);
    let line = prop::sample::select(vec![
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Made So\r\nX: \t\r\n",
    ]);
    let size = prop::sample::select(vec!["", ";a=b", " ", "\t; x=\"\u{e9}\""]);
    let end = prop::sample::select(vec!["0", "00;x", "0\r\nA:", "0\r\nA-b: c\r\nD: \te"]);
    (line, parts, prop::option::of((size, end))).prop_map(|(line, parts, chunks)| {
        let body = parts.concat();
        let mut bytes = line.as_bytes().to_vec();
        if let Some((size, end)) = chunks {
            bytes.extend(b"Transfer-Encoding: chunked\r\n\r\n");
            for part in &parts {
                bytes.extend(format!("{:X}{size}\r\n", part.len()).bytes());
                bytes.extend(part);
                bytes.extend(b"\r\n");
            }
            bytes.extend(format!("{end}\r\n\r\n").bytes());
        } else {
            bytes.extend(format!("Content-Length: {}\r\n\r\n", body.len()).bytes());
            bytes.extend(&body);
        }
        (bytes, body)
    })
}

proptest! {
    /// Otherwise a reader that refuses everything would be the strictest.
    #[test]
    fn what_is_in_order_is_taken((control, (bytes, body)) in (control(), good())) {
        let script = Script::read(&[vec![1, 3], control[2..].to_vec(), bytes].concat()).unwrap();
        let heard = own(&script);
        prop_assert_eq!((heard.ended, heard.reusable, &heard.body), (Ended::Whole, true, &body));
    }
}
