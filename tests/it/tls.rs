//! HTTPS listeners: certificates by name, ALPN, `require_https`, and new certificates by reload.

use crate::support::{
    Gateway, Upstream, github, http2, request,
    tls::{Identity, handshake, trusting},
};

const SECRET: &str = "a-secret-of-16-bytes-or-more";

fn config(upstream: &Upstream, second: &str) -> String {
    format!(
        r#"
[server]
listen = ["127.0.0.1:0"]
[[server.tls]]
certificate = "a.pem"
private_key = "a.key"
[[server.tls]]
certificate = "{second}.pem"
private_key = "{second}.key"
[policy]
require_https = true
[routes.github]
path = "/github"
provider = "github"
secrets = [{{ value = "{SECRET}" }}]
upstream = "{}"
"#,
        upstream.url("")
    )
}

fn gateway(upstream: &Upstream, a: &Identity, b: &Identity) -> Gateway {
    let dir = tempfile::tempdir().unwrap();
    a.write(dir.path(), "a");
    b.write(dir.path(), "b");
    Gateway::start_in(dir, &config(upstream, "b"))
}

#[test]
fn the_certificate_is_chosen_by_name() {
    let upstream = Upstream::start();
    let (a, b) = (Identity::new("a.example"), Identity::new("b.example"));
    let gateway = gateway(&upstream, &a, &b);
    for (alpn, chosen) in [
        (&["h2", "http/1.1"][..], Some("h2")),
        (&["http/1.1"], Some("http/1.1")),
        (&["http/1.1", "h2"], Some("h2")),
        (&[], None),
    ] {
        let client = trusting(&[&a, &b], alpn);
        for (name, identity) in [("a.example", &a), ("b.example", &b), ("B.Example", &b)] {
            let shown = handshake(&client, gateway.connect(), name).unwrap();
            assert_eq!(shown.certificate, identity.der, "{name}");
            assert_eq!(shown.alpn.as_deref(), chosen, "{alpn:?}");
        }
    }
    // Nobody is shown a certificate that fits by accident.
    let client = trusting(&[&a, &b], &[]);
    assert!(handshake(&client, gateway.connect(), "c.example").is_err());
}

#[test]
fn tls_is_https_and_plain_http_is_not_spoken() {
    let upstream = Upstream::start();
    let (a, b) = (Identity::new("a.example"), Identity::new("b.example"));
    let gateway = gateway(&upstream, &a, &b);
    let bytes = request("POST", "/github", &[("X-Hub-Signature-256", &github(SECRET, b"1"))], b"1");
    let client = trusting(&[&a], &["http/1.1"]);
    let mut shown = handshake(&client, gateway.connect(), "a.example").unwrap();
    shown.client.write(&bytes);
    assert_eq!(shown.client.read().unwrap().status, 200);
    assert_eq!(upstream.last().header("x-forwarded-proto"), Some("https"));
    let mut plain = gateway.connect();
    plain.write(&request(
        "POST",
        "/github",
        &[("X-Hub-Signature-256", &github(SECRET, b"2"))],
        b"2",
    ));
    assert!(plain.read().is_none_or(|answer| answer.status == 400));
    assert_eq!(upstream.count(), 1);
}

#[test]
fn http2_inside_tls() {
    let upstream = Upstream::start();
    let (a, b) = (Identity::new("a.example"), Identity::new("b.example"));
    let gateway = gateway(&upstream, &a, &b);
    http2::runtime().block_on(async {
        let connector = tokio_rustls::TlsConnector::from(trusting(&[&b], &["h2"]));
        let tcp = tokio::net::TcpStream::connect(gateway.address).await.unwrap();
        let stream = connector.connect("b.example".try_into().unwrap(), tcp).await.unwrap();
        let mut sender = http2::over(stream).await;
        let signature = github(SECRET, b"over h2");
        let headers = [("x-hub-signature-256", signature.as_str())];
        let request = http2::post("https://b.example/github", &headers, http2::full(b"over h2"));
        let (status, ..) = http2::whole(sender.send_request(request).await.unwrap()).await;
        assert_eq!(status, 200);
    });
    let seen = upstream.last();
    assert_eq!(
        (seen.body.as_slice(), seen.header("x-forwarded-proto")),
        (&b"over h2"[..], Some("https"))
    );
    assert_eq!(seen.header("x-forwarded-host"), Some("b.example"));
}

#[test]
fn a_reload_brings_new_certificates_to_new_connections() {
    let upstream = Upstream::start();
    let (a, b) = (Identity::new("a.example"), Identity::new("b.example"));
    let gateway = gateway(&upstream, &a, &b);
    let old = trusting(&[&a, &b], &["http/1.1"]);
    let mut kept = handshake(&old, gateway.connect(), "b.example").unwrap().client;

    let renewed = Identity::new("b.example");
    renewed.write(gateway.dir.path(), "b");
    assert_eq!(
        handshake(&old, gateway.connect(), "b.example").unwrap().certificate,
        b.der,
        "nothing changes before the reload"
    );
    assert!(gateway.reload(&config(&upstream, "b")));
    assert!(handshake(&old, gateway.connect(), "b.example").is_err());
    let new = trusting(&[&a, &renewed], &["http/1.1"]);
    assert_eq!(handshake(&new, gateway.connect(), "b.example").unwrap().certificate, renewed.der);
    assert_eq!(handshake(&new, gateway.connect(), "a.example").unwrap().certificate, a.der);

    // The connection that was open goes on.
    let signature = github(SECRET, b"{}");
    kept.write(&request("POST", "/github", &[("X-Hub-Signature-256", &signature)], b"{}"));
    assert_eq!(kept.read().unwrap().status, 200);

    // A key that does not belong to its certificate changes nothing.
    std::fs::write(gateway.dir.path().join("b.key"), &a.key).unwrap();
    assert!(!gateway.reload(&config(&upstream, "b")));
    std::fs::write(gateway.dir.path().join("b.pem"), "half a certif").unwrap();
    assert!(!gateway.reload(&config(&upstream, "b")));
    assert!(!gateway.reload(&config(&upstream, "missing")));
    assert_eq!(handshake(&new, gateway.connect(), "b.example").unwrap().certificate, renewed.der);
}
