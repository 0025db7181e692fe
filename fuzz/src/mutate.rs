//! Small changes to good inputs, the same ones for the same seed.

use fastrand::Rng;

/// No input is longer, in bytes.
const MAX: usize = 64 * 1024;

/// What parsers trip over.
const TOKENS: &[&[u8]] = &[
    b"",
    b"\0",
    b"\r\n",
    b"\n",
    b" ",
    b"\t",
    b",",
    b";",
    b"=",
    b"&",
    b"%",
    b"%00",
    b"%2e",
    b"+",
    b"\"",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b"::",
    b"-1",
    b"0",
    b"1e999",
    b"18446744073709551616",
    b"null",
    b"<",
    b">",
    b"<!DOCTYPE a>",
    b"&lt;",
    b"<![CDATA[",
    b"*",
    b"..",
    b"/",
    b"\xff",
    b"\xc3\x28",
    b"sig1=()",
    b":AA==:",
    b"alg",
    b"none",
    b"crit",
    b"Host: x\r\n",
    b"Content-Length: 1\r\n",
    b"{{",
    b"}}",
    b"|sha256",
    b"-----BEGIN ",
];

/// An input made of a good one, and of another one where they are joined.
pub fn mutate(seed: &[u8], other: &[u8], random: &mut Rng) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=random.usize(..4) {
        step(&mut bytes, other, random);
    }
    bytes.truncate(MAX);
    bytes
}

fn step(bytes: &mut Vec<u8>, other: &[u8], random: &mut Rng) {
    let at = random.usize(..=bytes.len());
    let end = (at + random.usize(..32)).min(bytes.len());
    match random.u8(..8) {
        0 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << random.u8(..8);
            }
        }
        1 => drop(bytes.splice(at..end, [])),
        2 => {
            let token = TOKENS.get(random.usize(..TOKENS.len())).copied().unwrap_or_default();
            bytes.splice(at..at, token.iter().copied()).for_each(drop);
        }
        3 => {
            let again = bytes.get(at..end).unwrap_or_default().repeat(random.usize(1..16));
            bytes.splice(at..at, again).for_each(drop);
        }
        4 => bytes.truncate(at),
        5 => {
            let from = random.usize(..=other.len());
            let part = other.get(from..(from + random.usize(..64)).min(other.len()));
            bytes.splice(at..end, part.unwrap_or_default().iter().copied()).for_each(drop);
        }
        6 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = random.u8(..);
            }
        }
        _ => {
            let deep = vec![random.choice(*b"[{(<\"&;,.").unwrap_or(b'['); random.usize(..2048)];
            bytes.splice(at..at, deep).for_each(drop);
        }
    }
}
