//! GitHub: a ping, then deliveries in JSON or as a form, each once; somebody may press "Redeliver".

use super::{OTHER, SECRET, Scene, secrets};
use crate::support::{Answer, github};

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const PUSH: &str = r#"{"ref":"refs/heads/main","repository":{"full_name":"octo-org/example","private":false},"commits":[]}"#;
const PING: &str =
    r#"{"zen":"Keep it logically awesome.","hook_id":1,"hook":{"type":"Repository"}}"#;

/// One delivery; its id stays when it is delivered again.
struct Delivery<'s> {
    scene: &'s Scene,
    id: &'s str,
    event: &'s str,
    content_type: &'s str,
    body: Vec<u8>,
}

impl<'s> Delivery<'s> {
    fn json(scene: &'s Scene, event: &'s str, body: &str) -> Self {
        Self { scene, id: "72d3162e", event, content_type: JSON, body: body.into() }
    }

    fn form(scene: &'s Scene, event: &'s str, body: &str) -> Self {
        let field: String = body.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let body = format!("payload={field}").into_bytes();
        Self { scene, id: "72d3162f", event, content_type: FORM, body }
    }

    fn with(&self, signatures: &[(&str, &str)]) -> Answer {
        let mut headers = vec![
            ("User-Agent", "GitHub-Hookshot/044aadd"),
            ("Content-Type", self.content_type),
            ("X-GitHub-Event", self.event),
            ("X-GitHub-Delivery", self.id),
        ];
        headers.extend(signatures);
        self.scene.gateway.post("/hook", &headers, &self.body)
    }

    fn send(&self) -> u16 {
        // The legacy header is always there too.
        let legacy = ("X-Hub-Signature", "sha1=7d38cdd689735b008b3c702edd92eea23791c5f6");
        let signature = github(SECRET, &self.body);
        self.with(&[legacy, ("X-Hub-Signature-256", &signature)]).status
    }
}

#[test]
fn a_hook_is_pinged_and_delivers_in_either_form() {
    let rules = "events = [\"push\", \"ping\"]\n\
                 filters = [{ json = \"/repository/private\", not = true }]\n";
    let scene = Scene::start("github", &(secrets(&[SECRET]) + rules));
    let ping = Delivery::json(&scene, "ping", PING);
    // Whenever somebody asks for it.
    assert_eq!([ping.send(), ping.send()], [200, 200]);
    assert_eq!(scene.upstream.count(), 2);
    for push in [Delivery::json(&scene, "push", PUSH), Delivery::form(&scene, "push", PUSH)] {
        assert_eq!(push.send(), 200, "{}", push.content_type);
        let seen = scene.upstream.last();
        assert_eq!(seen.body, push.body);
        assert_eq!(seen.header("hookward-event-type"), Some("push"));
        assert_eq!(seen.header("hookward-verified"), Some("signature, replay"));
        assert_eq!(seen.header("x-github-delivery"), Some(push.id), "as it was, and not believed");
        assert_eq!(seen.header("hookward-event-id"), None);
    }
    let private = PUSH.replace("false", "true");
    assert_eq!(Delivery::json(&scene, "push", &private).send(), 204);
    assert_eq!(Delivery::form(&scene, "push", &private).send(), 204);
    assert_eq!(Delivery::json(&scene, "star", &PUSH.replace("main", "x")).send(), 204);
    assert_eq!(scene.upstream.count(), 4);
}

#[test]
fn a_redelivery_is_the_same_bytes() {
    let scene = Scene::start("github", &secrets(&[SECRET]));
    let push = Delivery::json(&scene, "push", PUSH);
    scene.answers(&[500]);
    assert_eq!(push.send(), 500);
    scene.wait(3600);
    assert_eq!(push.send(), 200, "the first one was not taken");
    assert_eq!(push.send(), 409, "this one was");
    // Who captured it cannot make it another one by what is not signed.
    let renamed = Delivery { id: "another", event: "release", ..Delivery::json(&scene, "", PUSH) };
    assert_eq!(renamed.send(), 409);
    assert_eq!(scene.upstream.count(), 2);
    assert_eq!(scene.decisions(), ["forwarded", "forwarded", "replayed", "replayed"]);

    // For those who press the button and want a green mark.
    let route = secrets(&[SECRET]) + "replay = { on_replay = \"acknowledge\" }\n";
    let scene = Scene::start("github", &route);
    let push = Delivery::form(&scene, "push", PUSH);
    assert_eq!([push.send(), push.send()], [200, 200]);
    assert_eq!(scene.upstream.count(), 1);
}

#[test]
fn only_the_newer_signature_counts() {
    use hmac::{Hmac, KeyInit, Mac};
    let scene = Scene::start("github", &secrets(&[SECRET, OTHER]));
    let push = Delivery::json(&scene, "push", PUSH);
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(&push.body);
    let legacy = format!("sha1={}", hex::encode(mac.finalize().into_bytes()));
    let good = github(SECRET, &push.body);
    let stranger = github("a-secret-of-somebody-else", &push.body);
    for (signatures, status) in [
        (vec![("X-Hub-Signature", &*legacy)], 401),
        (vec![("X-Hub-Signature-256", &*legacy)], 400),
        (vec![("X-Hub-Signature", &*legacy), ("X-Hub-Signature-256", &*stranger)], 401),
        (vec![("X-Hub-Signature-256", &*good), ("X-Hub-Signature-256", &*good)], 400),
        (vec![], 401),
    ] {
        assert_eq!(push.with(&signatures).status, status, "{signatures:?}");
    }
    assert_eq!(scene.upstream.count(), 0);
    // GitHub has one secret at a time; while it is changed, the gateway knows both.
    let new = github(OTHER, &push.body);
    assert_eq!(push.with(&[("X-Hub-Signature-256", &new)]).status, 200);
    assert_eq!(scene.upstream.last().header("hookward-key-id"), Some("k1"));
    assert_eq!(push.send(), 409, "under the other secret it is still the same");
}

#[test]
fn payloads_are_as_large_as_github_sends_them() {
    let scene = Scene::start("github", &secrets(&[SECRET]));
    let mut large = Delivery::json(&scene, "push", PUSH);
    large.body.resize(25 << 20, b' ');
    assert_eq!(large.send(), 200);
    assert_eq!(scene.upstream.last().body.len(), 25 << 20);
    large.body.push(b' ');
    assert_eq!(large.send(), 413);
    assert_eq!(scene.upstream.count(), 1);
    assert_eq!(scene.decisions(), ["forwarded", "body_too_large"]);
}
