//! `https://` receivers with a private authority.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use super::{
    receiver::{Receiver, ok},
    *,
};

/// An acceptor with a certificate for `name`, and its authority in PEM.
fn authority(name: &str) -> (TlsAcceptor, Vec<u8>) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![leaf.der().clone()],
            PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        )
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    (Arc::new(config).into(), issuer.pem().into_bytes())
}

async fn secure(name: &str) -> (Receiver, Vec<u8>) {
    let (acceptor, pem) = authority(name);
    let receiver = Receiver::start_tls(vec![vec![ok("secure"); 10].concat()], acceptor).await;
    (receiver, pem)
}

fn trusting(url: &str, pem: Vec<u8>) -> Upstream {
    build(&model::Upstream { ca_pem: Some(pem), ..settings(&[url]) })
}

#[tokio::test]
async fn a_private_authority_is_trusted_by_name_and_address() {
    for host in ["localhost", "127.0.0.1"] {
        let (receiver, pem) = secure(host).await;
        let url = format!("https://{host}:{}/in", receiver.address.port());
        let upstream = trusting(&url, pem);
        for _ in 0..3 {
            assert_eq!(delivered(&upstream, b"{}").await, (200, "secure".to_owned()));
        }
        assert_eq!(receiver.connections(), 1);
        assert!(receiver.requests()[0].starts_with("POST /in?b=c HTTP/1.1\r\n"));
    }
}

#[tokio::test]
async fn whoever_cannot_prove_the_name_gets_nothing() {
    let (receiver, pem) = secure("other.example").await;
    let (_, stranger) = authority("localhost");
    let url = format!("https://localhost:{}", receiver.address.port());
    for pem in [pem, stranger] {
        assert_eq!(refused(&trusting(&url, pem)).await, Code::UpstreamUnreachable);
    }
    assert!(receiver.requests().is_empty());
}

#[tokio::test]
async fn a_plain_receiver_behind_https_is_unreachable() {
    let receiver = Receiver::answering("plain").await;
    let (_, pem) = authority("localhost");
    let url = format!("https://localhost:{}", receiver.address.port());
    let mut settings = settings(&[&url]);
    settings.ca_pem = Some(pem);
    settings.connect_timeout = Duration::from_millis(200);
    assert_eq!(refused(&build(&settings)).await, Code::UpstreamUnreachable);
    assert!(receiver.requests().is_empty());
}
