//! TLS for listeners: rustls, several certificates, chosen by the name that the client asks for.

use std::{path::PathBuf, sync::Arc, time::Duration};

use rustls::{
    RootCertStore, ServerConfig,
    client::verify_server_name,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
    server::{
        ClientHello, NoServerSessionStorage, ParsedCertificate, ResolvesServerCert,
        WebPkiClientVerifier,
    },
    sign::CertifiedKey,
    time_provider::TimeProvider,
};

use crate::{
    clock::Clock,
    config::model::{Authorities, Certificate},
};

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The chain's file holds none.
    #[error("{0}: there is no certificate in it")]
    NoCertificate(PathBuf),
    /// The chain's file cannot be read as PEM.
    #[error("{0}: not PEM certificates")]
    NotPem(PathBuf),
    /// Something in the file of clients' authorities cannot vouch for anybody.
    #[error("{0}: not certificates of authorities")]
    NoAuthority(PathBuf),
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

/// The TLS side of the listeners: certificates, and whose certificates clients may show.
#[derive(Debug)]
pub struct Tls {
    keys: Arc<ByName>,
    /// By key; those that ask for the same clients share one.
    configs: Vec<Arc<ServerConfig>>,
    differ: bool,
}

impl Tls {
    /// The configuration for what this client asks for.
    pub fn choose(&self, hello: &ClientHello<'_>) -> Option<Arc<ServerConfig>> {
        let chosen = if self.differ { self.keys.choose(hello) } else { 0 };
        self.configs.get(chosen).cloned()
    }

    /// Whether the name that a client asks for decides whose certificates it may show.
    pub const fn clients_differ_by_name(&self) -> bool {
        self.differ
    }
}

/// Makes the TLS side of the listeners; `None` if there are no certificates.
///
/// The certificate whose names match what the client asks for is used; the first one where none
/// does, or where the client asks for none. HTTP/2 and HTTP/1.1, TLS 1.2 and 1.3. Where that
/// certificate comes with a `client_ca`, the client is asked for one of its own: it may show none,
/// but what it shows must hold, or there is no connection.
///
/// # Errors
///
/// With the name of the file that cannot be used.
pub fn listener(certificates: &[Certificate], clock: &Clock) -> Result<Option<Arc<Tls>>, TlsError> {
    if certificates.is_empty() {
        return Ok(None);
    }
    let keys = certificates.iter().map(certified).collect::<Result<Vec<_>, _>>()?;
    let keys = Arc::new(ByName(keys));
    let mut configs: Vec<Arc<ServerConfig>> = Vec::with_capacity(certificates.len());
    let mut differ = false;
    let authorities = |certificate: &Certificate| {
        certificate.client_ca.as_ref().map(|authorities| authorities.pem.clone())
    };
    for (number, certificate) in certificates.iter().enumerate() {
        let own = authorities(certificate);
        let like = certificates.iter().take(number).position(|other| authorities(other) == own);
        let config = match like.and_then(|earlier| configs.get(earlier)) {
            Some(same) => Arc::clone(same),
            None => {
                differ |= number > 0;
                Arc::new(server_config(&keys, certificate.client_ca.as_ref(), clock)?)
            }
        };
        configs.push(config);
    }
    Ok(Some(Arc::new(Tls { keys, configs, differ })))
}

fn server_config(
    keys: &Arc<ByName>,
    clients: Option<&Authorities>,
    clock: &Clock,
) -> Result<ServerConfig, TlsError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let time = Arc::new(OurTime(clock.clone()));
    let builder = ServerConfig::builder_with_details(Arc::clone(&provider), time)
        .with_safe_default_protocol_versions()?;
    let mut config = match clients {
        None => builder.with_no_client_auth(),
        Some(authorities) => builder.with_client_cert_verifier(
            WebPkiClientVerifier::builder_with_provider(roots(authorities)?, provider)
                .allow_unauthenticated()
                .build()
                .map_err(|_| TlsError::NoAuthority(authorities.file.clone()))?,
        ),
    }
    .with_cert_resolver(Arc::clone(keys) as Arc<dyn ResolvesServerCert>);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    if clients.is_some() {
        // Who resumes shows no certificate: what was true of it may not be any more, and
        // a ticket of one name could be used at another.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    } else {
        // Stateless tickets: resuming on any core, and nothing to keep for a client that never
        // returns.
        config.ticketer = aws_lc_rs::Ticketer::new()?;
    }
    Ok(config)
}

/// Whom certificates of clients may be from.
///
/// # Errors
///
/// If there is nobody, or one that cannot be used.
pub(crate) fn roots(authorities: &Authorities) -> Result<Arc<RootCertStore>, TlsError> {
    let mut roots = RootCertStore::empty();
    for der in CertificateDer::pem_slice_iter(&authorities.pem) {
        let der = der.map_err(|_| TlsError::NotPem(authorities.file.clone()))?;
        roots.add(der).map_err(|_| TlsError::NoAuthority(authorities.file.clone()))?;
    }
    if roots.is_empty() {
        return Err(TlsError::NoCertificate(authorities.file.clone()));
    }
    Ok(Arc::new(roots))
}

/// The gateway's clock, for rustls.
#[derive(Debug)]
struct OurTime(Clock);

impl TimeProvider for OurTime {
    fn current_time(&self) -> Option<UnixTime> {
        let now = u64::try_from(self.0.unix().0).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_millis(now)))
    }
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
        self.0.get(self.choose(&hello)).cloned()
    }
}

impl ByName {
    /// The number of the certificate to show.
    fn choose(&self, hello: &ClientHello<'_>) -> usize {
        let asked = hello.server_name().and_then(|name| ServerName::try_from(name).ok());
        let speaks =
            |key: &&Arc<CertifiedKey>| key.key.choose_scheme(hello.signature_schemes()).is_some();
        let named =
            |key: &&Arc<CertifiedKey>| asked.as_ref().is_some_and(|name| is_named(key, name));
        // Of two certificates for one name, the one whose kind of key the client knows.
        self.0.iter().position(|key| named(&key) && speaks(&key)).unwrap_or(0)
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
            client_ca: None,
        };
        (certificate, made.cert.der().clone())
    }

    #[test]
    fn errors_name_the_file() {
        let (good, _) = certificate(&["a.example"]);
        let (other, _) = certificate(&["b.example"]);
        let clock = Clock::manual(crate::clock::UnixMs(0));
        let error = |certificate| listener(&[certificate], &clock).unwrap_err().to_string();
        let empty = Certificate { chain_pem: vec![], ..good.clone() };
        assert_eq!(error(empty), "chain.pem: there is no certificate in it");
        let broken =
            Certificate { chain_pem: b"-----BEGIN CERTIFICATE-----\nx".to_vec(), ..good.clone() };
        assert_eq!(error(broken), "chain.pem: not PEM certificates");
        let keyless = Certificate { key_pem: b"x".to_vec().into(), ..good.clone() };
        assert_eq!(error(keyless), "key.pem: no unencrypted private key in PEM form");
        let mixed = Certificate { key_pem: other.key_pem, ..good.clone() };
        assert!(error(mixed).starts_with("chain.pem and key.pem do not work together"));
        let asking = |pem: &[u8]| {
            let pem = pem.to_vec();
            Certificate {
                client_ca: Some(Authorities { pem, file: "ca.pem".into() }),
                ..good.clone()
            }
        };
        assert_eq!(error(asking(b"")), "ca.pem: there is no certificate in it");
        let broken = b"-----BEGIN CERTIFICATE-----\nx";
        assert_eq!(error(asking(broken)), "ca.pem: not PEM certificates");
        let nobody = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert_eq!(error(asking(nobody)), "ca.pem: not certificates of authorities");
        let asking = asking(&other.chain_pem);
        assert!(listener(&[], &clock).unwrap().is_none());
        let differ = |certificates: &[Certificate]| {
            listener(certificates, &clock).unwrap().unwrap().clients_differ_by_name()
        };
        assert!(!differ(&[good.clone(), good.clone()]));
        assert!(!differ(&[asking.clone(), asking.clone()]));
        assert!(differ(&[good, asking]));
    }
}
