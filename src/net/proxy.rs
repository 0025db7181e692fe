//! The PROXY protocol, versions 1 and 2: what a load balancer says of the connection it passes on.
//!
//! Pure and incremental: give it all bytes so far. After the specification at
//! <https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// What the first bytes of a connection are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// No PROXY header, and none can come of it.
    Absent,
    /// Too few bytes to tell.
    More,
    /// A header.
    Done {
        /// Whom the balancer speaks for; `None` where it speaks for itself (`LOCAL`, `UNKNOWN`), so
        /// that the peer stays who it is.
        announced: Option<SocketAddr>,
        /// How many bytes the header has; the connection's own begin behind them.
        consumed: usize,
    },
    /// Begins as a header and is none.
    Invalid,
}

const SIGNATURE_2: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
const SIGNATURE_1: &[u8; 6] = b"PROXY ";
/// The longest line that version 1 can have, by its specification.
const LONGEST_1: usize = 107;
/// The longest header taken of version 2, with all its extensions; they are skipped.
const LONGEST_2: usize = 4096;

/// Reads a PROXY header from the start of a connection.
pub fn parse(bytes: &[u8]) -> Parsed {
    match (begins(bytes, SIGNATURE_1), begins(bytes, SIGNATURE_2)) {
        (Begins::Whole, _) => version_1(bytes),
        (_, Begins::Whole) => version_2(bytes),
        (Begins::Partly, _) | (_, Begins::Partly) => Parsed::More,
        _ => Parsed::Absent,
    }
}

#[derive(PartialEq)]
enum Begins {
    No,
    Partly,
    Whole,
}

fn begins(bytes: &[u8], signature: &[u8]) -> Begins {
    if bytes.starts_with(signature) {
        Begins::Whole
    } else if signature.starts_with(bytes) {
        Begins::Partly
    } else {
        Begins::No
    }
}

fn version_1(bytes: &[u8]) -> Parsed {
    let Some(end) = memchr::memchr(b'\n', bytes.get(..LONGEST_1).unwrap_or(bytes)) else {
        return if bytes.len() < LONGEST_1 { Parsed::More } else { Parsed::Invalid };
    };
    let line = bytes.get(SIGNATURE_1.len()..end).and_then(|line| line.strip_suffix(b"\r"));
    match line.and_then(|line| std::str::from_utf8(line).ok()).and_then(announced_1) {
        Some(announced) => Parsed::Done { announced, consumed: end + 1 },
        None => Parsed::Invalid,
    }
}

/// The outer `None` is a malformed line, the inner one `UNKNOWN`.
fn announced_1(line: &str) -> Option<Option<SocketAddr>> {
    let mut words = line.split(' ');
    let family = words.next()?;
    if family == "UNKNOWN" {
        return Some(None);
    }
    let [source, destination, from_port, to_port] =
        [words.next()?, words.next()?, words.next()?, words.next()?];
    let (source, _): (IpAddr, IpAddr) = match family {
        "TCP4" => {
            (source.parse::<Ipv4Addr>().ok()?.into(), destination.parse::<Ipv4Addr>().ok()?.into())
        }
        "TCP6" => {
            (source.parse::<Ipv6Addr>().ok()?.into(), destination.parse::<Ipv6Addr>().ok()?.into())
        }
        _ => return None,
    };
    let (port, _) = (port(from_port)?, port(to_port)?);
    words.next().is_none().then(|| Some(SocketAddr::new(super::canonical(source), port)))
}

/// Decimal digits alone: `parse` would take a sign.
fn port(text: &str) -> Option<u16> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

fn version_2(bytes: &[u8]) -> Parsed {
    let Some([version_command, family, high, low]) =
        bytes.get(SIGNATURE_2.len()..).and_then(|rest| rest.first_chunk::<4>())
    else {
        return Parsed::More;
    };
    let consumed = SIGNATURE_2.len() + 4 + usize::from(u16::from_be_bytes([*high, *low]));
    if version_command >> 4 != 2 || consumed > LONGEST_2 {
        return Parsed::Invalid;
    }
    let Some(addresses) = bytes.get(SIGNATURE_2.len() + 4..consumed) else { return Parsed::More };
    let announced = match (version_command & 0x0f, family) {
        // LOCAL, and PROXY for no family or for a Unix socket: the peer stays who it is.
        (0, _) | (1, 0x00 | 0x31) => Some(None),
        (1, 0x11) => announced_2::<4, 12>(addresses, 8),
        (1, 0x21) => announced_2::<16, 36>(addresses, 32),
        _ => None,
    };
    announced.map_or(Parsed::Invalid, |announced| Parsed::Done { announced, consumed })
}

/// Reads the source address (`N` bytes) and its port (at `port_at`) of an address block of `ALL` bytes.
fn announced_2<const N: usize, const ALL: usize>(
    addresses: &[u8],
    port_at: usize,
) -> Option<Option<SocketAddr>>
where
    IpAddr: From<[u8; N]>,
{
    let block = addresses.first_chunk::<ALL>()?;
    let source = IpAddr::from(*block.first_chunk::<N>()?);
    let port = u16::from_be_bytes(*block.get(port_at..)?.first_chunk::<2>()?);
    Some(Some(SocketAddr::new(super::canonical(source), port)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn v2(version_command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let mut bytes = SIGNATURE_2.to_vec();
        bytes.extend([version_command, family]);
        bytes.extend(u16::try_from(rest.len()).unwrap().to_be_bytes());
        bytes.extend(rest);
        bytes
    }

    fn announced(bytes: &[u8]) -> Option<String> {
        match parse(bytes) {
            Parsed::Done { announced, consumed } => {
                assert_eq!(consumed, bytes.len());
                Some(announced.map_or_else(|| "peer".into(), |a| a.to_string()))
            }
            _ => None,
        }
    }

    #[test]
    fn version_1_lines() {
        for (line, told) in [
            ("PROXY TCP4 192.0.2.1 10.0.0.1 56324 443\r\n", Some("192.0.2.1:56324")),
            ("PROXY TCP6 2001:db8::1 ::1 1 2\r\n", Some("[2001:db8::1]:1")),
            ("PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n", Some("192.0.2.1:1")),
            ("PROXY UNKNOWN\r\n", Some("peer")),
            ("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", Some("peer")),
            ("PROXY TCP4 192.0.2.1 10.0.0.1 56324\r\n", None),
            ("PROXY TCP4 192.0.2.1 10.0.0.1 1 2 3\r\n", None),
            ("PROXY TCP4 192.0.2.1 10.0.0.1 +1 2\r\n", None),
            ("PROXY TCP4 192.0.2.1 10.0.0.1 65536 2\r\n", None),
            ("PROXY TCP4 2001:db8::1 10.0.0.1 1 2\r\n", None),
            ("PROXY TCP4  192.0.2.1 10.0.0.1 1 2\r\n", None),
            ("PROXY TCP4 192.0.2.1 10.0.0.1 1 2\n", None),
            ("PROXY UDP4 192.0.2.1 10.0.0.1 1 2\r\n", None),
            ("PROXY \r\n", None),
        ] {
            assert_eq!(announced(line.as_bytes()).as_deref(), told, "{line:?}");
        }
        assert_eq!(parse(&[b"PROXY ".as_slice(), &[b'x'; 101]].concat()), Parsed::Invalid);
    }

    #[test]
    fn version_2_headers() {
        let v4 = [192, 0, 2, 1, 10, 0, 0, 1, 0, 80, 1, 187];
        assert_eq!(announced(&v2(0x21, 0x11, &v4)).as_deref(), Some("192.0.2.1:80"));
        let with_tlv = [&v4[..], &[0x04, 0, 3, 1, 2, 3]].concat();
        assert_eq!(announced(&v2(0x21, 0x11, &with_tlv)).as_deref(), Some("192.0.2.1:80"));
        let mut v6 = [0; 36];
        (v6[0], v6[1], v6[15], v6[33]) = (0x20, 0x01, 1, 9);
        assert_eq!(announced(&v2(0x21, 0x21, &v6)).as_deref(), Some("[2001::1]:9"));
        for peer in [
            v2(0x20, 0x00, &[]),
            v2(0x20, 0x11, &v4),
            v2(0x21, 0x00, &[1, 2]),
            v2(0x21, 0x31, &[0; 216]),
        ] {
            assert_eq!(announced(&peer).as_deref(), Some("peer"));
        }
        for bad in [
            v2(0x11, 0x11, &v4),
            v2(0x22, 0x11, &v4),
            v2(0x21, 0x12, &v4),
            v2(0x21, 0x11, &v4[..11]),
        ] {
            assert_eq!(parse(&bad), Parsed::Invalid);
        }
        assert_eq!(parse(&v2(0x21, 0x11, &[0; 5000])), Parsed::Invalid);
    }

    #[test]
    fn what_is_no_proxy_header() {
        for other in [
            &b"POST / HTTP/1.1\r\n"[..],
            b"\x16\x03\x01",
            b"PRI * HTTP/2.0",
            b"\r\nPOST",
            b"PROXY/ ",
        ] {
            assert_eq!(parse(other), Parsed::Absent, "{other:?}");
        }
        assert_eq!(parse(b""), Parsed::More);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(start in 0usize..3, bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let start: &[u8] = [&b""[..], SIGNATURE_1, SIGNATURE_2][start];
            let whole = [start, &bytes].concat();
            if let Parsed::Done { consumed, .. } = parse(&whole) {
                prop_assert!(consumed <= whole.len());
            }
        }

        #[test]
        fn a_header_is_only_ever_more_until_it_is_done(port: u16, tlv in proptest::collection::vec(any::<u8>(), 0..40), old: bool) {
            let whole = if old {
                format!("PROXY TCP4 192.0.2.1 10.0.0.1 {port} 443\r\n").into_bytes()
            } else {
                let [high, low] = port.to_be_bytes();
                v2(0x21, 0x11, &[&[192, 0, 2, 1, 10, 0, 0, 1, high, low, 1, 187][..], &tlv].concat())
            };
            for n in 0..whole.len() {
                prop_assert_eq!(parse(&whole[..n]), Parsed::More);
            }
            let announced = Some(SocketAddr::from(([192, 0, 2, 1], port)));
            let more = [&whole[..], b"GET"].concat();
            prop_assert_eq!(parse(&more), Parsed::Done { announced, consumed: whole.len() });
        }
    }
}
