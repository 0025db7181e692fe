//! Socket addresses and lists of networks.

use std::{collections::BTreeMap, fmt, net::SocketAddr};

use ipnet::IpNet;

use super::Context;
use crate::{config::network, providers};

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

/// Networks; `@NAME` is looked up in `lists`.
pub(super) fn networks(
    cx: &Context<'_>,
    key: fmt::Arguments<'_>,
    texts: &[String],
    lists: Option<&BTreeMap<String, Option<Vec<IpNet>>>>,
) -> Vec<IpNet> {
    let mut out = Vec::with_capacity(texts.len());
    for (number, text) in texts.iter().enumerate() {
        if let (Some(name), Some(lists)) = (text.strip_prefix('@'), lists) {
            match lists.get(name) {
                Some(list) => out.extend(list.iter().flatten()),
                // Providers publish their lists under a URL and change them within weeks: what
                // was built in would in time refuse good deliveries.
                None if providers::raw(name).is_some() => cx.problems.error_try(
                    format_args!("{key}[{number}]"),
                    format_args!(
                        "fetching {name}'s list comes with a later version; until then it needs a \
                         file"
                    ),
                    format!("[ip_lists.{name}] with file = \"{name}.json\" and its pointer"),
                ),
                None => cx.problems.unknown(
                    format_args!("{key}[{number}]"),
                    "list of [ip_lists.*]",
                    name,
                    lists.keys().map(String::as_str),
                ),
            }
            continue;
        }
        match network::parse(text) {
            Ok(network) => out.push(network),
            Err(wrong) => match wrong.suggestion {
                Some(meant) => {
                    cx.problems.error_try(format_args!("{key}[{number}]"), wrong.message, meant);
                }
                None => cx.problems.error(format_args!("{key}[{number}]"), wrong.message),
            },
        }
    }
    out.sort_unstable();
    out.dedup();
    out
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
