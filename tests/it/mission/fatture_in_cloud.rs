//! Fatture in Cloud: CloudEvents with a token that names one notification and leaves its body open.
//! What a token must say is tried in `tokens_jwt.rs`; these are the sender's stories.

use base64::{Engine, prelude::BASE64_STANDARD, prelude::BASE64_URL_SAFE_NO_PAD};
use hookward::verify::{Algorithm, EcdsaForm, SigningKey};
use serde_json::{Value, json};

use super::{Scene, Verdict, deliver};
use crate::support::{Act, Answer};

const SINK: &str = "https://hooks.example.com/hook";
const CREATED: &str = "it.fattureincloud.webhooks.entities.clients.create";
const WELCOME: &str = "it.fattureincloud.webhooks.subscriptions.welcome";
const COMPANY: &str = "company:108061";

struct Sender {
    scene: Scene,
    key: SigningKey,
}

impl Sender {
    fn start(upstream: &str, route: &str) -> Self {
        let key = SigningKey::generate(Algorithm::EcdsaP256Sha256).unwrap();
        let route = Self::trusting(&key, route);
        Self { scene: Scene::mapping("fatture-in-cloud", upstream, &route), key }
    }

    fn trusting(key: &SigningKey, more: &str) -> String {
        // As the notifications page shows it: base64 of a PEM.
        let public = BASE64_STANDARD.encode(key.public_pem());
        format!(
            "public_keys = [{{ value = \"{public}\" }}]\nexpect = {{ aud = \"{SINK}\" }}\n{more}"
        )
    }

    /// The token of one notification; it lives for three hours.
    fn token(&self, id: &str, aud: &Value) -> String {
        let now = self.scene.gateway.clock.unix().secs();
        let claims = json!({
            "jti": id, "iss": "https://api-v2.fattureincloud.it", "sub": COMPANY, "aud": aud,
            "exp": now + 10_800, "iat": now, "aid": 1234,
        });
        let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let input = format!("{}.{}", part(&json!({ "alg": "ES256", "typ": "JWT" })), part(&claims));
        let signature = self.key.sign(Algorithm::EcdsaP256Sha256, EcdsaForm::Raw, input.as_bytes());
        format!("Bearer {input}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature.unwrap()))
    }

    /// The request that verifies the sink; `header` or `query` is the subscription's own choice.
    fn verify(&self, method: &str, token: Option<&str>, challenge: &str) -> Answer {
        let mut headers = vec![("User-Agent", "FattureInCloud/API-WEBHOOK")];
        headers.extend(token.map(|token| ("Authorization", token)));
        let name = "x-fic-verification-challenge";
        if method == "query" {
            let target = format!("/hook?{name}={challenge}");
            return self.scene.gateway.send("GET", &target, &headers, b"");
        }
        headers.push((name, challenge));
        self.scene.gateway.send("GET", "/hook", &headers, b"")
    }

    fn binary(&self, token: &str, id: &str, kind: &str, body: &str) -> Answer {
        let headers = [
            ("Authorization", token),
            ("Content-Type", "application/json"),
            ("User-Agent", "FattureInCloud/API-WEBHOOK"),
            ("Connection", "close"),
            ("ce-specversion", "1.0"),
            ("ce-source", "https://api-v2.fattureincloud.it"),
            ("ce-time", "2025-10-09T10:53:20+02:00"),
            ("ce-subject", COMPANY),
            ("ce-type", kind),
            ("ce-id", id),
        ];
        self.scene.gateway.post("/hook", &headers, body.as_bytes())
    }

    fn structured(&self, token: &str, content_type: &str, id: &str) -> Answer {
        let body = json!({
            "specversion": "1.0", "source": "https://api-v2.fattureincloud.it", "id": id,
            "type": CREATED, "time": "2025-10-09T10:53:20+02:00", "subject": COMPANY,
            "datacontenttype": "application/json", "data": { "ids": [3_062_300] },
        });
        let headers = [("Authorization", token), ("Content-Type", content_type)];
        self.scene.gateway.post("/hook", &headers, body.to_string().as_bytes())
    }

    fn judge(answer: &Answer) -> Verdict {
        match answer.status {
            200 | 201 | 202 | 204 => Verdict::Done,
            410 => Verdict::Unsubscribed,
            500.. => Verdict::Again,
            _ => Verdict::Lost,
        }
    }

    /// Four attempts; whether each has a token of its own is not said, so both must do.
    fn deliver(&self, id: &str, same_token: bool) -> (Verdict, u32) {
        let first = self.token(id, &json!([SINK]));
        let attempt = |_| {
            self.scene.wait(600);
            let own = if same_token { first.clone() } else { self.token(id, &json!([SINK])) };
            self.binary(&own, id, CREATED, "{\"data\":{\"ids\":[3062300]}}")
        };
        deliver(4, attempt, Self::judge)
    }
}

#[test]
fn a_sink_is_verified_welcomed_and_used() {
    let sender = Sender::start("", "");
    let upstream = &sender.scene.upstream;
    let token = sender.token("verification", &json!([SINK]));
    for method in ["header", "query"] {
        // Five attempts at most, ten minutes apart; the first answer may get lost.
        for _ in 0..2 {
            let answer = sender.verify(method, Some(&token), "c2FtcGxlIGNoYWxsZW5nZQ");
            assert_eq!(answer.status, 200, "{method}");
            assert_eq!(answer.header("content-type"), Some("application/json"));
            assert_eq!(answer.json(), json!({ "verification": "c2FtcGxlIGNoYWxsZW5nZQ" }));
        }
        let stranger = Sender::start("", "").token("verification", &json!([SINK]));
        for forged in [None, Some("Bearer x.y.z"), Some(&*stranger)] {
            let answer = sender.verify(method, forged, "echo-me");
            assert!([400, 401].contains(&answer.status), "{method} {forged:?}");
            assert!(!answer.text().contains("echo-me"));
        }
    }
    assert_eq!(upstream.count(), 0, "the receiver needs to know nothing of it");

    let welcome = sender.binary(&sender.token("1:w", &json!([SINK])), "1:w", WELCOME, "{}");
    assert_eq!(Sender::judge(&welcome), Verdict::Done);
    assert_eq!(upstream.last().header("hookward-event-type"), Some(WELCOME));
    assert_eq!(sender.deliver("2:b", true), (Verdict::Done, 1));
    assert_eq!(upstream.last().header("hookward-event-id"), Some("2:b"));
    // The documentation shows either type for structured mode.
    for (id, kind) in [("3:s", "application/cloudevents+json"), ("4:s", "application/json")] {
        // As one text, too.
        let answer = sender.structured(&sender.token(id, &json!(SINK)), kind, id);
        assert_eq!(Sender::judge(&answer), Verdict::Done, "{kind}");
        assert_eq!(upstream.last().header("hookward-event-id"), Some(id));
        assert_eq!(upstream.last().header("hookward-event-type"), Some(CREATED));
    }
    assert_eq!(upstream.count(), 4);
}

#[test]
fn a_notification_that_failed_comes_again_and_then_no_more() {
    for same_token in [true, false] {
        let sender = Sender::start("", "");
        sender.scene.upstream.next([Act::Answer(503, ""), Act::Close]);
        assert_eq!(sender.deliver("1:a", same_token), (Verdict::Done, 3));
        assert_eq!(sender.scene.upstream.count(), 3);
        // At least once: the same id comes even after a success.
        assert_eq!(sender.deliver("1:a", same_token), (Verdict::Done, 1));
        assert_eq!(sender.scene.upstream.count(), 3);
        sender.scene.answers(&[500, 500, 500, 500]);
        assert_eq!(sender.deliver("2:b", same_token), (Verdict::Again, 4), "lost at the fourth");
        let decisions = sender.scene.decisions();
        assert_eq!(decisions[..4], ["forwarded", "upstream_error", "forwarded", "duplicate"]);
    }
}

#[test]
fn no_answer_of_ours_ends_the_subscription_and_a_mapped_receiver_does_not_either() {
    let unmapped = Sender::start("", "");
    unmapped.scene.answers(&[410]);
    assert_eq!(unmapped.deliver("1:a", true), (Verdict::Unsubscribed, 1), "as the receiver said");

    let mapped = ", map_status = { 3xx = 503, 4xx = 503 }";
    let rate = "rate_limit = { per_route = { rate = \"1/1h\", burst = 3 } }\n";
    let sender = Sender::start(mapped, rate);
    sender.scene.answers(&[410, 302]);
    assert_eq!(sender.deliver("1:a", true), (Verdict::Done, 3));
    // Beyond the rate, and while a copy is on its way, it is told to come again.
    let token = sender.token("2:b", &json!([SINK]));
    let limited = sender.binary(&token, "2:b", CREATED, "{}");
    assert_eq!((limited.status, Sender::judge(&limited)), (503, Verdict::Again));
    let route = Sender::trusting(&sender.key, "");
    sender.scene.reload("fatture-in-cloud", mapped, &route);
    sender.scene.upstream.next([Act::Gate]);
    let headers = [("Authorization", &*token), ("ce-id", "2:b"), ("ce-subject", COMPANY)];
    let mut first = sender.scene.begin(&headers, "/hook", b"{}");
    sender.scene.upstream.wait_for(4);
    let copy = sender.binary(&token, "2:b", CREATED, "{}");
    assert_eq!((copy.status, Sender::judge(&copy)), (503, Verdict::Again));
    sender.scene.upstream.open_gate();
    assert_eq!(Sender::judge(&first.read().unwrap()), Verdict::Done);
    assert_eq!(Sender::judge(&sender.binary(&token, "2:b", CREATED, "{}")), Verdict::Done);
    assert_eq!(sender.scene.upstream.count(), 4);
}

#[test]
fn check_warns_of_a_receiver_that_could_end_the_subscription() {
    let sender = Sender::start("", "");
    let check = || {
        let file = sender.scene.gateway.dir.path().join("hookward.toml");
        let call = std::process::Command::new(env!("CARGO_BIN_EXE_hookward"))
            .args(["check", "--no-secrets", "-c"])
            .arg(file)
            .output()
            .unwrap();
        assert_eq!(call.status.code(), Some(0), "a warning is no error");
        String::from_utf8_lossy(&[call.stdout, call.stderr].concat()).into_owned()
    };
    let warned = check();
    assert!(warned.contains("410 ends the subscription at fatture-in-cloud"), "{warned}");
    assert!(warned.contains("map_status = { 410 = 503 }"), "{warned}");
    let route = Sender::trusting(&sender.key, "");
    sender.scene.reload("fatture-in-cloud", ", map_status = { 410 = 503 }", &route);
    assert!(!check().contains("ends the subscription"));
}

#[test]
fn a_captured_token_is_worth_nothing() {
    let sender = Sender::start("", "");
    let token = sender.token("1:a", &json!([SINK]));
    let body = "{\"data\":{\"ids\":[1]}}";
    assert_eq!(sender.binary(&token, "1:a", CREATED, body).status, 200);
    let other = sender.binary(&token, "1:a", CREATED, "{\"data\":{\"ids\":[2]}}");
    assert_eq!((other.status, other.code().as_str()), (409, "replayed"));
    assert_eq!(sender.binary(&token, "2:b", CREATED, body).status, 401, "of another notification");
    let headers = [("Authorization", &*token), ("ce-id", "1:a"), ("ce-subject", "company:1")];
    assert_eq!(sender.scene.gateway.post("/hook", &headers, b"{}").status, 401, "another company");
    // One that was never delivered serves until it has expired.
    let unused = sender.token("3:c", &json!([SINK]));
    sender.scene.wait(3 * 3600 + 600);
    assert_eq!(sender.binary(&unused, "3:c", CREATED, body).status, 401);
    assert_eq!(sender.scene.upstream.count(), 1);
    let decisions = sender.scene.decisions();
    assert_eq!(decisions[1], "replayed");
    assert_eq!(decisions[4], "timestamp_expired");
}
