//! Networks as they are written: `10.0.0.0/8`, `2001:db8::/32`, or a single address.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

/// Why a text is no network.
#[derive(Debug)]
pub(crate) struct Wrong {
    pub(crate) message: String,
    pub(crate) suggestion: Option<String>,
}

/// Reads a network; IPv4-mapped IPv6 becomes IPv4.
pub(crate) fn parse(text: &str) -> Result<IpNet, Wrong> {
    let wrong = |message: String| Wrong { message, suggestion: None };
    let network = match text.parse::<IpNet>() {
        Ok(network) => network,
        Err(_) => match text.parse::<IpAddr>() {
            Ok(address) => IpNet::from(address),
            Err(_) => {
                return Err(wrong(format!(
                    "{text:?} is neither a network such as \"10.0.0.0/8\" nor an address"
                )));
            }
        },
    };
    if network.trunc() != network {
        return Err(Wrong {
            message: format!("{text:?} has bits set beyond its prefix"),
            suggestion: Some(format!("\"{}\"", unmapped(network.trunc()))),
        });
    }
    Ok(unmapped(network))
}

/// IPv4-mapped IPv6 is IPv4.
fn unmapped(network: IpNet) -> IpNet {
    let IpNet::V6(v6) = network else { return network };
    let Some(address) = v6.addr().to_ipv4_mapped() else { return network };
    let mapped = v6.prefix_len().checked_sub(MAPPED_PREFIX);
    mapped.and_then(|len| Ipv4Net::new(address, len).ok()).map_or(network, IpNet::V4)
}

/// `::ffff:0:0/96` is all of IPv4.
const MAPPED_PREFIX: u8 = 96;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks() {
        let show = |text: &str| parse(text).map(|n| n.to_string()).map_err(|w| w.suggestion);
        assert_eq!(show("10.0.0.0/8"), Ok("10.0.0.0/8".into()));
        assert_eq!(show("192.0.2.7"), Ok("192.0.2.7/32".into()));
        assert_eq!(show("2001:db8::1"), Ok("2001:db8::1/128".into()));
        assert_eq!(show("::ffff:10.0.0.0/104"), Ok("10.0.0.0/8".into()));
        assert_eq!(show("::ffff:192.0.2.1"), Ok("192.0.2.1/32".into()));
        assert_eq!(show("::/0"), Ok("::/0".into()));
        assert_eq!(show("10.1.2.3/8"), Err(Some("\"10.0.0.0/8\"".into())));
        assert_eq!(show("::ffff:10.1.2.3/104"), Err(Some("\"10.0.0.0/8\"".into())));
        for bad in ["", "10.0.0.0/33", "10.0.0", "host", "10.0.0.0/", " 10.0.0.0/8", "010.0.0.1"] {
            assert_eq!(show(bad), Err(None), "{bad}");
        }
    }
}
