//! Whom a request was addressed to: what a browser cannot choose freely.

use std::net::IpAddr;

use http::{Request, header, uri::Authority};

/// Whether the request names a loopback address, `localhost`, or one of `hosts`.
pub(super) fn allowed<B>(request: &Request<B>, hosts: &[String]) -> bool {
    let mut named = request.headers().get_all(header::HOST).iter();
    let (Some(host), None) = (named.next(), named.next()) else { return false };
    let Some(host) = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok()) else {
        return false;
    };
    let target = request.uri().host().is_none_or(|target| fine(target, hosts));
    // A user part is nothing that a `Host` has.
    target && !host.as_str().contains('@') && fine(host.host(), hosts)
}

fn fine(host: &str, hosts: &[String]) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(&host);
    let loopback = |address: IpAddr| address.to_canonical().is_loopback();
    host == "localhost" || address.parse::<IpAddr>().is_ok_and(loopback) || hosts.contains(&host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(hosts: &[&str], uri: &str) -> bool {
        let mut request = Request::builder().uri(uri);
        for host in hosts {
            request = request.header(header::HOST, *host);
        }
        allowed(&request.body(()).unwrap(), &["ops.internal".to_owned()])
    }

    #[test]
    fn loopback_and_configured_names() {
        for good in [
            "localhost",
            "LocalHost:9900",
            "localhost.",
            "127.0.0.1:9900",
            "127.9.9.9",
            "[::1]:9900",
            "[::ffff:127.0.0.1]",
            "ops.internal:9900",
        ] {
            assert!(asked(&[good], "/metrics"), "{good}");
        }
        for bad in [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "10.0.0.1",
            "0.0.0.0",
            "[::2]",
            "127.0.0.1@evil.example",
            "evil.example@127.0.0.1",
            "2130706433",
        ] {
            assert!(!asked(&[bad], "/metrics"), "{bad}");
        }
    }

    #[test]
    fn one_host_and_the_same_in_the_target() {
        assert!(!asked(&[], "/metrics"));
        assert!(!asked(&["localhost", "localhost"], "/metrics"));
        assert!(!asked(&["localhost"], "http://evil.example/metrics"));
        assert!(asked(&["localhost"], "http://localhost:9900/metrics"));
    }
}
