//! A sender's claims about itself (I10).
//!
//! Receivers that hand headers on as variables (CGI, WSGI, PHP) turn `-` into `_`, so that
//! `Hookward_Verified` would arrive there as `Hookward-Verified`: both spellings are one name here.

use http::{HeaderMap, HeaderName};
use smallvec::SmallVec;

/// Drops every header by which a sender could speak for the gateway, for a proxy, or against the
/// request line that was routed on.
///
/// `Hookward-*`, `X-Forwarded-*`, `Forwarded`, `X-Real-IP`, `True-Client-IP`, `X-Original-URL`,
/// `X-Rewrite-URL`, `X-HTTP-Method`, `X-HTTP-Method-Override` and `Proxy`, with `-` or `_`.
/// Whoever believes a trusted proxy's forwarding headers reads them first.
pub fn strip_claims(headers: &mut HeaderMap) {
    let claims: SmallVec<[HeaderName; 4]> =
        headers.keys().filter(|name| is_claim(name.as_str())).cloned().collect();
    for name in claims {
        headers.remove(name);
    }
}

/// Whether a header of this (lower-case) name is a claim.
pub(super) fn is_claim(name: &str) -> bool {
    let like = |pattern| reads_like(name, pattern);
    match name.as_bytes().first() {
        Some(b'h') => like("hookward") || starts_like(name, "hookward-"),
        Some(b'f') => like("forwarded"),
        Some(b'p') => like("proxy"),
        Some(b't') => like("true-client-ip"),
        // By the third byte first: most senders' own names begin with `x-`.
        Some(b'x') => match name.as_bytes().get(2) {
            Some(b'f') => starts_like(name, "x-forwarded-") || like("x-forwarded"),
            Some(b'h') => like("x-http-method") || like("x-http-method-override"),
            Some(b'o') => like("x-original-url"),
            Some(b'r') => like("x-real-ip") || like("x-rewrite-url"),
            _ => false,
        },
        _ => false,
    }
}

/// Whether two lower-case names are one to a receiver that takes `_` for `-`.
pub(super) fn reads_like(name: &str, pattern: &str) -> bool {
    name.len() == pattern.len() && starts_like(name, pattern)
}

fn starts_like(name: &str, pattern: &str) -> bool {
    name.len() >= pattern.len()
        && name.bytes().zip(pattern.bytes()).all(|(a, b)| a == b || (a == b'_' && b == b'-'))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn claims_go_in_every_spelling_and_number() {
        let mut headers = HeaderMap::new();
        let claims = [
            "Hookward-Verified",
            "hookward_verified",
            "HOOKWARD-route",
            "Hookward",
            "Hookward-Anything_else",
            "X-Forwarded-For",
            "X_Forwarded_For",
            "x-forwarded_proto",
            "X-Forwarded-Whatever",
            "Forwarded",
            "X-Real-IP",
            "x_real_ip",
            "True-Client-IP",
            "True_Client-IP",
            "X-Original-URL",
            "X-Rewrite_URL",
            "X-HTTP-Method",
            "X-HTTP-Method-Override",
            "x_http_method_override",
            "Proxy",
        ];
        for name in claims {
            let name: HeaderName = name.parse().unwrap();
            headers.append(name.clone(), HeaderValue::from_static("a"));
            headers.append(name, HeaderValue::from_static("b"));
        }
        strip_claims(&mut headers);
        assert!(headers.is_empty(), "{headers:?}");
    }

    #[test]
    fn what_only_looks_alike_stays() {
        let mut headers = HeaderMap::new();
        for name in ["hookwards", "x-forward", "forwarded-by", "x-real-ipv6", "proxy-tag", "x-http"]
        {
            headers.append(name, HeaderValue::from_static("v"));
        }
        let before = headers.clone();
        strip_claims(&mut headers);
        assert_eq!(headers, before);
    }
}
