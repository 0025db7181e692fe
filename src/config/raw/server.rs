use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Size, Time};
use crate::config::model::{Answers, ProxyProtocol};

/// `[server]`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Addresses to listen on.
    pub listen: Option<Vec<String>>,
    /// `"uniform"`: every 401 like every other 401, every 403 like every other 403; `"codes"`:
    /// with the code that names the cause. Default `"uniform"`.
    pub answers: Option<Answers>,
    /// Networks whose `X-Forwarded-*` and `Forwarded` are believed.
    pub trusted_proxies: Option<Vec<String>>,
    /// Whether a PROXY header is expected, from `trusted_proxies` only. Default `"off"`.
    pub proxy_protocol: Option<ProxyProtocol>,
    /// Certificates, chosen by SNI; with one, every listener speaks TLS.
    pub tls: Option<Vec<Tls>>,
    /// Bounds.
    pub limits: Option<Limits>,
}

/// `[[server.tls]]`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The chain, PEM, leaf first; relative to the configuration.
    pub certificate: Option<PathBuf>,
    /// The private key, PEM.
    pub private_key: Option<PathBuf>,
    /// Certificate authorities, PEM: clients that connect under this certificate's names are asked
    /// for one of these. Left out: they are not asked.
    pub client_ca: Option<PathBuf>,
}

/// `[server.limits]`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Open connections altogether. Default 10000.
    pub connections: Option<u64>,
    /// Open connections of one source (IPv6: of one /64); trusted proxies are exempt. Default 256.
    pub connections_per_source: Option<u64>,
    /// A request's head. Default `"32KiB"`.
    pub header_bytes: Option<Size>,
    /// First byte to complete head, PROXY header and TLS handshake included. Default `"10s"`.
    pub header_timeout: Option<Time>,
    /// Complete head to last byte of the body. Default `"15s"`.
    pub body_timeout: Option<Time>,
    /// Between requests of a connection. Default `"75s"`.
    pub idle_timeout: Option<Time>,
    /// All buffered bodies together. Default `"512MiB"`, at most a quarter of the memory limit.
    pub body_memory: Option<Size>,
    /// How long a drain waits for requests in flight. Default `"30s"`.
    pub shutdown_grace: Option<Time>,
}
