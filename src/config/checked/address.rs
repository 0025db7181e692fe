//! Socket addresses and lists of networks.

use std::{fmt, net::SocketAddr};

use ipnet::IpNet;

use super::Context;
use crate::net::network;

/// A socket address.
pub(super) fn socket(cx: &Context<'_>, key: fmt::Arguments<'_>, text: &str) -> Option<SocketAddr> {
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    let message = format!("{text:?} is no IP address with a port");
    match meant(text) {
        Some(meant) => cx.problems.error_try(key, message, format!("\"{meant}\"")),
        None => cx.problems.error(key, message),
    }
    None
}

/// What was probably meant by a text that is no address.
fn meant(text: &str) -> Option<SocketAddr> {
    let (host, port) = text.rsplit_once(':').unwrap_or(("", text));
    let host = match host {
        "" | "*" => "0.0.0.0",
        "localhost" => "127.0.0.1",
        "[*]" => "[::]",
        other => other,
    };
    format!("{host}:{port}").parse().ok()
}

/// Networks.
pub(super) fn networks(cx: &Context<'_>, key: fmt::Arguments<'_>, texts: &[String]) -> Vec<IpNet> {
    let texts = texts.iter().enumerate();
    let networks = texts.filter_map(|(n, text)| network(cx, format_args!("{key}[{n}]"), text));
    let mut out: Vec<_> = networks.collect();
    out.sort_unstable();
    out.dedup();
    out
}

/// A network.
pub(super) fn network(cx: &Context<'_>, key: fmt::Arguments<'_>, text: &str) -> Option<IpNet> {
    let wrong = match network::parse(text) {
        Ok(network) => return Some(network),
        Err(wrong) => wrong,
    };
    match wrong.suggestion {
        Some(meant) => cx.problems.error_try(key, wrong.message, meant),
        None => cx.problems.error(key, wrong.message),
    }
    None
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_was_meant() {
        let meant = |text| super::meant(text).map(|a| a.to_string());
        assert_eq!(meant(":8080").as_deref(), Some("0.0.0.0:8080"));
        assert_eq!(meant("8080").as_deref(), Some("0.0.0.0:8080"));
        assert_eq!(meant("localhost:80").as_deref(), Some("127.0.0.1:80"));
        assert_eq!(meant("example.com:80"), None);
    }
}
