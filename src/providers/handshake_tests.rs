//! Handshakes of definitions whose keys are fetched, so that no capture can be replayed here.

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, Method, Uri};
use serde_json::{Value, json};

use crate::{
    clock::UnixMs,
    decision::{Code, Refusal},
    providers::builtin,
    verify::{
        Algorithm, Credentials, EcdsaForm, Head, KeyRing, NamedKey, Origin, RemoteKeys, Scheme,
        SchemeOptions, SigningKey, handshake::Answer,
    },
};

const NOW: UnixMs = UnixMs::from_secs(1_760_000_000);
const CERTIFICATE: &str = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem";
const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:MyTopic";

/// A subscription to one topic, and the service's key.
struct Topic {
    scheme: Scheme,
    keys: KeyRing,
    key: SigningKey,
}

impl Topic {
    fn new() -> Self {
        let expect = [("topic_arn".to_owned(), TOPIC.to_owned())].into();
        let options = SchemeOptions { expect, ..SchemeOptions::default() };
        let scheme = Scheme::compile(builtin("aws-sns").unwrap(), &options).unwrap();
        let key = SigningKey::generate(Algorithm::RsaSha256).unwrap();
        let certificates = RemoteKeys::new(Origin::Certificates);
        let named = key.verifying_key().unwrap();
        let named = NamedKey { kid: Some(CERTIFICATE.into()), ..NamedKey::from(named) };
        certificates.replace(vec![named]);
        let credentials =
            Credentials { certificates: Some(certificates), ..Credentials::default() };
        let keys = KeyRing::build(&scheme, &credentials).unwrap();
        Self { scheme, keys, key }
    }

    /// Signs the members that the service signs.
    fn signed(&self, mut message: Value, names: &[&str]) -> Vec<u8> {
        let line = |name: &&str| format!("{name}\n{}\n", message[*name].as_str().unwrap());
        let text: String = names.iter().map(line).collect();
        let signature = self.key.sign(Algorithm::RsaSha256, EcdsaForm::Der, text.as_bytes());
        message["Signature"] = BASE64_STANDARD.encode(signature.unwrap()).into();
        message.to_string().into_bytes()
    }

    fn judge(&self, body: &[u8]) -> Result<Option<Answer>, Refusal> {
        let (uri, headers) = (Uri::from_static("/"), HeaderMap::new());
        let head = Head { method: &Method::POST, uri: &uri, headers: &headers };
        let claim = self.scheme.claim(head)?;
        let verified = self.scheme.verify(&self.keys, &claim, head, body, NOW)?;
        self.scheme.judge_time(&claim, Some(&verified), head, body, NOW)?;
        self.scheme.signed_handshake(&self.keys, &verified, head, body, NOW)
    }
}

const CONFIRMATION: &[&str] =
    &["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"];

fn confirmation() -> Value {
    json!({
        "Type": "SubscriptionConfirmation", "MessageId": "165545c9", "Token": "2336412f37",
        "TopicArn": TOPIC, "Message": "You have chosen to subscribe.",
        "SubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=2336412f37",
        "Timestamp": "2025-10-09T08:53:20.000Z", "SignatureVersion": "2",
        "SigningCertURL": CERTIFICATE,
    })
}

#[test]
fn a_topic_is_confirmed_only_if_it_is_the_expected_one() {
    let topic = Topic::new();
    let answer = topic.judge(&topic.signed(confirmation(), CONFIRMATION)).unwrap().unwrap();
    assert_eq!(answer.call.as_deref(), confirmation()["SubscribeURL"].as_str());
    assert_eq!((answer.reply.status, answer.reply.body.len()), (200, 0));
    let changed = |name: &str, value: &str| {
        let mut message = confirmation();
        message[name] = value.into();
        topic.judge(&topic.signed(message, CONFIRMATION)).unwrap_err().code
    };
    // The service signs for all its customers, and each may name what it likes.
    assert_eq!(changed("TopicArn", &TOPIC.replace('9', "8")), Code::SignatureMismatch);
    for url in [
        "https://evil.example/",
        "http://sns.eu-west-1.amazonaws.com/",
        "https://sns.eu-west-1.amazonaws.com.evil.example/",
        "https://sns.eu-west-1.amazonaws.com:8443/",
        "https://169.254.169.254/latest/meta-data/",
    ] {
        assert_eq!(changed("SubscribeURL", url), Code::HandshakeRefused, "{url}");
    }
    // What is not signed is not called.
    let mut forged: Value =
        serde_json::from_slice(&topic.signed(confirmation(), CONFIRMATION)).unwrap();
    forged["SubscribeURL"] = "https://sns.eu-west-1.amazonaws.com/?Action=Other".into();
    let refused = topic.judge(forged.to_string().as_bytes()).unwrap_err();
    assert_eq!(refused.code, Code::SignatureMismatch);
}

#[test]
fn notifications_and_farewells_call_nothing() {
    let topic = Topic::new();
    let mut farewell = confirmation();
    farewell["Type"] = "UnsubscribeConfirmation".into();
    assert!(topic.judge(&topic.signed(farewell, CONFIRMATION)).unwrap().is_none());
    let mut notification = confirmation();
    notification["Type"] = "Notification".into();
    let names = ["Message", "MessageId", "Timestamp", "TopicArn", "Type"];
    assert!(topic.judge(&topic.signed(notification.clone(), &names)).unwrap().is_none());
    // A captured notification cannot be made a confirmation.
    let mut forged: Value = serde_json::from_slice(&topic.signed(notification, &names)).unwrap();
    forged["Type"] = "SubscriptionConfirmation".into();
    assert!(topic.judge(forged.to_string().as_bytes()).is_err());
}
