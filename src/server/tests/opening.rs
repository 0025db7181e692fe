//! PROXY headers, TLS and HTTP/2.

use std::sync::Arc;

use http::{Request, Version};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName},
};
use tokio::{io::AsyncWriteExt, net::TcpStream};
use tokio_rustls::TlsConnector;

use super::support::{TestServer, eventually, post};
use crate::{
    clock::Clock,
    config::model::{Certificate, ProxyProtocol, Server},
    net::tls::tests::certificate,
    server::ServerSettings,
};

const V1: &str = "PROXY TCP4 192.0.2.9 10.0.0.1 5000 443\r\n";
const V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x09\x0a\0\0\x01\x13\x88\x01\xbb";
const V2_LOCAL: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";

fn proxied(mode: ProxyProtocol, trusted: &str) -> TestServer {
    let trusted = trusted.parse().unwrap();
    TestServer::start(move |config: &mut Server| {
        config.proxy_protocol = mode;
        config.trusted_proxies = vec![trusted];
        config.limits.connections_per_source = 2;
    })
}

fn answer(server: &TestServer, before: &[u8]) -> String {
    let request = [before, post("/", "x").as_bytes()].concat();
    let mut client = server.client();
    client.send(request);
    // It may be closed already.
    client.0.shutdown(std::net::Shutdown::Write).unwrap_or_default();
    client.rest()
}

#[test]
fn a_trusted_proxy_announces_the_source() {
    for mode in [ProxyProtocol::Optional, ProxyProtocol::Required] {
        let server = proxied(mode, "127.0.0.1/32");
        assert!(answer(&server, V1.as_bytes()).contains("source=192.0.2.9 "));
        assert!(answer(&server, V2).contains("source=192.0.2.9 "));
        assert!(answer(&server, V2_LOCAL).contains("source=127.0.0.1 "));
        assert_eq!(answer(&server, b"PROXY TCP4 x\r\n"), "");
        let without = answer(&server, b"");
        assert_eq!(without.contains("source=127.0.0.1 "), mode == ProxyProtocol::Optional);
        let mut client = server.client();
        for byte in [V2, post("/", "x").as_bytes()].concat() {
            client.send([byte]);
        }
        assert!(client.answer().contains("source=192.0.2.9 "));
    }
}

#[test]
fn an_announcement_of_an_untrusted_peer_ends_the_connection() {
    for mode in [ProxyProtocol::Optional, ProxyProtocol::Required] {
        let server = proxied(mode, "10.0.0.0/8");
        assert_eq!(answer(&server, V1.as_bytes()), "");
        assert_eq!(answer(&server, V2), "");
        let without = answer(&server, b"");
        assert_eq!(without.contains("source=127.0.0.1 "), mode == ProxyProtocol::Optional);
    }
}

#[test]
fn an_announcement_where_none_is_expected_is_bad_http() {
    let server = proxied(ProxyProtocol::Off, "127.0.0.1/32");
    assert!(answer(&server, V1.as_bytes()).starts_with("HTTP/1.1 400"));
    assert!(answer(&server, V2).starts_with("HTTP/1.1 400"));
}

#[test]
fn announced_sources_are_counted_each_for_itself() {
    let server = proxied(ProxyProtocol::Required, "127.0.0.1/32");
    let mut held: Vec<_> = (0..2)
        .map(|_| {
            let mut client = server.client();
            assert!(client.send(V1).send(post("/", "x")).answer().contains("192.0.2.9"));
            client
        })
        .collect();
    assert_eq!(answer(&server, V2), "");
    assert_eq!(server.control.turned_away(), 1);
    let other = V1.replace("192.0.2.9", "192.0.2.8");
    assert!(answer(&server, other.as_bytes()).contains("192.0.2.8"));
    held.pop();
    eventually(|| answer(&server, V2).contains("192.0.2.9"));
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn connector(roots: &[CertificateDer<'static>], alpn: &[u8]) -> TlsConnector {
    let mut store = RootCertStore::empty();
    for root in roots {
        store.add(root.clone()).unwrap();
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(store)
        .with_no_client_auth();
    config.alpn_protocols = vec![alpn.to_vec()];
    TlsConnector::from(Arc::new(config))
}

fn request(version: Version, uri: &str) -> Request<Empty<bytes::Bytes>> {
    let request = Request::builder().uri(uri).version(version);
    request.header("host", "a.example").body(Empty::new()).unwrap()
}

async fn text(response: http::Response<hyper::body::Incoming>) -> String {
    #[expect(clippy::disallowed_methods, reason = "our own server's answer in a test")]
    let body = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

/// Asks over TLS for a name; the certificate must be that name's.
async fn ask(
    server: &TestServer,
    root: &CertificateDer<'static>,
    name: &str,
    alpn: &str,
) -> Option<String> {
    ask_after(&[], server, root, name, alpn).await
}

/// The same, with something said before the handshake.
async fn ask_after(
    before: &[u8],
    server: &TestServer,
    root: &CertificateDer<'static>,
    name: &str,
    alpn: &str,
) -> Option<String> {
    let mut tcp = TcpStream::connect(server.address).await.unwrap();
    tcp.write_all(before).await.unwrap();
    let connector = connector(std::slice::from_ref(root), alpn.as_bytes());
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let io = TokioIo::new(connector.connect(name, tcp).await.ok()?);
    if alpn == "h2" {
        let (mut send, driver) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
        tokio::spawn(driver);
        Some(
            text(send.send_request(request(Version::HTTP_2, "https://a.example/x")).await.unwrap())
                .await,
        )
    } else {
        let (mut send, driver) = http1::handshake(io).await.unwrap();
        tokio::spawn(driver);
        Some(text(send.send_request(request(Version::HTTP_11, "/x")).await.unwrap()).await)
    }
}

#[test]
fn certificates_are_chosen_by_name_and_swapped_by_a_reload() {
    let (one, one_root) = certificate(&["one.example"]);
    let (two, two_root) = certificate(&["*.two.example"]);
    let (three, three_root) = certificate(&["one.example"]);
    let certificates = vec![one, two];
    let server = TestServer::start(|config| config.tls = certificates.clone());
    runtime().block_on(async {
        for (root, name, alpn) in [
            (&one_root, "one.example", "http/1.1"),
            (&two_root, "a.two.example", "http/1.1"),
            (&two_root, "b.two.example", "h2"),
        ] {
            let text = ask(&server, root, name, alpn).await.unwrap();
            let expected = format!("tls=true http2={}", alpn == "h2");
            assert!(text.contains(&expected), "{name} {alpn}: {text}");
        }
        // An unknown name gets the first certificate, which is not its own.
        assert_eq!(ask(&server, &one_root, "unknown.example", "h2").await, None);
        let mut config = super::support::config();
        config.tls = vec![Certificate { ..three }];
        server.settings.store(Arc::new(ServerSettings::new(&config, &Clock::system()).unwrap()));
        assert_eq!(ask(&server, &one_root, "one.example", "h2").await, None);
        assert!(ask(&server, &three_root, "one.example", "h2").await.is_some());
    });
}

#[test]
fn an_announcement_comes_before_the_handshake() {
    let (one, root) = certificate(&["one.example"]);
    let server = TestServer::start(|config| {
        config.tls = vec![one];
        config.proxy_protocol = ProxyProtocol::Required;
        config.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    });
    runtime().block_on(async {
        for alpn in ["http/1.1", "h2"] {
            let text = ask_after(V2, &server, &root, "one.example", alpn).await.unwrap();
            assert!(text.contains("source=192.0.2.9 tls=true"), "{text}");
        }
    });
}

#[test]
fn plain_http_on_a_tls_listener_is_no_request() {
    let (one, _) = certificate(&["one.example"]);
    let server = TestServer::start(|config| config.tls = vec![one]);
    assert!(!answer(&server, b"").contains("HTTP"));
}

#[test]
fn http2_by_prior_knowledge() {
    let server = TestServer::start(|config| {
        config.limits.header_timeout = std::time::Duration::from_millis(100);
        config.limits.idle_timeout = std::time::Duration::from_millis(200);
    });
    runtime().block_on(async {
        let io = TokioIo::new(TcpStream::connect(server.address).await.unwrap());
        let (mut send, driver) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
        let driver = tokio::spawn(driver);
        for path in ["/x", "/slow"] {
            let uri = format!("http://a.example{path}");
            let text = text(send.send_request(request(Version::HTTP_2, &uri)).await.unwrap()).await;
            assert!(text.contains("tls=false http2=true") && text.contains(path), "{text}");
        }
        // Without a stream it is told to go after the idle timeout.
        driver.await.unwrap().unwrap();
    });
    assert_eq!(server.control.http2_errors(), 0);
    let mut client = server.client();
    client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nthis is no frame at all");
    client.finish();
    eventually(|| server.control.http2_errors() == 1);
    eventually(|| server.control.connections() == 0);
}

#[test]
fn http2_drains() {
    let server = TestServer::start(|_| {});
    runtime().block_on(async {
        let io = TokioIo::new(TcpStream::connect(server.address).await.unwrap());
        let (mut send, driver) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
        let driver = tokio::spawn(driver);
        let answer = send.send_request(request(Version::HTTP_2, "http://a.example/slow"));
        let answer = tokio::spawn(answer);
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        server.control.shut_down();
        assert!(text(answer.await.unwrap().unwrap()).await.contains("path=/slow"));
        driver.await.unwrap().unwrap();
    });
    assert!(server.join().as_secs() < 5);
}
