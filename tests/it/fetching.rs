//! What the gateway fetches: address lists and keys, over real TLS.

use std::time::Duration;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use hookward::verify::{Algorithm, EcdsaForm, SigningKey};

use crate::support::{Act, Answer, Gateway, Upstream, eventually, github, tls::Identity};

const SECRET: &str = "a-secret-of-16-bytes-or-more";
/// The machine of these tests, and one that is always on the list.
const HERE: &str = r#"{"hooks": ["127.0.0.1", "192.0.2.1"]}"#;
const ELSEWHERE: &str = r#"{"hooks": ["192.0.2.1", "192.0.2.2"]}"#;

struct Scene {
    identity: Identity,
    source: Upstream,
    receiver: Upstream,
}

impl Scene {
    /// A server of lists by this name, and a receiver.
    fn new(name: &str) -> Self {
        let identity = Identity::new(name);
        let source = Upstream::start_tls(&identity);
        Self { identity, source, receiver: Upstream::start() }
    }

    fn config(&self, fetch: &str, route: &str, rest: &str) -> String {
        format!(
            "[server]\nlisten = [\"127.0.0.1:0\"]\nanswers = \"codes\"\n\
             [admin]\nlisten = \"127.0.0.1:0\"\n\
             [fetch]\nca = \"ca.pem\"\n{fetch}\n\
             [routes.github]\npath = \"/github\"\nprovider = \"github\"\n\
             secrets = [{{ value = \"{SECRET}\" }}]\nupstream = \"{}\"\n{route}\n{rest}\n",
            self.receiver.url("")
        )
    }

    /// With one list, that of the server.
    fn office(&self, more: &str) -> String {
        let port = self.source.address.port();
        self.config(
            "allow_private = true",
            "allow_from = [\"@office\"]",
            &format!(
                "[ip_lists.office]\nurl = \"https://lists.example:{port}/meta\"\n\
                 pointer = \"/hooks\"\n{more}\n"
            ),
        )
    }

    /// A provider whose bearer tokens are signed with keys of a set, and one that names
    /// certificates.
    fn proofs(&self, fetch: &str) -> String {
        let config = self.config(&format!("allow_private = true\n{fetch}"), "", "");
        let upstream = self.receiver.url("");
        format!(
            "{config}\n\
             [providers.issuer]\n\
             signature = {{ algorithm = \"jws\", from = \"bearer\", algorithms = [\"ES256\"] }}\n\
             [providers.signer]\n\
             signature = {{ algorithm = \"ecdsa-p256-sha256\", from = \"header:X-Signature\", \
             encoding = \"base64\", signed = \"{{body}}\", certificate = {{ \
             from = \"header:X-Cert\", hosts = [\"lists.example\"], path = \"/*.pem\" }} }}\n\
             [routes.issuer]\npath = \"/issuer\"\nprovider = \"issuer\"\nupstream = \"{upstream}\"\n\
             public_keys = [{{ jwks_url = \"https://lists.example:1/keys\" }}]\n\
             [routes.signer]\npath = \"/signer\"\nprovider = \"signer\"\nupstream = \"{upstream}\"\n"
        )
    }

    fn start(&self, config: &str) -> Gateway {
        self.start_in(tempfile::tempdir().unwrap(), config)
    }

    fn start_in(&self, dir: tempfile::TempDir, config: &str) -> Gateway {
        std::fs::write(dir.path().join("ca.pem"), &self.identity.certificate).unwrap();
        Gateway::start_resolving(dir, config, self.source.address)
    }
}

/// A delivery with this content, signed as GitHub does.
fn deliver(gateway: &Gateway, body: &str) -> Answer {
    let signature = github(SECRET, body.as_bytes());
    gateway.post("/github", &[("X-Hub-Signature-256", &signature)], body.as_bytes())
}

fn metric(gateway: &Gateway, line: &str) -> bool {
    gateway.metrics().lines().any(|found| found == line)
}

#[test]
fn a_list_comes_changes_and_stays_without_a_reload() {
    let scene = Scene::new("lists.example");
    scene.source.next([Act::Answer(500, "")]);
    let gateway = scene.start(&scene.office(""));
    let answer = deliver(&gateway, "1");
    assert_eq!((answer.status, &*answer.code()), (503, "source_list_unavailable"));
    assert!(answer.header("retry-after").is_some());
    let refresh = |success: u8| {
        let line = format!("hookward_ip_list_last_refresh_success{{list=\"office\"}} {success}");
        eventually(|| metric(&gateway, &line));
    };
    refresh(0);
    assert_eq!((scene.receiver.count(), scene.source.count()), (0, 1));

    // It rests, then it is there.
    scene.source.next([Act::Answer(200, HERE)]);
    gateway.clock.advance(Duration::from_secs(11));
    refresh(1);
    assert_eq!(deliver(&gateway, "1").status, 200);
    assert!(metric(&gateway, "hookward_ip_list_entries{list=\"office\"} 2"));
    assert!(metric(&gateway, "hookward_ip_list_age_seconds{list=\"office\"} 0"));

    // What cannot be believed changes nothing.
    scene.source.next([Act::Answer(200, r#"{"hooks": ["0.0.0.0/0"]}"#)]);
    gateway.clock.advance(Duration::from_secs(6 * 3600));
    refresh(0);
    assert_eq!(deliver(&gateway, "2").status, 200);
    assert!(metric(&gateway, "hookward_ip_list_age_seconds{list=\"office\"} 21600"));

    scene.source.next([Act::Answer(200, ELSEWHERE)]);
    gateway.clock.advance(Duration::from_secs(3600));
    refresh(1);
    let answer = deliver(&gateway, "3");
    assert_eq!((answer.status, &*answer.code()), (403, "source_not_allowed"));

    // A reload leaves it alone.
    let asked = scene.source.count();
    assert!(gateway.reload(&scene.office("refresh = \"12h\"")));
    assert_eq!(deliver(&gateway, "4").status, 403);
    assert_eq!(scene.source.count(), asked);
}

#[test]
fn a_file_counts_until_the_first_answer() {
    let scene = Scene::new("lists.example");
    scene.source.next([Act::Close, Act::Answer(200, ELSEWHERE)]);
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("meta.json"), HERE).unwrap();
    let gateway = scene.start_in(dir, &scene.office("file = \"meta.json\""));
    assert_eq!(deliver(&gateway, "1").status, 200);
    eventually(|| scene.source.count() == 1);
    assert_eq!(deliver(&gateway, "2").status, 200);
    eventually(|| {
        gateway.clock.advance(Duration::from_secs(11));
        deliver(&gateway, "3").status == 403
    });
    let file = std::fs::read_to_string(gateway.dir.path().join("meta.json")).unwrap();
    assert_eq!(file, HERE, "the operator's file is the operator's");
}

#[test]
fn a_file_may_come_later() {
    let scene = Scene::new("lists.example");
    scene.source.next([Act::Close]);
    let config = scene.office("file = \"meta.json\"");
    let gateway = scene.start(&config);
    assert_eq!(deliver(&gateway, "1").status, 503);
    std::fs::write(gateway.dir.path().join("meta.json"), HERE).unwrap();
    assert!(gateway.reload(&config));
    assert_eq!(deliver(&gateway, "1").status, 200);
}

#[test]
fn the_copy_on_disk_survives_the_process() {
    let scene = Scene::new("lists.example");
    let cache = tempfile::tempdir().unwrap();
    let keep = format!("allow_private = true\ncache = \"{}\"", cache.path().display());
    let config = scene.office("").replace("allow_private = true", &keep);
    scene.source.next([Act::Answer(200, HERE)]);
    let first = scene.start(&config);
    eventually(|| deliver(&first, "1").status == 200);
    first.stop();
    scene.source.next([Act::Close]);
    let second = scene.start(&config);
    assert_eq!(deliver(&second, "1").status, 200);
}

#[test]
fn the_inside_is_not_asked_unless_configured() {
    let scene = Scene::new("lists.example");
    scene.source.next([Act::Answer(200, HERE)]);
    let config = scene.office("").replace("allow_private = true", "");
    let gateway = scene.start(&config);
    eventually(|| metric(&gateway, "hookward_ip_list_last_refresh_success{list=\"office\"} 0"));
    assert_eq!(deliver(&gateway, "1").code(), "source_list_unavailable");
    assert_eq!(scene.source.count(), 0);
}

#[test]
fn some_lists_need_no_section() {
    let scene = Scene::new("api.github.com");
    scene.source.next([Act::Answer(200, HERE)]);
    let allow = "allow_from = [\"@github\", \"@telegram\"]";
    let gateway = scene.start(&scene.config("allow_private = true", allow, ""));
    eventually(|| deliver(&gateway, "1").status == 200);
    let seen = scene.source.last();
    assert_eq!((seen.target(), seen.header("host")), ("/meta", Some("api.github.com")));
}

#[test]
fn a_monitored_source_is_let_through_while_the_list_is_missing() {
    let scene = Scene::new("lists.example");
    scene.source.next([Act::Close]);
    let config = scene.office("").replace("allow_from", "monitor = [\"source\"]\nallow_from");
    let gateway = scene.start(&config);
    assert_eq!(deliver(&gateway, "1").status, 200);
    let monitored = scene.receiver.last();
    assert_eq!(monitored.header("hookward-monitored"), Some("source=source_list_unavailable"));
}

/// A private key, and how it is published.
struct Signer {
    key: SigningKey,
    jwk: String,
}

impl Signer {
    fn new(kid: &str) -> Self {
        let key = SigningKey::generate(Algorithm::EcdsaP256Sha256).unwrap();
        let pem: String = key.public_pem().lines().filter(|line| !line.starts_with('-')).collect();
        let der = STANDARD.decode(pem).unwrap();
        let (x, y) = der[der.len() - 64..].split_at(32);
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        let jwk = format!(
            r#"{{"kty":"EC","crv":"P-256","use":"sig","kid":"{kid}","x":"{x}","y":"{y}"}}"#
        );
        Self { key, jwk }
    }

    fn set(signers: &[&Self]) -> &'static str {
        let keys: Vec<_> = signers.iter().map(|signer| signer.jwk.as_str()).collect();
        format!(r#"{{"keys":[{}]}}"#, keys.join(",")).leak()
    }

    /// A delivery with a token of this key, named so.
    fn deliver(&self, gateway: &Gateway, kid: &str, id: &str) -> Answer {
        let encode = |text: String| URL_SAFE_NO_PAD.encode(text);
        let head = encode(format!(r#"{{"alg":"ES256","kid":"{kid}"}}"#));
        let exp = gateway.clock.unix().secs() + 600;
        let payload = encode(format!(r#"{{"exp":{exp},"jti":"{id}"}}"#));
        let text = format!("{head}.{payload}");
        let algorithm = Algorithm::EcdsaP256Sha256;
        let signature = self.key.sign(algorithm, EcdsaForm::Raw, text.as_bytes()).unwrap();
        let token = format!("Bearer {text}.{}", URL_SAFE_NO_PAD.encode(signature));
        gateway.post("/issuer", &[("Authorization", &token)], id.as_bytes())
    }
}

#[test]
fn keys_of_a_set_come_rotate_and_outlive_an_outage() {
    let scene = Scene::new("lists.example");
    let (old, new, strange) = (Signer::new("old"), Signer::new("new"), Signer::new("strange"));
    scene.source.next([Act::Answer(500, "")]);
    let gateway = scene.start(&scene.proofs(""));
    eventually(|| {
        let source = "{source=\"https://lists.example:1/keys\"}";
        metric(&gateway, &format!("hookward_keys_last_refresh_success{source} 0"))
    });
    let answer = old.deliver(&gateway, "old", "1");
    assert_eq!((answer.status, &*answer.code()), (503, "key_unavailable"));
    assert!(answer.header("retry-after").is_some());
    assert_eq!((scene.source.count(), scene.receiver.count()), (1, 0), "the URL rests");

    scene.source.next([Act::Answer(200, Signer::set(&[&old]))]);
    gateway.clock.advance(Duration::from_secs(11));
    assert_eq!(old.deliver(&gateway, "old", "1").status, 200);
    assert_eq!(old.deliver(&gateway, "old", "2").status, 200);
    assert_eq!(scene.source.count(), 2);

    // Strangers with keys that nobody has published: refused, and not a fetch more.
    for n in 0..20 {
        let answer = strange.deliver(&gateway, &format!("x{n}"), "3");
        assert_eq!((answer.status, &*answer.code()), (401, "signature_mismatch"));
        assert_eq!(strange.deliver(&gateway, "old", "3").status, 401);
    }
    assert_eq!(scene.source.count(), 2);

    // Rotation: the new key is found, the old one is gone.
    scene.source.next([Act::Answer(200, Signer::set(&[&new]))]);
    gateway.clock.advance(Duration::from_secs(31));
    assert_eq!(new.deliver(&gateway, "new", "4").status, 200);
    assert_eq!(scene.source.count(), 3);
    assert_eq!(old.deliver(&gateway, "old", "5").status, 401);

    // An outage: what is there serves on; what is not there cannot be judged.
    scene.source.next([Act::Close, Act::Close, Act::Close]);
    gateway.clock.advance(Duration::from_secs(40));
    assert_eq!(old.deliver(&gateway, "old", "6").status, 503);
    assert_eq!(new.deliver(&gateway, "new", "6").status, 200);
    assert!(gateway.reload(&scene.proofs("timeout = \"4s\"")));
    assert_eq!(new.deliver(&gateway, "new", "7").status, 200, "a reload loses no key");
}

#[test]
fn a_monitored_signature_is_let_through_while_its_key_is_missing() {
    let scene = Scene::new("lists.example");
    scene.source.next([Act::Close, Act::Close]);
    let config = scene.proofs("").replace("public_keys", "monitor = [\"signature\"]\npublic_keys");
    let gateway = scene.start(&config);
    assert_eq!(Signer::new("a").deliver(&gateway, "a", "1").status, 200);
    let monitored = scene.receiver.last();
    assert_eq!(monitored.header("hookward-monitored"), Some("signature=key_unavailable"));
    assert_eq!(monitored.header("hookward-verified"), None);
}

#[test]
fn a_certificate_is_fetched_from_the_providers_hosts_alone() {
    let scene = Scene::new("lists.example");
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["signer.example".to_owned()]).unwrap();
    let certificate = certificate.self_signed(&key).unwrap().pem().leak();
    let signer = SigningKey::read(key.serialize_pem().as_bytes()).unwrap();
    let deliver = |gateway: &Gateway, url: &str, body: &str| {
        let algorithm = Algorithm::EcdsaP256Sha256;
        let signature = signer.sign(algorithm, EcdsaForm::Der, body.as_bytes()).unwrap();
        let headers = [("X-Signature", STANDARD.encode(signature)), ("X-Cert", url.to_owned())];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        gateway.post("/signer", &headers, body.as_bytes())
    };
    // The key set of the other route is asked for at the start.
    scene.source.next([Act::Close]);
    let gateway = scene.start(&scene.proofs(""));
    eventually(|| scene.source.count() == 1);
    for foreign in [
        "https://evil.example/a.pem",
        "https://lists.example:8443/a.pem",
        "http://lists.example/a.pem",
        "https://lists.example@evil.example/a.pem",
        "https://lists.example/a.pem?x",
        "https://169.254.169.254/a.pem",
    ] {
        let answer = deliver(&gateway, foreign, "1");
        assert_eq!((answer.status, &*answer.code()), (401, "signature_mismatch"), "{foreign}");
    }
    assert_eq!(scene.source.count(), 1, "strangers make nobody ask elsewhere");

    scene.source.next([Act::Answer(404, ""), Act::Answer(200, certificate)]);
    let answer = deliver(&gateway, "https://lists.example/gone.pem", "1");
    assert_eq!((answer.status, &*answer.code()), (503, "key_unavailable"));
    assert_eq!(deliver(&gateway, "https://lists.example/a.pem", "1").status, 200);
    assert_eq!(deliver(&gateway, "https://lists.example/a.pem", "2").status, 200);
    assert_eq!(scene.source.count(), 3);
    assert_eq!(scene.source.last().header("host"), Some("lists.example"));
    assert_eq!(scene.receiver.count(), 2);
}

#[test]
fn whoever_waits_for_a_key_waits_once_and_not_for_long() {
    let scene = Scene::new("lists.example");
    let signer = Signer::new("a");
    scene.source.next([Act::Gate]);
    let gateway = scene.start(&scene.proofs("timeout = \"60s\""));
    eventually(|| scene.source.count() == 1);
    std::thread::scope(|scope| {
        let waiting: Vec<_> = (0..20)
            .map(|n| {
                scope.spawn({
                    let (signer, gateway) = (&signer, &gateway);
                    move || signer.deliver(gateway, "a", &n.to_string())
                })
            })
            .collect();
        for one in waiting {
            let answer = one.join().unwrap();
            assert_eq!((answer.status, &*answer.code()), (503, "key_unavailable"));
        }
    });
    assert_eq!(scene.source.count(), 1, "one fetch for all of them");
}
