//! Inputs of every kind.

use proptest::prelude::*;

use super::{http1, script::CONTROL};

fn head() -> impl Strategy<Value = String> {
    let line = prop::sample::select(vec![
        "POST / HTTP/1.1\r\n",
        "POST /a?b=c&d HTTP/1.1\r\n",
        "POST //a/../b;c HTTP/1.1\r\n",
        "POST /long/%20\\^|{} HTTP/1.1\r\n",
        "POST http://a/x HTTP/1.1\r\n",
        "POST / HTTP/1.0\r\n",
        "POST * HTTP/1.1\r\n",
        "GET / HTTP/1.1\r\n",
        "HEAD / HTTP/1.1\r\n",
        "\r\nPOST / HTTP/1.1\r\n",
        "\r\n\r\n\r\nPOST / HTTP/1.1\r\n",
    ]);
    let field = prop::sample::select(vec![
        "Content-Length: 0\r\n",
        "content-length:\t005 \r\n",
        "Content-Length: 40\r\n",
        "Content-Length: 999999999999999999\r\n",
        "Content-Length: 1x\r\n",
        "Transfer-Encoding: chunked\r\n",
        "X: y\r\n",
        "x: z\r\n",
        "X:\r\n",
        "X: \u{e9}\t\u{ff}\r\n",
        "Accept: */*\r\n",
        "Expect: 100-continue\r\n",
        "Upgrade: x\r\n",
        "Connection: close\r\n",
        "Connection: keep-alive, x\r\n",
        "connection: x\t,CLOSE ,y\r\n",
        "Connection: \u{e9},close\r\n",
        "Connection: upgrade\r\n",
        "a b: c\r\n",
        " folded\r\n",
        "X: a\n",
        "X : y\r\n",
        "X-Long-Name-With_Under.Score!#$%&'*+^`|~: \"\\;,()\t\r\n",
    ]);
    let line = prop_oneof![4 => Just("POST /x HTTP/1.1\r\n"), 1 => line];
    let field = prop_oneof![4 => Just("X: y\r\n"), 1 => field];
    (line, prop::collection::vec(field, 0..4), prop::bool::weighted(0.1)).prop_map(
        |(line, fields, many)| {
            let many = if many { "n: m\r\n".repeat(98) } else { String::new() };
            format!("{line}Host: a\r\n{many}{}", fields.concat())
        },
    )
}

/// A head with a body that has the right length, or too few or too many bytes.
fn request() -> impl Strategy<Value = Vec<u8>> {
    let body = prop_oneof![
        3 => prop::collection::vec(any::<u8>(), 0..30),
        1 => (0usize..3000).prop_map(|size| vec![b'z'; size]),
    ];
    (head(), body, prop_oneof![6 => Just(0isize), 1 => -3isize..4], prop::bool::weighted(0.8))
        .prop_map(|(head, body, more, announced)| {
            let length = body.len().saturating_add_signed(more);
            let length =
                if announced { format!("Content-Length: {length}\r\n") } else { String::new() };
            // As Latin-1: what is not ASCII is one byte.
            let mut bytes: Vec<u8> =
                format!("{head}{length}\r\n").chars().map(|c| c as u8).collect();
            bytes.extend(body);
            bytes
        })
}

/// How a script is played: mostly gently.
pub(super) fn control() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), CONTROL)
}

pub(super) fn stream() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        4 => prop::sample::select(b"\r\n\t :#/\\\"%,;=\x00\x01\x7f\x80\xff\xc3AZaz09.-_".to_vec()),
        1 => any::<u8>(),
    ];
    let edit = (any::<prop::sample::Index>(), 0u8..3, byte);
    let edits = prop_oneof![3 => Just(vec![]), 2 => prop::collection::vec(edit, 1..4)];
    (prop::collection::vec(request(), 1..5), edits).prop_map(|(requests, edits)| {
        let mut bytes = requests.concat();
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
    fn the_own_reader_is_hyper_or_stricter((control, stream) in (control(), stream())) {
        http1(&[control, stream].concat());
    }
}
