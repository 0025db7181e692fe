//! `[routes.X.upstream]`.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use http::{HeaderName, HeaderValue, StatusCode, Uri};

/// `upstream`, in either form.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// Where to send, in order of preference.
    pub targets: Vec<Target>,
    /// To the last body byte of the answer's head: the whole exchange.
    pub timeout: Duration,
    /// To an established connection, TLS included.
    pub connect_timeout: Duration,
    /// How long an unused connection is kept.
    pub idle_timeout: Duration,
    /// Active health checks.
    pub health: Option<Health>,
    /// Headers set on every request.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// What the sender sees for an upstream's status.
    pub map_status: BTreeMap<u16, StatusCode>,
    /// Re-signing for the receiver; the first secret signs first.
    pub sign: Vec<Arc<SigningKey>>,
    /// Extra certificate authorities, PEM; `None`: the system's.
    pub ca_pem: Option<Vec<u8>>,
}

/// Where an upstream is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// `builtin:echo`.
    Echo,
    /// `http://` or `https://`.
    Url(Uri),
}

/// `upstream.health`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// The path asked with GET.
    pub path: String,
    /// How often.
    pub interval: Duration,
}

/// A secret that the gateway signs with, its bytes already decoded; wiped when dropped.
pub struct SigningKey(pub zeroize::Zeroizing<Vec<u8>>);

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
