//! Senders whose messages name the certificate that they are signed with: as their documentation
//! describes them, and as somebody would who has a certificate of his own.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hookward::verify::{Algorithm, EcdsaForm, SigningKey};
use serde_json::{Value, json};

use crate::support::{Act, Answer, Gateway, Upstream, tls::Identity};

const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:orders";
const SNS: &str = "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-01.pem";
const PAYPAL: &str = "https://api.paypal.com/v1/notifications/certs/CERT-1";

/// A key, and the certificate for it.
struct Signer {
    key: SigningKey,
    certificate: &'static str,
}

impl Signer {
    fn new() -> Self {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
        let params = rcgen::CertificateParams::new(vec!["signer.example".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap().pem();
        Self {
            key: SigningKey::read(key.serialize_pem().as_bytes()).unwrap(),
            certificate: String::leak(certificate),
        }
    }

    fn sign(&self, text: &str) -> String {
        let signature = self.key.sign(Algorithm::RsaSha256, EcdsaForm::Der, text.as_bytes());
        STANDARD.encode(signature.unwrap())
    }

    /// Signs a message as the service documents it for its type.
    fn sns(&self, message: &mut Value) {
        let fields = match message["Type"].as_str().unwrap() {
            "Notification" => {
                ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"].as_slice()
            }
            _ => {
                &["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
                    [..]
            }
        };
        let lines = fields.iter().filter_map(|field| {
            Some(format!("{field}\n{}\n", message.get(field)?.as_str().unwrap()))
        });
        let text: String = lines.collect();
        message["Signature"] = self.sign(&text).into();
    }
}

struct Scene {
    signer: Signer,
    source: Upstream,
    receiver: Upstream,
    gateway: Gateway,
}

impl Scene {
    /// A host that has the certificate, and a gateway that finds every host there.
    fn new(host: &str, route: &str) -> Self {
        let identity = Identity::new(host);
        let (source, receiver) = (Upstream::start_tls(&identity), Upstream::start());
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("ca.pem"), &identity.certificate).unwrap();
        let config = format!(
            "[server]\nlisten = [\"127.0.0.1:0\"]\nanswers = \"codes\"\n\
             [admin]\nlisten = \"127.0.0.1:0\"\n[fetch]\nca = \"ca.pem\"\nallow_private = true\n\
             [routes.r]\npath = \"/r\"\nupstream = \"{}\"\n{route}",
            receiver.url("")
        );
        let gateway = Gateway::start_resolving(dir, &config, source.address);
        Self { signer: Signer::new(), source, receiver, gateway }
    }

    fn sns() -> Self {
        let route = format!("provider = \"aws-sns\"\nexpect = {{ topic_arn = \"{TOPIC}\" }}\n");
        Self::new("sns.us-east-1.amazonaws.com", &route)
    }

    fn notification(&self) -> Value {
        let now = jiff::Timestamp::from_second(self.gateway.clock.unix().secs()).unwrap();
        let mut message = json!({
            "Type": "Notification",
            "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
            "TopicArn": TOPIC,
            "Subject": "Order",
            "Message": "hello\nMessageId\nworld",
            "Timestamp": format!("{now:.3}"),
            "SignatureVersion": "2",
            "SigningCertURL": SNS,
        });
        self.signer.sns(&mut message);
        message
    }

    fn post(&self, message: &Value) -> Answer {
        let headers = [("Content-Type", "text/plain; charset=UTF-8")];
        self.gateway.post("/r", &headers, message.to_string().as_bytes())
    }
}

fn told(answer: &Answer) -> (u16, String) {
    let is_ours = answer.body.starts_with(b"{");
    (answer.status, if is_ours { answer.code() } else { String::new() })
}

#[test]
fn notifications_of_the_expected_topic_pass() {
    let scene = Scene::sns();
    scene.source.next([Act::Answer(200, scene.signer.certificate)]);
    let message = scene.notification();
    assert_eq!(told(&scene.post(&message)), (200, String::new()));
    assert_eq!(scene.receiver.last().header("hookward-event-id"), message["MessageId"].as_str());
    assert_eq!(scene.receiver.last().header("hookward-event-type"), Some("Notification"));
    // A retry brings the same bytes.
    assert_eq!(told(&scene.post(&message)), (200, "duplicate".to_owned()));
    assert_eq!((scene.receiver.count(), scene.source.count()), (1, 1));

    let mut other = scene.notification();
    other.as_object_mut().unwrap().remove("Subject");
    other["MessageId"] = "no-subject".into();
    scene.signer.sns(&mut other);
    assert_eq!(scene.post(&other).status, 200);
}

#[test]
fn whoever_can_publish_elsewhere_is_refused() {
    let scene = Scene::sns();
    scene.source.next([Act::Answer(200, scene.signer.certificate)]);
    let refused = |change: &dyn Fn(&mut Value), sign: bool| {
        let mut message = scene.notification();
        change(&mut message);
        if sign {
            scene.signer.sns(&mut message);
        }
        let answer = scene.post(&message);
        assert!(matches!(answer.status, 400 | 401), "{message}: {}", answer.status);
    };
    // Properly signed by the service, for a topic of somebody else.
    refused(&|m| m["TopicArn"] = format!("{TOPIC}-evil").into(), true);
    refused(&|m| m["TopicArn"] = "arn:aws:sns:us-east-1:999999999999:orders".into(), true);
    refused(&|m| m["TopicArn"] = json!([TOPIC]), false);
    // Changed on the way.
    refused(&|m| m["Message"] = "other".into(), false);
    refused(&|m| m["MessageId"] = "other".into(), false);
    refused(&|m| m["Subject"] = "other".into(), false);
    refused(&|m| drop(m.as_object_mut().unwrap().remove("Subject")), false);
    refused(&|m| m["Type"] = "SubscriptionConfirmation".into(), false);
    refused(&|m| m["Message"] = "hello".into(), false);
    refused(&|m| m["Timestamp"] = "2024-10-09T08:53:20.000Z".into(), true);
    // Another version, or none.
    for version in ["1", "3", "", "2 "] {
        refused(&|m| m["SignatureVersion"] = version.into(), false);
    }
    refused(&|m| drop(m.as_object_mut().unwrap().remove("SignatureVersion")), false);
    for signature in ["", "AAAA", "not base64"] {
        refused(&|m| m["Signature"] = signature.into(), false);
    }
    // A line break in a field would begin another line of what is signed.
    refused(&|m| m["Subject"] = "x\nTimestamp\n2025-10-09T08:53:20.000Z".into(), true);
    assert_eq!(scene.receiver.count(), 0);
}

#[test]
fn certificates_come_from_the_service_alone() {
    let scene = Scene::sns();
    let long = format!("https://sns.us-east-1.amazonaws.com/{}.pem", "a".repeat(600));
    for url in [
        "",
        "x.pem",
        "/x.pem",
        "//sns.us-east-1.amazonaws.com/x.pem",
        "http://sns.us-east-1.amazonaws.com/x.pem",
        "HTTPS://sns.us-east-1.amazonaws.com/x.pem",
        "ftp://sns.us-east-1.amazonaws.com/x.pem",
        "file:///etc/ssl/x.pem",
        "https://sns.us-east-1.amazonaws.com",
        "https://sns.us-east-1.amazonaws.com/",
        "https://sns.us-east-1.amazonaws.com/x",
        "https://sns.us-east-1.amazonaws.com/x.pem/y",
        "https://sns.us-east-1.amazonaws.com./x.pem",
        "https://sns.us-east-1.amazonaws.com:443/x.pem",
        "https://sns.us-east-1.amazonaws.com:8443/x.pem",
        "https://user@sns.us-east-1.amazonaws.com/x.pem",
        "https://sns.us-east-1.amazonaws.com@evil.com/x.pem",
        "https://sns.us-east-1.amazonaws.com.evil.com/x.pem",
        "https://evilsns.us-east-1.amazonaws.com/x.pem",
        "https://sns.evil.com/x.pem",
        "https://sns.a.b.amazonaws.com/x.pem",
        "https://sns..amazonaws.com/x.pem",
        "https://sns.amazonaws.com/x.pem",
        "https://s3.amazonaws.com/evil/x.pem",
        "https://sns.us-east-1.amazonaws.com.cn.evil.com/x.pem",
        "https://sns%2Eus-east-1.amazonaws.com/x.pem",
        "https://sns.us-east-1.AMAZONAWS.com/x.pem",
        "https://SNS.us-east-1.amazonaws.com/x.pem",
        "https://sns.us-east-1.amazonaws.com/../x.pem",
        "https://sns.us-east-1.amazonaws.com/a/..%2fx.pem",
        "https://sns.us-east-1.amazonaws.com//x.pem",
        "https://sns.us-east-1.amazonaws.com/x.pem?y",
        "https://sns.us-east-1.amazonaws.com/?Action=x.pem",
        "https://sns.us-east-1.amazonaws.com/x.pem#y",
        "https://sns.us-east-1.amazonaws.com/x#y.pem",
        "https://sns.us-east-1.amazonaws.com\\@evil.com/x.pem",
        "https://evil.com\\sns.us-east-1.amazonaws.com/x.pem",
        "https://evil.com/https://sns.us-east-1.amazonaws.com/x.pem",
        "https://sns.us-east-1.amazonaws.com/x.pem\r\nHost: evil.com",
        " https://sns.us-east-1.amazonaws.com/x.pem",
        "https://sns.us-east-1.amazonaws.com/x.pem ",
        "https://127.0.0.1/x.pem",
        "https://169.254.169.254/latest/meta-data/x.pem",
        "https://[::1]/x.pem",
        "https://localhost/x.pem",
        long.as_str(),
    ] {
        let mut message = scene.notification();
        message["SigningCertURL"] = url.into();
        let answer = scene.post(&message);
        assert_eq!(answer.status, 401, "{url}: {}", answer.code());
    }
    let mut missing = scene.notification();
    missing.as_object_mut().unwrap().remove("SigningCertURL");
    assert_eq!(scene.post(&missing).status, 401);
    assert_eq!((scene.source.count(), scene.receiver.count()), (0, 0), "nothing was asked for");
}

#[test]
fn a_certificate_that_cannot_be_had_is_nobodys_fault() {
    let scene = Scene::sns();
    scene.source.next([Act::Answer(500, "")]);
    let answer = scene.post(&scene.notification());
    assert_eq!(told(&answer), (503, "key_unavailable".to_owned()));
    assert!(answer.header("retry-after").is_some());
    assert_eq!(scene.receiver.count(), 0);
}

#[test]
fn a_certificate_of_another_key_verifies_nothing() {
    let scene = Scene::sns();
    scene.source.next([Act::Answer(200, Signer::new().certificate)]);
    let answer = scene.post(&scene.notification());
    assert_eq!(told(&answer), (401, "signature_mismatch".to_owned()));
}

#[test]
fn a_checksum_binds_nothing_but_the_id_does() {
    let route = "provider = \"paypal\"\nexpect = { webhook_id = \"1JE4291016473214C\" }\n";
    let scene = Scene::new("api.paypal.com", route);
    scene.source.next([Act::Answer(200, scene.signer.certificate)]);
    let at = jiff::Timestamp::from_second(scene.gateway.clock.unix().secs()).unwrap();
    // Two bodies of the same CRC-32.
    let (first, forged) = (&b"{\"a\":\"plumless\"}"[..], &b"{\"a\":\"buckeroo\"}"[..]);
    let text = format!("id-1|{at}|1JE4291016473214C|{}", crc32(first));
    assert_eq!(crc32(first), crc32(forged));
    let (signature, at) = (scene.signer.sign(&text), at.to_string());
    let post = |id: &str, algorithm: &str, url: &str, body: &[u8]| {
        let headers = [
            ("Content-Type", "application/json"),
            ("PAYPAL-TRANSMISSION-ID", id),
            ("PAYPAL-TRANSMISSION-TIME", &*at),
            ("PAYPAL-TRANSMISSION-SIG", &*signature),
            ("PAYPAL-AUTH-ALGO", algorithm),
            ("PAYPAL-CERT-URL", url),
        ];
        told(&scene.gateway.post("/r", &headers, body))
    };
    let (algorithm, mismatch) = ("SHA256withRSA", "signature_mismatch".to_owned());
    for url in [
        "https://api.paypal.com.evil.com/v1/notifications/certs/CERT-1",
        "https://www.paypal.com/v1/notifications/certs/CERT-1",
        "https://api.paypal.com/v1/notifications/other/CERT-1",
        "https://api.paypal.com/v1/notifications/certs/../../x",
    ] {
        assert_eq!(post("id-1", algorithm, url, first), (401, mismatch.clone()), "{url}");
    }
    assert_eq!(scene.source.count(), 0);
    assert_eq!(post("id-1", algorithm, PAYPAL, first), (200, String::new()));
    assert_eq!(scene.receiver.last().header("hookward-event-id"), Some("id-1"));
    assert_eq!(post("id-1", algorithm, PAYPAL, forged), (409, "replayed".to_owned()));
    assert_eq!(post("id-2", algorithm, PAYPAL, first), (401, mismatch));
    assert_eq!(post("id-1", "SHA1withRSA", PAYPAL, first).0, 401);
    assert_eq!(post("id-1", "", PAYPAL, first).0, 401);
    assert_eq!(scene.receiver.count(), 1);
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ ((crc & 1) * 0xEDB8_8320))
    })
}
