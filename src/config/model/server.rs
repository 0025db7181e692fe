//! `[server]`, `[admin]` and `[log]`.

use std::{fmt, net::SocketAddr, path::PathBuf, time::Duration};

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::Deserialize;

/// `[server]`.
#[derive(Debug, Clone)]
pub struct Server {
    /// Addresses to listen on; at least one.
    pub listen: Vec<SocketAddr>,
    /// Certificates; with at least one, every listener speaks TLS.
    pub tls: Vec<Certificate>,
    /// Whether refusals of authentication are told apart to the sender.
    pub answers: Answers,
    /// Whose forwarding headers and PROXY announcements are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether a PROXY header is expected.
    pub proxy_protocol: ProxyProtocol,
    /// Bounds.
    pub limits: Limits,
}

/// A certificate chain with its key, PEM contents already read.
#[derive(Clone)]
pub struct Certificate {
    /// The chain, leaf first, PEM.
    pub chain_pem: Vec<u8>,
    /// The private key, PEM; wiped when dropped.
    pub key_pem: zeroize::Zeroizing<Vec<u8>>,
    /// The file of the chain, for messages.
    pub chain_file: PathBuf,
    /// The file of the key, for messages.
    pub key_file: PathBuf,
    /// Who may vouch for clients; `None`: they are not asked for certificates.
    pub client_ca: Option<Authorities>,
}

/// Certificate authorities, PEM contents already read.
#[derive(Clone, Debug)]
pub struct Authorities {
    /// The certificates, PEM.
    pub pem: Vec<u8>,
    /// Their file, for messages.
    pub file: PathBuf,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("chain_file", &self.chain_file).finish_non_exhaustive()
    }
}

/// `server.answers`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Answers {
    /// With the code that names the cause.
    Codes,
    /// Every 401 like every other 401, every 403 like every other 403.
    #[default]
    Uniform,
}

/// `server.proxy_protocol`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ProxyProtocol {
    /// A PROXY header is not HTTP and is refused as such.
    #[default]
    Off,
    /// Taken from trusted proxies if there.
    Optional,
    /// Every connection must begin with one.
    Required,
}

/// `[server.limits]`.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Open connections altogether.
    pub connections: usize,
    /// Open connections of one source (IPv6: one /64); trusted proxies are exempt.
    pub connections_per_source: usize,
    /// A request head, in bytes.
    pub header_bytes: usize,
    /// Accept or first byte to complete head, PROXY header and TLS handshake included.
    pub header_timeout: Duration,
    /// Complete head to last body byte.
    pub body_timeout: Duration,
    /// Between requests of one connection.
    pub idle_timeout: Duration,
    /// All buffered bodies together, in bytes.
    pub body_memory: usize,
    /// How long a drain waits for requests in flight.
    pub shutdown_grace: Duration,
}

/// `[admin]`.
#[derive(Clone, Debug)]
pub struct Admin {
    /// The admin listener, if any.
    pub listen: Option<SocketAddr>,
    /// Host names accepted besides loopback ones.
    pub hosts: Vec<String>,
    /// Listeners that serve `/healthz`, `/readyz` and `/metrics` alone.
    pub probes: Vec<SocketAddr>,
}

/// `[log]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// How log lines are written.
    pub format: LogFormat,
    /// A level name, or `tracing` directives.
    pub level: String,
    /// Where decisions are written, if anywhere.
    pub audit: Option<AuditSink>,
}

/// `log.format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object a line.
    #[default]
    Json,
    /// For people.
    Text,
}

/// `log.audit`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditSink {
    /// A file, appended to, mode 0600.
    File(PathBuf),
    /// Standard output.
    Stdout,
}
