//! Host names and path patterns.

use std::{fmt, net::IpAddr};

use super::Context;

/// A host name, lower case, without a port.
pub(super) fn host(cx: &Context<'_>, key: fmt::Arguments<'_>, text: &str) -> Option<String> {
    match judge_host(text) {
        Ok(host) => Some(host),
        Err((why, meant)) => {
            let message = format!("{text:?} {why}");
            match meant {
                Some(meant) => cx.problems.error_try(key, message, format!("\"{meant}\"")),
                None => cx.problems.error(key, message),
            }
            None
        }
    }
}

fn judge_host(text: &str) -> Result<String, (&'static str, Option<String>)> {
    if let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return match inner.parse() {
            Ok(IpAddr::V6(v6)) => Ok(format!("[{v6}]")),
            _ => Err(("is no host name", None)),
        };
    }
    if let Some((_, rest)) = text.split_once("://") {
        let host = rest.split(['/', ':']).next().unwrap_or_default();
        return Err(("is a URL, not a host name", Some(host.to_ascii_lowercase())));
    }
    if text.contains('*') {
        return Err(("has a wildcard; name every host, or none for all of them", None));
    }
    if let Some((host, port)) = text.rsplit_once(':')
        && port.bytes().all(|b| b.is_ascii_digit())
    {
        return Err(("has a port; hosts are compared without one", Some(host.to_owned())));
    }
    if let Some(host) = text.strip_suffix('.') {
        return Err(("ends in a dot", Some(host.to_owned())));
    }
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    let labels = text.split('.').all(|label| (1..=63).contains(&label.len()));
    if text.len() > 253 || !labels || !text.bytes().all(fits) {
        return Err(("is no host name (other than ASCII: in its \"xn--\" form)", None));
    }
    Ok(text.to_ascii_lowercase())
}

/// Why a text is no path pattern: `"/exact"`, `"/x/{name}"`, `"/x/*"`.
pub(super) fn judge_pattern(text: &str) -> Result<(), &'static str> {
    let Some(rest) = text.strip_prefix('/') else { return Err("begins with no \"/\"") };
    if text.len() > 1024 {
        return Err("is longer than 1024 bytes");
    }
    let is_allowed = |b: u8| b.is_ascii_graphic() && !b"?#\"<>^`|\\;".contains(&b);
    if !text.bytes().all(is_allowed) {
        return Err("has a character that no path pattern may have");
    }
    if rest.is_empty() {
        return Ok(());
    }
    let mut names = Vec::new();
    let count = rest.split('/').count();
    for (number, segment) in rest.split('/').enumerate() {
        let is_last = number + 1 == count;
        if segment.is_empty() && !is_last {
            return Err("has an empty segment");
        }
        judge_segment(segment, is_last, &mut names)?;
    }
    Ok(())
}

fn judge_segment<'a>(
    segment: &'a str,
    is_last: bool,
    names: &mut Vec<&'a str>,
) -> Result<(), &'static str> {
    if segment == "*" {
        return if is_last { Ok(()) } else { Err("has \"*\" before its end") };
    }
    if segment.contains('*') {
        return Err("has a \"*\" that is no whole segment");
    }
    if segment.contains(['{', '}']) {
        let name = segment.strip_prefix('{').and_then(|s| s.strip_suffix('}'));
        let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        let name = name.filter(|name| !name.is_empty() && name.bytes().all(fits));
        let name = name.ok_or("has braces that are no whole segment such as \"{name}\"")?;
        if names.contains(&name) {
            return Err("has the same name in braces twice");
        }
        names.push(name);
        return Ok(());
    }
    judge_escapes(segment)
}

/// Dot segments, encoded slashes and the like are refused before routing: they never match.
fn judge_escapes(segment: &str) -> Result<(), &'static str> {
    let mut plain = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            plain.push(*first);
            continue;
        }
        let Some((hex, after)) = after.split_at_checked(2) else {
            return Err("has a \"%\" without two hexadecimal digits");
        };
        let mut byte = [0];
        if hex::decode_to_slice(hex, &mut byte).is_err() {
            return Err("has a \"%\" without two hexadecimal digits");
        }
        match byte {
            [b'/' | b'\\'] => return Err("has an encoded slash; such requests are refused"),
            [0] => return Err("has an encoded zero byte; such requests are refused"),
            [other] => plain.push(other),
        }
        rest = after;
    }
    match plain.as_slice() {
        b"." | b".." => Err("has a dot segment; such requests are refused"),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for good in [
            "/",
            "/a",
            "/a/",
            "/a/{b}",
            "/{a}/{b_2}/c",
            "/a/*",
            "/*",
            "/a%20b",
            "/.well-known",
            "/a:b@c",
        ] {
            assert_eq!(judge_pattern(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "a",
            "//",
            "/a//b",
            "/a*",
            "/*/a",
            "/a/*b",
            "/{a",
            "/a}",
            "/x{a}",
            "/{a}x",
            "/{}",
            "/{a b}",
            "/{a}/{a}",
            "/.",
            "/a/../b",
            "/%2e%2E/a",
            "/.%2e",
            "/a%2fb",
            "/a%5Cb",
            "/a%00",
            "/a;b",
            "/a\\b",
            "/a?b",
            "/a#b",
            "/a b",
            "/ä",
            "/%",
            "/%zz",
            "/a\n",
        ] {
            assert!(judge_pattern(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn hosts() {
        assert_eq!(judge_host("Hooks.Example.COM").as_deref(), Ok("hooks.example.com"));
        assert_eq!(judge_host("127.0.0.1").as_deref(), Ok("127.0.0.1"));
        assert_eq!(judge_host("[::1]").as_deref(), Ok("[::1]"));
        for bad in ["", "a:80", "http://a", "*.a", "a.", "a b", "a/b", "a..b", "ä.de", "::1", "[a]"]
        {
            assert!(judge_host(bad).is_err(), "{bad}");
        }
    }
}
