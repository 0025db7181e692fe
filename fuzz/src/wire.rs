//! Connections and answers as they should be: how they are played, in a few bytes, and the stream.

/// How a connection is played: limit, window and end, the sizes of the pieces, and what the service
/// does with three requests, in three bytes each.
const PLAYED: [[u8; 20]; 9] = [
    // All at once, read and answered at once.
    [0; 20],
    // Byte by byte.
    [0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 16, 1, 0, 48, 70, 0, 64, 70],
    // In pieces, with fixed answers; stays open.
    [0, 1, 3, 40, 20, 3, 70, 9, 30, 2, 60, 0, 16, 1, 8, 32, 9, 16, 16, 200],
    // With waits, and bodies in chunks.
    [0, 2, 0, 70, 30, 90, 0, 0, 0, 0, 0, 24, 64, 0x4c, 16, 72, 0xec, 8, 48, 0x24],
    // Bodies that are left, and small answers.
    [0, 0, 1, 60, 60, 60, 60, 60, 60, 60, 60, 4, 16, 2, 5, 24, 2, 38, 56, 2],
    // Answers that break off; the connection is reset.
    [0, 3, 2, 50, 80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 96, 0x40, 0, 112, 0x41],
    // Statuses without a body, and bodies shorter than they say, to senders that go on.
    [2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x13, 9, 0, 0x14, 9, 0, 0x72, 0x40],
    [3, 2, 3, 90, 7, 0, 0, 0, 0, 0, 0, 0, 0x72, 0x57, 0, 0x61, 0x41, 0, 0x62, 0x40],
    // A small limit, and a drain.
    [1, 0, 0x38, 45, 45, 45, 45, 45, 45, 45, 45, 8, 16, 3, 16, 32, 3, 0, 64, 0x26],
];

/// What is sent over it.
const SENT: [&str; 9] = [
    "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nonePOST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\ntwoPOST /c HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /in?x=1 HTTP/1.1\r\nHost: hooks.example.com:8443\r\nUser-Agent: x/1\r\nAccept: */*\r\nContent-Type: application/json\r\nX-Signature: t=1,v1=00ff\r\nContent-Length: 17\r\nX-A: 1\r\nX-A: 2\r\n\r\n{\"id\":\"evt_0001\"}",
    "POST / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nxPOST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 1\r\n\r\nyPOST / HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\n\r\n\r\nPOST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nPOST / HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\nokPOST / HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n1234HEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET http://a/x HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12345POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n12345",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12345POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\n12345",
    "POST / HTTP/1.1\r\nHost: a\r\nX: \t\u{e9} y\t\r\nEmpty:\r\nContent-Length:\t007 \r\n\r\n1234567POST / HTTP/1.1\r\nHost: a\r\nX: y\n\r\n",
];

/// How an answer is played: to which method, the end, and the sizes of the pieces.
const HEARD: [[u8; 8]; 4] =
    [[1, 0, 0, 0, 0, 0, 0, 0], [1, 3, 1, 1, 1, 1, 1, 1], [1, 2, 20, 9, 3, 40, 1, 0], [0, 1, 30, 0, 0, 0, 0, 0]];

/// What is answered.
const ANSWERED: [&str; 8] = [
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nX-A: 1\r\nX-A: 2\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0A;a=\"b\"\r\n0123456789\r\n0\r\nX: y\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 201 Made So\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3, 3\r\n\r\nabc",
    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end",
    "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\nETag: \"x\"\r\n\r\n",
    "HTTP/1.1 502 Bad Gateway\r\nTransfer-Encoding: gzip, chunked\r\nConnection: x, close\r\n\r\n1 \r\nx\r\n0\r\n\r\n",
];

pub(crate) fn connections() -> Vec<Vec<u8>> {
    let mut seeds = each(&PLAYED, &SENT);
    // Heads just within the limits, and just beyond.
    let [first, .., small, _, _] = PLAYED;
    let (head, end) = ("POST / HTTP/1.1\r\nHost: a\r\nX: ", "\r\n\r\n");
    let long = |length: usize| format!("{head}{}{end}", "y".repeat(length - head.len() - end.len()));
    seeds.extend(each(&[small], &[&long(120), &long(121)]));
    let lines = |count| format!("{head}z\r\n{}\r\n", "n: m\r\n".repeat(count));
    seeds.extend(each(&[first], &[&lines(98), &lines(99), &long(4096), &long(4097)]));
    seeds
}

pub(crate) fn answers() -> Vec<Vec<u8>> {
    each(&HEARD, &ANSWERED)
}

/// Every stream in every way.
fn each<const N: usize>(ways: &[[u8; N]], streams: &[&str]) -> Vec<Vec<u8>> {
    let way = |way: &[u8; N]| {
        let streams = streams.iter().map(|stream| [way, stream.as_bytes()].concat());
        streams.collect::<Vec<_>>()
    };
    ways.iter().flat_map(way).collect()
}
