//! Which addresses may be connected to.
//!
//! After the special-purpose address registries of IANA (RFC 6890 and its updates): what is not
//! globally reachable is somebody's inside.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What an address is to somebody who fetches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// On the internet.
    Public,
    /// Inside: private, loopback, unique local, shared (CGNAT).
    Inside,
    /// Never fetched from: link-local (metadata services of clouds), multicast, unspecified,
    /// documentation, reserved, tunnels.
    Never,
}

/// Judges an address; one that is mapped or translated IPv4 is judged as what it means.
pub fn reach(ip: IpAddr) -> Reach {
    match ip.to_canonical() {
        IpAddr::V4(ip) => reach_v4(ip),
        IpAddr::V6(ip) => reach_v6(ip),
    }
}

fn reach_v4(ip: Ipv4Addr) -> Reach {
    let [a, b, c, _] = ip.octets();
    match (a, b, c) {
        (10 | 127, ..) | (100, 64..=127, _) | (172, 16..=31, _) | (192, 168, _) => Reach::Inside,
        // This network, link-local, protocol assignments, documentation, the former 6to4 relays,
        // benchmarks, multicast and reserved.
        (0 | 224..=255, ..)
        | (169, 254, _)
        | (192, 0, 0 | 2)
        | (192, 88, 99)
        | (198, 18..=19, _)
        | (198, 51, 100)
        | (203, 0, 113) => Reach::Never,
        _ => Reach::Public,
    }
}

fn reach_v6(ip: Ipv6Addr) -> Reach {
    let [a, b, c, d, e, f, g, h] = ip.segments();
    match (a, b) {
        // NAT64 (RFC 6052): the IPv4 address stands at the end.
        (0x64, 0xff9b) if [c, d, e, f] == [0; 4] => {
            reach_v4(Ipv4Addr::from_bits(u32::from(g) << 16 | u32::from(h)))
        }
        (0, 0) if ip.is_loopback() => Reach::Inside,
        // Unique local.
        (0xfc00..=0xfdff, _) => Reach::Inside,
        // Protocol assignments (Teredo, ORCHID), documentation, 6to4.
        (0x2001, 0..=0x1ff | 0xdb8) | (0x2002, _) | (0x3fff, 0..=0xfff) => Reach::Never,
        // Global unicast; all else is reserved, link-local or multicast.
        (0x2000..=0x3fff, _) => Reach::Public,
        _ => Reach::Never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn all(expected: Reach, list: &[&str]) {
        for text in list {
            assert_eq!(reach(text.parse().unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn the_internet_is_public() {
        all(
            Reach::Public,
            &[
                "1.1.1.1",
                "9.255.255.255",
                "11.0.0.0",
                "100.63.255.255",
                "100.128.0.0",
                "126.0.0.1",
                "128.0.0.1",
                "169.253.0.1",
                "172.15.0.1",
                "172.32.0.1",
                "192.0.1.1",
                "192.167.0.1",
                "198.17.0.1",
                "198.20.0.1",
                "223.255.255.255",
                "2606:4700::1111",
                "2a00::1",
                "2001:200::1",
                "64:ff9b::1.1.1.1",
                "::ffff:1.1.1.1",
                "3ffe::1",
            ],
        );
    }

    #[test]
    fn inside_is_inside_however_it_is_written() {
        all(
            Reach::Inside,
            &[
                "10.0.0.1",
                "127.0.0.1",
                "127.255.255.255",
                "100.64.0.1",
                "100.127.255.255",
                "172.16.0.1",
                "172.31.255.255",
                "192.168.0.1",
                "::1",
                "fc00::1",
                "fdff::1",
                "::ffff:10.0.0.1",
                "::ffff:127.0.0.1",
                "64:ff9b::10.0.0.1",
                "64:ff9b::7f00:1",
            ],
        );
    }

    #[test]
    fn some_are_never_fetched_from() {
        all(
            Reach::Never,
            &[
                "0.0.0.0",
                "0.1.2.3",
                "169.254.169.254",
                "::ffff:169.254.169.254",
                "64:ff9b::169.254.169.254",
                "64:ff9b:1::1",
                "192.0.0.1",
                "192.0.2.1",
                "192.88.99.1",
                "198.18.0.1",
                "198.51.100.1",
                "203.0.113.1",
                "224.0.0.1",
                "240.0.0.1",
                "255.255.255.255",
                "::",
                "::2",
                "::7f00:1",
                "fe80::1",
                "febf::1",
                "fec0::1",
                "ff02::1",
                "2001::1",
                "2001:db8::1",
                "2002:a00:1::",
                "3fff::1",
                "100::1",
                "4000::1",
                "5f00::1",
            ],
        );
        // The metadata service of one cloud lives among unique local addresses.
        all(Reach::Inside, &["fd00:ec2::254"]);
    }
}
