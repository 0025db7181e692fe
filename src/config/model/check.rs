//! The names of checks.

use std::fmt;

/// The checks that have a name in `monitor`, in `Hookward-Monitored` and in audit lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Check {
    /// Host, path and method.
    Route,
    /// HTTPS.
    Transport,
    /// The source list.
    Source,
    /// The rate limits.
    RateLimit,
    /// What the head says of signature, timestamp and id; monitored as `signature`.
    Claim,
    /// Size, media type and arrival of the body.
    Body,
    /// The signature.
    Signature,
    /// Freshness.
    Timestamp,
    /// A provider's handshake.
    Handshake,
    /// Replay.
    Replay,
    /// Event list and filters.
    Events,
    /// JSON and schema.
    Schema,
}

impl Check {
    /// Every check, in drawing order.
    pub const ALL: &'static [Self] = &[
        Self::Route,
        Self::Transport,
        Self::Source,
        Self::RateLimit,
        Self::Claim,
        Self::Body,
        Self::Signature,
        Self::Timestamp,
        Self::Handshake,
        Self::Replay,
        Self::Events,
        Self::Schema,
    ];
    /// Those that a route may put into `monitor`.
    pub const MONITORABLE: &'static [Self] =
        &[Self::Source, Self::Signature, Self::Timestamp, Self::Replay, Self::Events, Self::Schema];

    /// The name under which a route monitors this check.
    pub const fn monitored_as(self) -> Self {
        match self {
            Self::Claim => Self::Signature,
            other => other,
        }
    }

    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Route => "route",
            Self::Transport => "transport",
            Self::Source => "source",
            Self::RateLimit => "rate_limit",
            Self::Claim => "claim",
            Self::Body => "body",
            Self::Signature => "signature",
            Self::Timestamp => "timestamp",
            Self::Handshake => "handshake",
            Self::Replay => "replay",
            Self::Events => "events",
            Self::Schema => "schema",
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
