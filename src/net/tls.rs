//! TLS for listeners: rustls, several certificates, chosen by the name that the client asks for.

use std::{path::PathBuf, sync::Arc};

use rustls::{
    ServerConfig,
    client::verify_server_name,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
    server::{ClientHello, ParsedCertificate, ResolvesServerCert},
    sign::CertifiedKey,
};

use crate::config::model::Certificate;

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The chain's file holds none.
    #[error("{0}: there is no certificate in it")]
    NoCertificate(PathBuf),
    /// The chain's file cannot be read as PEM.
    #[error("{0}: not PEM certificates")]
    NotPem(PathBuf),
    /// The key's file cannot be read as an unencrypted private key.
    #[error("{0}: no unencrypted private key in PEM form")]
    NoKey(PathBuf),
    /// The key is not the certificate's, or one of a kind that is not supported.
    #[error("{chain} and {key} do not work together: {source}")]
    Unusable {
        /// The chain's file.
        chain: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What rustls says.
        source: rustls::Error,
    },
    /// The cryptographic library refused.
    #[error("TLS cannot be set up: {0}")]
    Setup(#[from] rustls::Error),
}

/// Makes the configuration of a TLS listener; `None` if there are no certificates.
///
/// The certificate whose names match what the client asks for is used; the first one where none
/// does, or where the client asks for none. HTTP/2 and HTTP/1.1, TLS 1.2 and 1.3.
///
/// # Errors
///
/// With the name of the file that cannot be used.
pub fn server_config(certificates: &[Certificate]) -> Result<Option<Arc<ServerConfig>>, TlsError> {
    if certificates.is_empty() {
        return Ok(None);
    }
    let keys = certificates.iter().map(certified).collect::<Result<Vec<_>, _>>()?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(ByName(keys)));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // Stateless tickets: resuming on any core, and nothing to keep for a client that never returns.
    config.ticketer = aws_lc_rs::Ticketer::new()?;
    Ok(Some(Arc::new(config)))
}

fn certified(certificate: &Certificate) -> Result<Arc<CertifiedKey>, TlsError> {
    let chain = CertificateDer::pem_slice_iter(&certificate.chain_pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| TlsError::NotPem(certificate.chain_file.clone()))?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate(certificate.chain_file.clone()));
    }
    let key = PrivateKeyDer::from_pem_slice(&certificate.key_pem)
        .map_err(|_| TlsError::NoKey(certificate.key_file.clone()))?;
    CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider()).map(Arc::new).map_err(
        |source| TlsError::Unusable {
            chain: certificate.chain_file.clone(),
            key: certificate.key_file.clone(),
            source,
        },
    )
}

#[derive(Debug)]
struct ByName(Vec<Arc<CertifiedKey>>);

impl ResolvesServerCert for ByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let asked = hello.server_name().and_then(|name| ServerName::try_from(name).ok());
        let speaks =
            |key: &&Arc<CertifiedKey>| key.key.choose_scheme(hello.signature_schemes()).is_some();
        let named =
            |key: &&Arc<CertifiedKey>| asked.as_ref().is_some_and(|name| is_named(key, name));
        // Of two certificates for one name, the one whose kind of key the client knows.
        let by_name = || self.0.iter().find(|key| named(key) && speaks(key));
        by_name().or_else(|| self.0.first()).cloned()
    }
}

fn is_named(key: &CertifiedKey, name: &ServerName<'_>) -> bool {
    key.end_entity_cert()
        .and_then(ParsedCertificate::try_from)
        .is_ok_and(|leaf| verify_server_name(&leaf, name).is_ok())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A fresh self-signed certificate for these names, and its DER form.
    pub(crate) fn certificate(names: &[&str]) -> (Certificate, CertificateDer<'static>) {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        let certificate = Certificate {
            chain_pem: made.cert.pem().into_bytes(),
            key_pem: made.signing_key.serialize_pem().into_bytes().into(),
            chain_file: "chain.pem".into(),
            key_file: "key.pem".into(),
        };
        (certificate, made.cert.der().clone())
    }

    #[test]
    fn errors_name_the_file() {
        let (good, _) = certificate(&["a.example"]);
        let (other, _) = certificate(&["b.example"]);
        let error = |certificate| server_config(&[certificate]).unwrap_err().to_string();
        let empty = Certificate { chain_pem: vec![], ..good.clone() };
        assert_eq!(error(empty), "chain.pem: there is no certificate in it");
        let broken =
            Certificate { chain_pem: b"-----BEGIN CERTIFICATE-----\nx".to_vec(), ..good.clone() };
        assert_eq!(error(broken), "chain.pem: not PEM certificates");
        let keyless = Certificate { key_pem: b"x".to_vec().into(), ..good.clone() };
        assert_eq!(error(keyless), "key.pem: no unencrypted private key in PEM form");
        let mixed = Certificate { key_pem: other.key_pem, ..good.clone() };
        assert!(error(mixed).starts_with("chain.pem and key.pem do not work together"));
        assert!(server_config(&[]).unwrap().is_none());
        assert!(server_config(&[good]).unwrap().is_some());
    }
}
