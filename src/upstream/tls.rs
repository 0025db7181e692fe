//! Whom an `https://` upstream must convince.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, pem::PemObject},
};
use rustls_platform_verifier::BuilderVerifierExt;

use super::build::BuildError;

/// What the upstreams of one configuration share: the system's certificate authorities are read
/// once, and only if an `https://` upstream has no authorities of its own.
#[derive(Debug, Default)]
pub struct TlsContext {
    system: Mutex<Option<Arc<ClientConfig>>>,
}

impl TlsContext {
    /// A context that has read nothing yet.
    pub const fn new() -> Self {
        Self { system: Mutex::new(None) }
    }

    /// The client configuration for these authorities alone, or for the system's.
    pub(super) fn client(&self, ca_pem: Option<&[u8]>) -> Result<Arc<ClientConfig>, BuildError> {
        match ca_pem {
            Some(pem) => private(pem),
            None => self.system(),
        }
    }

    fn system(&self) -> Result<Arc<ClientConfig>, BuildError> {
        let mut system = self.system.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = &*system {
            return Ok(config.clone());
        }
        let config = builder()?
            .with_platform_verifier()
            .map_err(|error| BuildError::SystemAuthorities(error.to_string()))?
            .with_no_client_auth();
        Ok(system.insert(finish(config)).clone())
    }
}

fn private(pem: &[u8]) -> Result<Arc<ClientConfig>, BuildError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate =
            certificate.map_err(|error| BuildError::Authorities(error.to_string()))?;
        roots.add(certificate).map_err(|error| BuildError::Authorities(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(BuildError::Authorities("there is no certificate in it".to_owned()));
    }
    Ok(finish(builder()?.with_root_certificates(roots).with_no_client_auth()))
}

fn builder() -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, BuildError> {
    // The provider is named, so that no process-wide default has to be installed first.
    ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| BuildError::SystemAuthorities(error.to_string()))
}

fn finish(mut config: ClientConfig) -> Arc<ClientConfig> {
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(config)
}
