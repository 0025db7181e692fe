//! Headers that belong to one connection and never go on to the next.
//!
//! `Connection` may name more of them (RFC 9110, 7.6.1). Taken literally, that lets a sender choose
//! what the receiver does *not* see after the gateway judged it. So a name listed there is dropped
//! only if nothing can depend on it: not a header that the route's checks look at, none that HTTP
//! defines end to end, and none that by its name carries a signature, token, time or identity.

use http::{HeaderMap, HeaderName, header};
use smallvec::SmallVec;

use super::claims::reads_like;

/// Names to be dropped.
pub(super) type Names = SmallVec<[HeaderName; 4]>;

/// Whether a request's header of this name is about one connection only. `Expect` is among them:
/// the body is there already.
pub(super) fn in_request(name: &str) -> bool {
    in_both(name)
        || matches!(name, "te" | "trailer" | "expect" | "proxy-authorization" | "http2-settings")
        || is_disguised(name)
}

/// Whether an answer's header of this name is about one connection only.
pub(super) fn in_answer(name: &str) -> bool {
    in_both(name) || name == "proxy-authenticate"
}

fn in_both(name: &str) -> bool {
    matches!(
        name,
        "connection" | "keep-alive" | "proxy-connection" | "transfer-encoding" | "upgrade"
    )
}

/// Framing and routing headers spelled with `_`: what a receiver that takes it for `-` would frame
/// or route by, while the gateway saw nothing special.
fn is_disguised(name: &str) -> bool {
    const FRAMING: [&str; 6] = [
        "transfer-encoding",
        "content-length",
        "content-type",
        "content-encoding",
        "proxy-authorization",
        "keep-alive",
    ];
    FRAMING.iter().any(|framing| {
        name.len() == framing.len() && name.contains('_') && reads_like(name, framing)
    })
}

/// What `Connection` names besides, and may.
pub(super) fn named(headers: &HeaderMap, protected: &[HeaderName]) -> Names {
    let values = headers.get_all(header::CONNECTION).into_iter();
    values
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|option| !is_plain(option))
        .filter_map(|option| HeaderName::from_bytes(option).ok())
        .filter(|name| !protected.contains(name) && !is_end_to_end(name.as_str()))
        .collect()
}

/// The options that name no header, or one that is dropped anyway.
fn is_plain(option: &[u8]) -> bool {
    option.eq_ignore_ascii_case(b"close") || option.eq_ignore_ascii_case(b"keep-alive")
}

fn is_end_to_end(name: &str) -> bool {
    const WHOLE: [&str; 12] = [
        "cookie",
        "date",
        "from",
        "host",
        "link",
        "origin",
        "range",
        "referer",
        "traceparent",
        "tracestate",
        "user-agent",
        "via",
    ];
    const STARTS: [&str; 5] = ["accept", "cache-", "content-", "if-", "x-hub-"];
    const PARTS: [&str; 14] = [
        "-id", "auth", "delivery", "digest", "event", "hmac", "key", "nonce", "secret", "sign",
        "time", "token", "topic", "webhook",
    ];
    WHOLE.contains(&name)
        || STARTS.iter().any(|start| name.starts_with(start))
        || PARTS.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn named_by(values: &[&'static str], protected: &[&'static str]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::CONNECTION, HeaderValue::from_static(value));
        }
        let protected: Vec<_> =
            protected.iter().map(|name| HeaderName::from_static(name)).collect();
        named(&headers, &protected).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn connection_names_only_what_nothing_depends_on() {
        assert_eq!(named_by(&["Keep-Alive, X-Hop , x-other"], &[]), ["x-hop", "x-other"]);
        assert_eq!(named_by(&["close", "X-Hop"], &["x-hop"]), [""; 0]);
        let attack = "X-Hub-Signature-256, Stripe-Signature, Authorization, Content-Type, Host, \
                      X-GitHub-Event, X-GitHub-Delivery, X-Slack-Request-Timestamp, webhook-id, \
                      X-Gitlab-Token, Content-Length, Cookie, X-Shopify-Hmac-Sha256, Digest";
        assert_eq!(named_by(&[attack], &[]), [""; 0]);
    }

    #[test]
    fn broken_options_name_nothing() {
        assert_eq!(named_by(&[",, ,\t", "a b", "@", ""], &[]), [""; 0]);
    }
}
