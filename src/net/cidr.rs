//! Source lists: which addresses a list of networks covers.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    ops::RangeInclusive,
};

use ipnet::{IpNet, Ipv4Net};

/// The address that policy is applied to: IPv4-mapped IPv6 (`::ffff:192.0.2.1`) is IPv4.
pub const fn canonical(ip: IpAddr) -> IpAddr {
    ip.to_canonical()
}

/// Where an address counts as one and the same source: an IPv4 address, or an IPv6 /64, since that
/// is what a single host commands.
pub fn source_key(ip: IpAddr) -> IpAddr {
    match canonical(ip) {
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// A set of networks, as merged, sorted ranges: a look-up is a binary search, however long the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    v4: Vec<RangeInclusive<u32>>,
    v6: Vec<RangeInclusive<u128>>,
}

impl Sources {
    /// Makes a set of the networks; an IPv4-mapped IPv6 network is the IPv4 one that it means.
    pub fn new(networks: &[IpNet]) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for network in networks {
            match unmapped(*network) {
                IpNet::V4(net) => v4.push(net.network().to_bits()..=net.broadcast().to_bits()),
                IpNet::V6(net) => v6.push(net.network().to_bits()..=net.broadcast().to_bits()),
            }
        }
        Self { v4: merged(v4), v6: merged(v6) }
    }

    /// Whether there is no network in it.
    pub const fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }

    /// Whether the address lies in one of the networks.
    pub fn contains(&self, ip: IpAddr) -> bool {
        match canonical(ip) {
            IpAddr::V4(ip) => within(&self.v4, &ip.to_bits()),
            IpAddr::V6(ip) => within(&self.v6, &ip.to_bits()),
        }
    }
}

fn unmapped(network: IpNet) -> IpNet {
    let IpNet::V6(v6) = network else { return network };
    let v4: Option<Ipv4Addr> = v6.network().to_ipv4_mapped();
    v4.zip(v6.prefix_len().checked_sub(96))
        .and_then(|(address, prefix)| Ipv4Net::new(address, prefix).ok())
        .map_or(network, IpNet::V4)
}

fn merged<T: Ord + Copy>(mut ranges: Vec<RangeInclusive<T>>) -> Vec<RangeInclusive<T>> {
    ranges.sort_unstable_by_key(|range| *range.start());
    ranges.dedup_by(|next, kept| {
        // Networks nest or are disjoint, so one that begins inside another ends inside it.
        let inside = next.start() <= kept.end();
        if inside && next.end() > kept.end() {
            *kept = *kept.start()..=*next.end();
        }
        inside
    });
    ranges
}

fn within<T: Ord>(ranges: &[RangeInclusive<T>], address: &T) -> bool {
    let after = ranges.partition_point(|range| range.start() <= address);
    after.checked_sub(1).and_then(|i| ranges.get(i)).is_some_and(|range| range.contains(address))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sources(networks: &[&str]) -> Sources {
        Sources::new(&networks.iter().map(|n| n.parse().unwrap()).collect::<Vec<_>>())
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn mapped_addresses_and_networks_are_ipv4() {
        let plain = sources(&["192.0.2.0/24"]);
        assert!(plain.contains(ip("::ffff:192.0.2.7")));
        let mapped = sources(&["::ffff:192.0.2.0/120"]);
        assert!(mapped.contains(ip("192.0.2.7")) && !mapped.contains(ip("192.0.3.7")));
        // All of IPv6 is not all of IPv4.
        assert!(!sources(&["::/0"]).contains(ip("192.0.2.7")));
        assert!(!sources(&["0.0.0.0/0"]).contains(ip("2001:db8::1")));
    }

    #[test]
    fn edges_of_networks() {
        let list = sources(&["10.0.0.0/8", "10.1.0.0/16", "192.0.2.1/32", "2001:db8::/32"]);
        for inside in ["10.0.0.0", "10.255.255.255", "192.0.2.1", "2001:db8:ffff::1"] {
            assert!(list.contains(ip(inside)), "{inside}");
        }
        for outside in ["9.255.255.255", "11.0.0.0", "192.0.2.0", "192.0.2.2", "2001:db9::"] {
            assert!(!list.contains(ip(outside)), "{outside}");
        }
        assert!(Sources::default().is_empty() && !Sources::default().contains(ip("10.0.0.1")));
    }

    #[test]
    fn a_source_is_an_ipv4_address_or_an_ipv6_64() {
        assert_eq!(source_key(ip("::ffff:192.0.2.7")), ip("192.0.2.7"));
        assert_eq!(source_key(ip("2001:db8:1:2:3:4:5:6")), ip("2001:db8:1:2::"));
    }

    proptest! {
        #[test]
        fn agrees_with_a_plain_scan(
            nets in proptest::collection::vec((any::<u32>(), 0u8..=32), 0..20),
            probes in proptest::collection::vec(any::<u32>(), 0..20),
        ) {
            let nets: Vec<IpNet> = nets
                .iter()
                .map(|(a, p)| IpNet::V4(Ipv4Net::new(Ipv4Addr::from_bits(*a), *p).unwrap()))
                .collect();
            let set = Sources::new(&nets);
            let edges = nets.iter().flat_map(|n| [n.network(), n.broadcast()]);
            for ip in probes.iter().map(|p| Ipv4Addr::from_bits(*p).into()).chain(edges) {
                prop_assert_eq!(set.contains(ip), nets.iter().any(|n| n.contains(&ip)));
            }
        }
    }
}
