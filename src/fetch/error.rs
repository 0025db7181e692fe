//! Why something could not be fetched.

use std::time::Duration;

/// Why something could not be fetched. For operators: in logs and details, never for a sender.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// It failed a moment ago and is left alone for now.
    #[error("failed before and is tried again in {} s: {why}", retry_in.as_secs().max(1))]
    Resting {
        /// What the last attempt ended in.
        why: Box<Self>,
        /// How long until the next attempt.
        retry_in: Duration,
    },
    /// Too many URLs at once.
    #[error("too many URLs are being fetched")]
    Crowded,
    /// The name cannot be resolved.
    #[error("the host cannot be resolved: {0}")]
    Unresolved(Box<str>),
    /// The name resolves only to addresses that are not fetched from.
    #[error("the host resolves to addresses that may not be fetched from")]
    Inside,
    /// No connection.
    #[error("no connection: {0}")]
    Unreachable(Box<str>),
    /// The TLS handshake failed; above all, the certificate is not trusted.
    #[error("TLS: {0}")]
    Tls(Box<str>),
    /// Not within the time.
    #[error("no answer within {0:?}")]
    Late(Duration),
    /// The other side broke HTTP or the connection.
    #[error("the answer is broken: {0}")]
    Broken(Box<str>),
    /// Any status but 200; redirects are not followed.
    #[error("the answer's status is {0}")]
    Status(u16),
    /// The body is compressed, though nobody asked for that.
    #[error("the answer is compressed")]
    Encoded,
    /// The body is larger than `fetch.max_bytes`.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    /// What was fetched is not what it should be.
    #[error("{0}")]
    Unusable(Box<str>),
}
