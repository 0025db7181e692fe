//! What a request can end in: exactly one stable code, and why.
//!
//! The code is metric label, audit field and `problem+json` member. Which HTTP status it becomes is
//! known to [`crate::layer`]'s responder alone.

use std::{borrow::Cow, fmt};

macro_rules! codes {
    ($($variant:ident = $text:literal: $doc:literal,)*) => {
        /// How a request ended.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code { $(#[doc = $doc] $variant,)* }

        impl Code {
            /// Every code there is, in the order of the README's table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// One sentence for people.
            pub const fn about(self) -> &'static str {
                match self { $(Self::$variant => $doc,)* }
            }
        }
    };
}

codes! {
    Forwarded = "forwarded": "Passed every enforced check and was answered by the upstream.",
    Duplicate = "duplicate": "An event that was already delivered; acknowledged, not forwarded.",
    EventIgnored = "event_ignored": "An event type or filter the route does not want; acknowledged, not forwarded.",
    Handshake = "handshake": "A provider's handshake, answered by the gateway itself.",
    BadRequest = "bad_request": "Not well-formed or ambiguous HTTP.",
    PayloadMalformed = "payload_malformed": "The body is not what it claims to be, such as JSON with duplicate keys.",
    TimestampMalformed = "timestamp_malformed": "The timestamp is not of the form that the provider sends.",
    SignatureMalformed = "signature_malformed": "The signature is not of the form that the provider sends.",
    AmbiguousHeader = "ambiguous_header": "A signature, timestamp or id header was sent more than once.",
    SignatureMissing = "signature_missing": "There is no signature of a version that is accepted.",
    SignatureMismatch = "signature_mismatch": "No signature matches any active key.",
    TimestampMissing = "timestamp_missing": "The scheme's timestamp is not there.",
    TimestampExpired = "timestamp_expired": "Signed longer ago than the tolerance.",
    TimestampInFuture = "timestamp_in_future": "Signed further in the future than the tolerance.",
    IdMissing = "id_missing": "An id that is part of what is signed is not there.",
    InsecureTransport = "insecure_transport": "Not sent over HTTPS where the policy requires it.",
    SourceNotAllowed = "source_not_allowed": "The source address is on no list of the route, or the client certificate is not the one it wants.",
    HandshakeRefused = "handshake_refused": "A handshake that does not hold.",
    NoRoute = "no_route": "No route matches host and path.",
    MethodNotAllowed = "method_not_allowed": "The route does not take this method.",
    BodyTimeout = "body_timeout": "The body did not arrive in time.",
    Replayed = "replayed": "The same signed bytes were already delivered.",
    BodyTooLarge = "body_too_large": "The body is larger than the route allows.",
    UnsupportedMediaType = "unsupported_media_type": "The content type is not one the route takes.",
    UnsupportedEncoding = "unsupported_encoding": "A content coding where the payload must be read; nothing is decompressed.",
    SchemaViolation = "schema_violation": "The payload does not satisfy the route's schema.",
    EventNotAllowed = "event_not_allowed": "An event type or filter the route rejects.",
    RateLimited = "rate_limited": "Over a rate limit.",
    SenderGone = "sender_gone": "The sender hung up before there was an answer.",
    UpstreamUnreachable = "upstream_unreachable": "No connection to any upstream could be made.",
    UpstreamError = "upstream_error": "The upstream broke HTTP or the connection.",
    UpstreamTimeout = "upstream_timeout": "The upstream did not answer in time.",
    InFlight = "in_flight": "A copy of this delivery is being forwarded right now.",
    Overloaded = "overloaded": "All bodies together exceed the memory set aside for them.",
    StoreUnavailable = "store_unavailable": "The replay store cannot take the delivery.",
    UpstreamUnhealthy = "upstream_unhealthy": "Every upstream of the route fails its health check.",
    KeyUnavailable = "key_unavailable": "A key that must be fetched cannot be had.",
    SourceListUnavailable = "source_list_unavailable": "An address list that must be fetched cannot be had.",
    InternalError = "internal_error": "A fault of the gateway itself, contained; or a policy exception of the route that has ended.",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why a request was turned away, or why a monitored check would have turned it away.
///
/// The detail is for operators (audit, logs, `verify`), never for the sender. It is kept as data
/// or as a static text where possible, so that refusing costs no formatting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The stable code.
    pub code: Code,
    /// What exactly, as a lowercase fragment without a trailing period.
    pub detail: Detail,
    /// How long the sender should wait before it tries again, in whole seconds.
    pub retry_after_secs: Option<u32>,
}

impl Refusal {
    /// Refuses with a constant or formatted detail.
    pub fn new(code: Code, detail: impl Into<Detail>) -> Self {
        Self { code, detail: detail.into(), retry_after_secs: None }
    }

    /// Adds a `Retry-After` of whole seconds.
    #[must_use]
    pub const fn retry_after(mut self, secs: u32) -> Self {
        self.retry_after_secs = Some(secs);
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

/// What an operator reads about a refusal; formatted only when somebody reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Nothing beyond the code.
    None,
    /// A constant or composed text.
    Text(Cow<'static, str>),
    /// About one header.
    Header {
        /// The header's name.
        name: http::HeaderName,
        /// What is wrong with it, to be read after its name.
        what: &'static str,
    },
    /// About a signed time.
    Skew {
        /// How far from now, in seconds.
        secs: u64,
        /// How far is allowed, in seconds.
        allowed_secs: u64,
        /// Whether it lies in the future.
        future: bool,
        /// The unit in which the same digits are near enough, if there is one.
        meant: Option<&'static str>,
    },
    /// A replay of something first seen this many milliseconds ago.
    FirstSeen {
        /// Age of the first copy, in milliseconds.
        ago_ms: u64,
    },
}

impl From<&'static str> for Detail {
    fn from(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Detail {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => Ok(()),
            Self::Text(text) => f.write_str(text),
            Self::Header { name, what } => write!(f, "{name} {what}"),
            Self::Skew { secs, allowed_secs, future, meant } => {
                let side = if *future { "ahead" } else { "old" };
                write!(f, "{secs} s {side}, {allowed_secs} s allowed")?;
                match meant {
                    Some(unit) => write!(f, "; it would be fresh in {unit}"),
                    None => Ok(()),
                }
            }
            Self::FirstSeen { ago_ms } if *ago_ms < 10_000 => {
                write!(f, "first seen {ago_ms} ms ago")
            }
            Self::FirstSeen { ago_ms } => write!(f, "first seen {} s ago", ago_ms / 1000),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_read_as_documented() {
        let skew = |meant| Detail::Skew { secs: 413, allowed_secs: 300, future: false, meant };
        assert_eq!(skew(None).to_string(), "413 s old, 300 s allowed");
        let other = skew(Some("seconds")).to_string();
        assert_eq!(other, "413 s old, 300 s allowed; it would be fresh in seconds");
        assert_eq!(Detail::FirstSeen { ago_ms: 40 }.to_string(), "first seen 40 ms ago");
    }

    #[test]
    fn codes_are_distinct_snake_case() {
        let mut seen = std::collections::HashSet::new();
        for code in Code::ALL {
            assert!(seen.insert(code.as_str()));
            assert!(code.as_str().bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
        }
    }
}
