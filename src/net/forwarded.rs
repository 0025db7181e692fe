//! The `Forwarded` header (RFC 7239) and the addresses in it and in `X-Forwarded-For`.

use std::net::{IpAddr, SocketAddr};

use smallvec::SmallVec;

use super::canonical;

/// One element of `Forwarded`: what one proxy said of the hop before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Element<'a> {
    /// `for`, without its quotes.
    pub(super) node: Option<&'a str>,
    /// `proto`, without its quotes.
    pub(super) proto: Option<&'a str>,
}

/// The elements of all lines, left to right.
pub(super) type Elements<'a> = SmallVec<[Element<'a>; 4]>;

/// Reads one line's elements behind those already read; `None` if it breaks the grammar, or says
/// `for` or `proto` twice of one hop.
pub(super) fn read<'a>(line: &'a str, into: &mut Elements<'a>) -> Option<()> {
    let mut rest = line;
    loop {
        let mut element = Element::default();
        let end = loop {
            let (end, after) = parameter(rest, &mut element)?;
            rest = after;
            if end != Some(';') {
                break end;
            }
        };
        into.push(element);
        if end.is_none() {
            return Some(());
        }
    }
}

/// Reads `name=value` and what ends it: `;`, `,` or the end of the line.
fn parameter<'a>(text: &'a str, into: &mut Element<'a>) -> Option<(Option<char>, &'a str)> {
    let text = text.trim_start_matches([' ', '\t']);
    let (name, rest) = text.split_once('=')?;
    let (value, rest) = value(rest)?;
    if !is_token(name) {
        return None;
    }
    let slot = match name {
        n if n.eq_ignore_ascii_case("for") => Some(&mut into.node),
        n if n.eq_ignore_ascii_case("proto") => Some(&mut into.proto),
        _ => None,
    };
    if let Some(slot) = slot
        && slot.replace(value).is_some()
    {
        return None;
    }
    let rest = rest.trim_start_matches([' ', '\t']);
    let mut chars = rest.chars();
    match chars.next() {
        end @ (None | Some(';' | ',')) => Some((end, chars.as_str())),
        Some(_) => None,
    }
}

/// A token or a quoted string. Escapes have no place in what is read here, so none are taken.
fn value(text: &str) -> Option<(&str, &str)> {
    if let Some(quoted) = text.strip_prefix('"') {
        let (value, rest) = quoted.split_once('"')?;
        return (!value.contains('\\')).then_some((value, rest));
    }
    let end = text.find([',', ';', ' ', '\t']).unwrap_or(text.len());
    let (value, rest) = text.split_at_checked(end)?;
    is_token(value).then_some((value, rest))
}

fn is_token(text: &str) -> bool {
    let other = |b: u8| b"!#$%&'*+-.^_`|~".contains(&b);
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || other(b))
}

/// An address with or without port and brackets; `None` for `unknown`, `_hidden` and garbage.
pub(super) fn address(node: &str) -> Option<IpAddr> {
    let bracketed =
        || node.strip_prefix('[')?.strip_suffix(']')?.parse::<std::net::Ipv6Addr>().ok();
    node.parse::<IpAddr>()
        .ok()
        .or_else(|| bracketed().map(IpAddr::V6))
        .or_else(|| node.parse::<SocketAddr>().ok().map(|a| a.ip()))
        .map(canonical)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(line: &str) -> Option<Vec<(Option<&str>, Option<&str>)>> {
        let mut elements = Elements::new();
        read(line, &mut elements)?;
        Some(elements.into_iter().map(|e| (e.node, e.proto)).collect())
    }

    #[test]
    fn the_examples_of_rfc_7239() {
        assert_eq!(all("for=\"_gazonk\""), Some(vec![(Some("_gazonk"), None)]));
        assert_eq!(
            all("For=\"[2001:db8:cafe::17]:4711\""),
            Some(vec![(Some("[2001:db8:cafe::17]:4711"), None)])
        );
        assert_eq!(
            all("for=192.0.2.60;proto=http;by=203.0.113.43"),
            Some(vec![(Some("192.0.2.60"), Some("http"))])
        );
        assert_eq!(
            all("for=192.0.2.43, for=198.51.100.17;by=\"a,b;c\" ; proto=https"),
            Some(vec![(Some("192.0.2.43"), None), (Some("198.51.100.17"), Some("https"))])
        );
    }

    #[test]
    fn what_is_not_forwarded() {
        for bad in
            ["", ",", "for", "for=", "for=a for=b", "for=1;for=2", "for=\"x", "for=\"\\1\"", "a,"]
        {
            assert_eq!(all(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn nodes() {
        for (node, ip) in [
            ("192.0.2.1", "192.0.2.1"),
            ("192.0.2.1:80", "192.0.2.1"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:80", "2001:db8::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
        ] {
            assert_eq!(address(node), Some(ip.parse().unwrap()), "{node}");
        }
        for bad in [
            "",
            "unknown",
            "_x",
            "192.0.2",
            "192.0.2.1:",
            "192.0.2.1:x",
            "[192.0.2.1]",
            "[::1",
            "a.b",
        ] {
            assert_eq!(address(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(line in ".*", tokens in "(for|proto|=|;|,|\"|\\\\| |1\\.2\\.3\\.4|\\[::1\\]){0,20}") {
            let _ = all(&line);
            let _ = all(&tokens);
            let _ = address(&line);
        }
    }
}
