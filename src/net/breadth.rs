//! How much of the internet a list of networks covers.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Whether the networks, alone or together, cover a /1 or more of all addresses of a family.
///
/// For IPv6 only 2000::/3 is in use on the internet, so half of that counts as half of everything.
/// IPv4-mapped networks count as IPv4.
pub(crate) fn cover_half(networks: &[IpNet]) -> bool {
    let mut v4 = Vec::new();
    let mut v6 = Vec::new();
    for network in networks {
        match network {
            IpNet::V4(net) => v4.push(*net),
            IpNet::V6(net) => match mapped(*net) {
                Some(net) => v4.push(net),
                None => v6.push(*net),
            },
        }
    }
    let v4: u64 = Ipv4Net::aggregate(&v4).iter().map(|net| 1 << (32 - net.prefix_len())).sum();
    v4 >= 1 << 31 || v6_covers_half(&Ipv6Net::aggregate(&v6))
}

fn v6_covers_half(networks: &[Ipv6Net]) -> bool {
    // Counted in /64, so that all of it fits.
    let size = |prefix: u8| 1_u128 << (64_u8.saturating_sub(prefix));
    let all: u128 = networks.iter().map(|net| size(net.prefix_len())).sum();
    let unicast: u128 = networks
        .iter()
        .filter_map(|net| {
            let in_use = net.addr().octets().first().is_some_and(|first| first >> 5 == 0b001);
            if net.prefix_len() >= 3 {
                in_use.then(|| size(net.prefix_len()))
            } else {
                net.contains(&std::net::Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0)).then(|| size(3))
            }
        })
        .sum();
    all >= size(1) || unicast >= size(4)
}

fn mapped(net: Ipv6Net) -> Option<Ipv4Net> {
    let address = net.addr().to_ipv4_mapped()?;
    Ipv4Net::new(address, net.prefix_len().checked_sub(96)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covered(list: &[&str]) -> bool {
        cover_half(&list.iter().map(|net| net.parse().unwrap()).collect::<Vec<_>>())
    }

    #[test]
    fn half_is_found_however_it_is_written() {
        for list in [
            &["0.0.0.0/0"][..],
            &["::/0"],
            &["::ffff:0:0/96"],
            &["128.0.0.0/1"],
            &["0.0.0.0/2", "64.0.0.0/2"],
            &["0.0.0.0/2", "128.0.0.0/3", "192.0.0.0/3"],
            &["::ffff:0.0.0.0/98", "64.0.0.0/2"],
            &["10.0.0.0/8", "8000::/1"],
            &["2000::/3"],
            &["2000::/4"],
            &["2000::/5", "3000::/5"],
        ] {
            assert!(covered(list), "{list:?}");
        }
    }

    #[test]
    fn less_is_less() {
        for list in [
            &[][..],
            &["0.0.0.0/2", "0.0.0.0/2", "1.0.0.0/8"],
            &["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fe80::/10"],
            &["127.0.0.1/32", "::1/128", "2001:db8::/32"],
            &["2000::/5"],
        ] {
            assert!(!covered(list), "{list:?}");
        }
    }
}
