//! What a reload may change of the servers.

use std::sync::Arc;

use crate::{
    clock::Clock,
    config::model::{Limits, ProxyProtocol, Server},
    net::{
        Sources,
        tls::{Tls, TlsError, listener},
    },
};

/// The part of `[server]` that new connections are judged by.
///
/// A connection keeps the settings that it began with.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// `[server.limits]`.
    pub limits: Limits,
    /// Whose forwarding headers and PROXY announcements are believed.
    pub trusted_proxies: Arc<Sources>,
    /// Whether a PROXY header is expected.
    pub proxy_protocol: ProxyProtocol,
    /// Certificates and how to choose among them; `None` is plain HTTP.
    pub tls: Option<Arc<Tls>>,
}

impl ServerSettings {
    /// Makes the settings of a checked configuration.
    ///
    /// # Errors
    ///
    /// If a certificate cannot be used.
    pub fn new(server: &Server, clock: &Clock) -> Result<Self, TlsError> {
        Ok(Self {
            limits: server.limits.clone(),
            trusted_proxies: Arc::new(Sources::new(&server.trusted_proxies)),
            proxy_protocol: server.proxy_protocol,
            tls: listener(&server.tls, clock)?,
        })
    }
}
