//! Certificates, and a client that says which one it was shown.

use std::{net::TcpStream, sync::Arc};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CertifiedKey, DnType, IsCa, KeyPair,
};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, StreamOwned,
    SupportedProtocolVersion,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};

use super::Client;

/// A certificate of its own for one name.
pub struct Identity {
    pub der: CertificateDer<'static>,
    pub certificate: String,
    pub key: String,
}

impl Identity {
    pub fn new(name: &str) -> Self {
        let made: CertifiedKey<KeyPair> =
            rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        Self {
            der: made.cert.der().clone(),
            certificate: made.cert.pem(),
            key: made.signing_key.serialize_pem(),
        }
    }

    /// A server that shows it.
    pub fn server(&self) -> Arc<ServerConfig> {
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![self.der.clone()], key);
        Arc::new(config.unwrap())
    }

    /// Writes `{name}.pem` and `{name}.key`.
    pub fn write(&self, dir: &std::path::Path, name: &str) {
        std::fs::write(dir.join(format!("{name}.pem")), &self.certificate).unwrap();
        std::fs::write(dir.join(format!("{name}.key")), &self.key).unwrap();
    }
}

/// Somebody who vouches for clients.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// A client's certificate of this common name and organisation, for one host, valid from 2025
    /// to this day.
    pub fn client(&self, name: &str, host: &str, until: (i32, u8, u8)) -> Identity {
        let mut params = CertificateParams::new([host.to_owned()]).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, "Acme, Inc.");
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_before = rcgen::date_time_ymd(2025, 1, 1);
        params.not_after = rcgen::date_time_ymd(until.0, until.1, until.2);
        let key = KeyPair::generate().unwrap();
        let made = params.signed_by(&key, &self.0).unwrap();
        Identity { der: made.der().clone(), certificate: made.pem(), key: key.serialize_pem() }
    }
}

/// The same as [`trusting`], with a certificate of the client's own, in one version of TLS.
pub fn showing(
    server: &[&Identity],
    own: &Identity,
    alpn: &[&str],
    version: &'static SupportedProtocolVersion,
) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for identity in server {
        roots.add(identity.der.clone()).unwrap();
    }
    let key = PrivateKeyDer::from_pem_slice(own.key.as_bytes()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(vec![own.der.clone()], key)
        .unwrap();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    Arc::new(config)
}

/// What a client that trusts these certificates alone does.
pub fn trusting(identities: &[&Identity], alpn: &[&str]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for identity in identities {
        roots.add(identity.der.clone()).unwrap();
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    Arc::new(config)
}

/// One handshake.
pub struct Shown {
    pub certificate: CertificateDer<'static>,
    pub alpn: Option<String>,
    pub client: Client,
}

/// Shakes hands for a name; the error is what the client has against it.
pub fn handshake(
    config: &Arc<ClientConfig>,
    client: Client,
    name: &str,
) -> Result<Shown, rustls::Error> {
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut connection = ClientConnection::new(Arc::clone(config), name)?;
    let mut failed = None;
    let mut shown = (None, None);
    let client = client.wrapped(|mut tcp: TcpStream| {
        while failed.is_none() && connection.is_handshaking() {
            if let Err(error) = connection.complete_io(&mut tcp) {
                let tls = error.get_ref().and_then(|e| e.downcast_ref::<rustls::Error>()).cloned();
                failed = Some(tls.unwrap_or(rustls::Error::General(error.to_string())));
            }
        }
        let first = connection.peer_certificates().and_then(|chain| chain.first());
        shown.0 = first.map(|certificate| certificate.clone().into_owned());
        shown.1 = connection.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned());
        StreamOwned::new(connection, tcp)
    });
    match (failed, shown) {
        (None, (Some(certificate), alpn)) => Ok(Shown { certificate, alpn, client }),
        (failed, _) => Err(failed.unwrap_or(rustls::Error::NoCertificatesPresented)),
    }
}
