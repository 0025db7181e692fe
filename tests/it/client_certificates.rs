//! Client certificates: whom the handshake lets in, and what a route wants to have been shown.

use std::{sync::Arc, time::Duration};

use rustls::{
    ClientConfig,
    version::{TLS12, TLS13},
};

use crate::support::{
    Answer, Client, Gateway, Upstream, github, http2, request,
    tls::{Authority, Identity, handshake, showing, trusting},
};

const SECRET: &str = "a-secret-of-16-bytes-or-more";
const LATER: (i32, u8, u8) = (2030, 1, 1);

/// A gateway at `a.example`, `b.example` and `open.example`, each with authorities of its own or none.
struct Scene {
    gateway: Gateway,
    upstream: Upstream,
    server: [Identity; 3],
}

fn config(upstream: &Upstream, rule: &str, second: &str) -> String {
    let url = upstream.url("");
    let route = |name: &str, rule: &str| {
        format!(
            "[routes.{name}]\npath = \"/{name}\"\nprovider = \"github\"\n\
             secrets = [{{ value = \"{SECRET}\" }}]\nupstream = \"{url}\"\n{rule}\n"
        )
    };
    format!(
        "[server]\nlisten = [\"127.0.0.1:0\"]\nanswers = \"codes\"\n{}{}{}\
         [log]\naudit = \"audit.jsonl\"\n{}{}",
        "[[server.tls]]\ncertificate = \"a.pem\"\nprivate_key = \"a.key\"\nclient_ca = \"ca-a.pem\"\n",
        second,
        "[[server.tls]]\ncertificate = \"open.pem\"\nprivate_key = \"open.key\"\n",
        route("open", ""),
        route(
            "closed",
            &format!("monitor = [\"source\"]\n[routes.closed.client_certificate]\n{rule}")
        ),
    )
}

const SECOND: &str =
    "[[server.tls]]\ncertificate = \"b.pem\"\nprivate_key = \"b.key\"\nclient_ca = \"ca-b.pem\"\n";

impl Scene {
    fn start(a: &Authority, b: &Authority, rule: &str) -> Self {
        let upstream = Upstream::start();
        let dir = tempfile::tempdir().unwrap();
        let server = ["a.example", "b.example", "open.example"].map(Identity::new);
        for (identity, name) in server.iter().zip(["a", "b", "open"]) {
            identity.write(dir.path(), name);
        }
        std::fs::write(dir.path().join("ca-a.pem"), a.pem()).unwrap();
        std::fs::write(dir.path().join("ca-b.pem"), b.pem()).unwrap();
        let gateway = Gateway::start_in(dir, &config(&upstream, rule, SECOND));
        Self { gateway, upstream, server }
    }

    fn server(&self) -> Vec<&Identity> {
        self.server.iter().collect()
    }

    fn showing(&self, own: &Identity) -> Arc<ClientConfig> {
        showing(&self.server(), own, &["http/1.1"], &TLS13)
    }

    /// A connection to this name; `None` if there is none.
    fn connect(&self, config: &Arc<ClientConfig>, name: &str) -> Option<Client> {
        Some(handshake(config, self.gateway.connect(), name).ok()?.client)
    }

    /// What is answered to a delivery to this route; `None` if the connection ends instead.
    fn post(&self, config: &Arc<ClientConfig>, name: &str, route: &str) -> Option<Answer> {
        post(&mut self.connect(config, name)?, name, route)
    }
}

fn post(client: &mut Client, host: &str, route: &str) -> Option<Answer> {
    let body = format!("{{\"n\":{}}}", fastrand::u64(..));
    let signature = github(SECRET, body.as_bytes());
    let headers = [("X-Hub-Signature-256", signature.as_str())];
    let bytes = request("POST", &format!("/{route}"), &headers, body.as_bytes());
    let text = String::from_utf8(bytes).unwrap();
    client.write(text.replace("hooks.example.com", host).as_bytes());
    client.read()
}

fn code(answer: Option<Answer>) -> String {
    let Some(answer) = answer else { return "no connection".to_owned() };
    if answer.status == 200 { "200".to_owned() } else { answer.code() }
}

#[test]
fn the_right_certificate_passes_in_every_version() {
    let (a, b) = (Authority::new("A"), Authority::new("B"));
    let scene =
        Scene::start(&a, &b, "subject = \"CN=sender,O=Acme\\\\, Inc.\"\nsan = \"*.acme.example\"");
    let right = a.client("sender", "hooks.acme.example", LATER);
    for version in [&TLS12, &TLS13] {
        let client = showing(&scene.server(), &right, &["http/1.1"], version);
        for route in ["open", "closed", "closed"] {
            assert_eq!(code(scene.post(&client, "a.example", route)), "200", "{version:?} {route}");
        }
    }
    assert_eq!(scene.upstream.count(), 6);
    http2::runtime().block_on(async {
        let config = showing(&scene.server(), &right, &["h2"], &TLS13);
        let connector = tokio_rustls::TlsConnector::from(config);
        let tcp = tokio::net::TcpStream::connect(scene.gateway.address).await.unwrap();
        let stream = connector.connect("a.example".try_into().unwrap(), tcp).await.unwrap();
        let mut sender = http2::over(stream).await;
        let signature = github(SECRET, b"over h2");
        let headers = [("x-hub-signature-256", signature.as_str())];
        let request = http2::post("https://a.example/closed", &headers, http2::full(b"over h2"));
        let (status, ..) = http2::whole(sender.send_request(request).await.unwrap()).await;
        assert_eq!(status, 200);
    });
}

#[test]
fn another_certificate_or_none_is_refused_where_one_is_wanted() {
    let (a, b) = (Authority::new("A"), Authority::new("B"));
    let mut scene = Scene::start(&a, &b, "subject = \"sender\"\nsan = \"hooks.acme.example\"");
    let other = scene.showing(&a.client("sender", "other.acme.example", LATER));
    let nobody = trusting(&scene.server(), &["http/1.1"]);
    let stranger = scene.showing(&a.client("stranger", "hooks.acme.example", LATER));
    for client in [&other, &nobody, &stranger] {
        assert_eq!(code(scene.post(client, "a.example", "open")), "200");
        // Monitoring the source does not wave the certificate through.
        assert_eq!(code(scene.post(client, "a.example", "closed")), "source_not_allowed");
    }
    // No header stands for a certificate.
    let mut client = scene.connect(&nobody, "a.example").unwrap();
    let claims = [
        ("X-Hub-Signature-256", github(SECRET, b"{}")),
        ("X-SSL-Client-S-DN", "CN=sender".to_owned()),
        ("X-Forwarded-Client-Cert", "Subject=\"CN=sender\"".to_owned()),
        ("Client-Cert", ":MIIB:".to_owned()),
    ];
    let claims: Vec<_> = claims.iter().map(|(name, value)| (*name, value.as_str())).collect();
    client.write(&request("POST", "/closed", &claims, b"{}"));
    assert_eq!(code(client.read()), "source_not_allowed");
    assert_eq!(scene.upstream.count(), 3);

    let lines = scene.gateway.audit("audit.jsonl");
    let refused = lines.iter().filter(|line| line["decision"] == "source_not_allowed");
    let source = |line: &serde_json::Value| {
        let checks = line["checks"].as_array().unwrap();
        checks.iter().find(|check| check["check"] == "source").unwrap()["detail"].clone()
    };
    let details: Vec<_> = refused.map(source).collect();
    let none = "the connection shows no client certificate";
    let of = "the client certificate of CN=";
    assert_eq!(
        details,
        [
            format!("{of}sender,O=Acme\\, Inc. has none of the route's names"),
            none.to_owned(),
            format!("{of}stranger,O=Acme\\, Inc. is not of the route's subject"),
            none.to_owned()
        ]
    );
}

#[test]
fn a_certificate_that_does_not_hold_makes_no_connection() {
    let (a, b) = (Authority::new("A"), Authority::new("B"));
    let scene = Scene::start(&a, &b, "subject = \"sender\"");
    // An authority of the same name with another key is another one.
    let impostor = Authority::new("A").client("sender", "hooks.acme.example", LATER);
    let expired = a.client("sender", "hooks.acme.example", (2025, 6, 1));
    let of_b = b.client("sender", "hooks.acme.example", LATER);
    let by_itself = Identity::new("sender");
    for bad in [&impostor, &expired, &of_b, &by_itself] {
        for version in [&TLS12, &TLS13] {
            let client = showing(&scene.server(), bad, &["http/1.1"], version);
            for route in ["open", "closed"] {
                assert_eq!(code(scene.post(&client, "a.example", route)), "no connection");
            }
        }
    }
    assert_eq!(scene.upstream.count(), 0);
    // Under a name that asks for no certificate, none is shown.
    let client = scene.showing(&expired);
    assert_eq!(code(scene.post(&client, "open.example", "open")), "200");
    assert_eq!(code(scene.post(&client, "open.example", "closed")), "source_not_allowed");
}

#[test]
fn a_certificate_counts_for_the_name_it_was_shown_to() {
    let (a, b) = (Authority::new("A"), Authority::new("B"));
    let scene = Scene::start(&a, &b, "subject = \"sender\"");
    // Both authorities vouch for a "sender", each for its own.
    let of_b = scene.showing(&b.client("sender", "hooks.acme.example", LATER));
    assert_eq!(code(scene.post(&of_b, "b.example", "closed")), "200");
    let mut client = scene.connect(&of_b, "b.example").unwrap();
    assert_eq!(code(post(&mut client, "B.example", "closed")), "200");
    assert_eq!(code(post(&mut client, "a.example", "closed")), "source_not_allowed");
}

#[test]
fn a_certificate_that_expires_is_none_any_more_on_an_open_connection() {
    let (a, b) = (Authority::new("A"), Authority::new("B"));
    let scene = Scene::start(&a, &b, "subject = \"sender\"");
    let client = scene.showing(&a.client("sender", "hooks.acme.example", (2025, 10, 10)));
    let mut kept = scene.connect(&client, "a.example").unwrap();
    assert_eq!(code(post(&mut kept, "a.example", "closed")), "200");
    scene.gateway.clock.advance(Duration::from_secs(2 * 24 * 3600));
    assert_eq!(code(post(&mut kept, "a.example", "open")), "200");
    assert_eq!(code(post(&mut kept, "a.example", "closed")), "source_not_allowed");
    // Nor does a client that was here before get in without showing it again.
    assert_eq!(code(scene.post(&client, "a.example", "closed")), "no connection");
}

#[test]
fn a_reload_brings_other_authorities() {
    let (a, b) = (Authority::new("A"), Authority::new("B"));
    let rule = "subject = \"sender\"";
    let scene = Scene::start(&a, &b, rule);
    let renewed = Authority::new("A2");
    let old = scene.showing(&a.client("sender", "hooks.acme.example", LATER));
    let new = scene.showing(&renewed.client("sender", "hooks.acme.example", LATER));
    assert_eq!(code(scene.post(&new, "a.example", "closed")), "no connection");
    let file = scene.gateway.dir.path().join("ca-a.pem");
    std::fs::write(&file, a.pem() + &renewed.pem()).unwrap();
    assert_eq!(code(scene.post(&new, "a.example", "closed")), "no connection", "not yet");
    assert!(scene.gateway.reload(&config(&scene.upstream, rule, SECOND)));
    for client in [&old, &new] {
        assert_eq!(code(scene.post(client, "a.example", "closed")), "200");
    }
    std::fs::write(&file, renewed.pem()).unwrap();
    assert!(scene.gateway.reload(&config(&scene.upstream, rule, "")));
    assert_eq!(code(scene.post(&old, "a.example", "closed")), "no connection");
    assert_eq!(code(scene.post(&new, "a.example", "closed")), "200");
    // What is no authority changes nothing.
    std::fs::write(&file, "nobody").unwrap();
    assert!(!scene.gateway.reload(&config(&scene.upstream, rule, "")));
    assert_eq!(code(scene.post(&new, "a.example", "closed")), "200");
}

#[test]
fn a_rule_that_nothing_can_fulfil_does_not_start() {
    let route = "[routes.r]\npath = \"/r\"\nprovider = \"github\"\n\
                 secrets = [{ value = \"a-secret-of-16-bytes-or-more\" }]\n\
                 upstream = \"builtin:echo\"\n[routes.r.client_certificate]\n";
    let refused = Gateway::refused(&format!("{route}subject = \"a\"\n"));
    assert!(refused.contains("no listener asks clients for a certificate"), "{refused}");
    for (rule, why) in [
        ("", "whose certificate?"),
        ("subject = []\n", "an empty list would refuse everybody"),
        ("subject = \"CN=\"\n", "has an empty value"),
        ("san = \"a b\"\n", "is no host, address, email address or URI"),
        ("sha256 = [\"00\"]\n", "is no SHA-256 fingerprint"),
        ("issuer = \"a\"\n", "issuer"),
    ] {
        let refused = Gateway::refused(&format!("{route}{rule}"));
        assert!(refused.contains(why), "{rule}: {refused}");
    }
}
