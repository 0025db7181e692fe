//! What all fetches share, as `[fetch]` says it.

use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::Duration,
};

use rustls::{
    ClientConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, pem::PemObject},
};
use rustls_platform_verifier::Verifier;

use super::{FetchError, resolve::Resolver};
use crate::config::model;

/// `[fetch]`, ready for use.
#[derive(Debug)]
pub struct Settings {
    pub(super) allow_private: bool,
    pub(super) timeout: Duration,
    pub(super) max_bytes: usize,
    pub(super) cache: Option<PathBuf>,
    pub(super) resolver: Resolver,
    ca_pem: Option<Vec<u8>>,
    tls: OnceLock<Result<Arc<ClientConfig>, Box<str>>>,
}

impl Settings {
    /// Of a checked configuration.
    pub fn new(config: &model::Fetch, resolver: Resolver) -> Self {
        Self {
            allow_private: config.allow_private,
            timeout: config.timeout,
            max_bytes: config.max_bytes,
            cache: config.cache.clone(),
            resolver,
            ca_pem: config.ca_pem.clone(),
            tls: OnceLock::new(),
        }
    }

    /// Whom the other side must convince. The system's authorities are read when something is
    /// fetched for the first time: a machine without them may still serve what needs nothing.
    pub(super) fn tls(&self) -> Result<Arc<ClientConfig>, FetchError> {
        let made = self.tls.get_or_init(|| {
            client(self.ca_pem.as_deref()).map_err(|error| error.to_string().into())
        });
        made.clone().map_err(FetchError::Tls)
    }
}

/// Trusts the system's authorities and the given ones.
fn client(ca_pem: Option<&[u8]>) -> Result<Arc<ClientConfig>, rustls::Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let extra = CertificateDer::pem_slice_iter(ca_pem.unwrap_or_default()).flatten();
    let verifier = Verifier::new_with_extra_roots(extra, Arc::clone(&provider))?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        // Only its name is: this is the system's verifier, with roots added.
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
