//! GetResponse: webhooks whose success is a text in the answer's body, and old callbacks that bring
//! everything in a query and are sent once. The only proof of either is a parameter of the registered URL.

use super::{SECRET, Scene, Verdict, deliver, secrets};
use crate::support::{Act, Answer};

/// Of the webhooks.
struct Sender<'s> {
    scene: &'s Scene,
}

impl Sender<'_> {
    fn attempt(&self, id: &str, kind: &str, attempt: u32) -> Answer {
        let body = format!(
            "{{\"type\":\"{kind}\",\"contact\":{{\"contactId\":\"c\"}},\"account\":{{\"accountId\":\"a\"}},\"event\":{{\"occurredAt\":\"2025-10-09T10:53:20+02:00\"}}}}"
        );
        let request_id = format!("{id}-request-{attempt}");
        let headers = [
            ("Content-Type", "application/json"),
            ("X-Webhook-Type", kind),
            ("X-Webhook-ID", id),
            ("X-Request-ID", &request_id),
        ];
        self.scene.gateway.post(&format!("/hook?token={SECRET}"), &headers, body.as_bytes())
    }

    /// A 2xx counts with the body alone; of what fails, 4xx other than 429 and 3xx are final.
    fn judge(answer: &Answer) -> Verdict {
        let thanked = serde_json::from_slice::<serde_json::Value>(&answer.body)
            .is_ok_and(|body| body == serde_json::json!({ "status": "OK" }));
        match answer.status {
            200 | 201 | 202 | 204 if thanked => Verdict::Done,
            200..300 | 429 | 500.. => Verdict::Again,
            _ => Verdict::Lost,
        }
    }

    /// Once, and three times more.
    fn deliver(&self, id: &str, kind: &str) -> (Verdict, u32) {
        let attempt = |number: u32| {
            self.scene.wait(60_u32 << number);
            self.attempt(id, kind, number)
        };
        deliver(4, attempt, Self::judge)
    }
}

#[test]
fn every_success_is_one_for_the_sender_too() {
    let route = secrets(&[SECRET]) + "events = [\"contact_*\"]\n";
    let scene = Scene::start("getresponse", &route);
    let sender = Sender { scene: &scene };
    for (number, act) in [
        Act::Answer(200, "thanks"),
        Act::Answer(201, "{\"status\":\"created\"}"),
        Act::Answer(202, ""),
        Act::Raw("HTTP/1.1 204 No Content\r\n\r\n"),
        Act::Answer(200, "{\"status\":\"OK\"}"),
    ]
    .into_iter()
    .enumerate()
    {
        scene.upstream.next([act.clone()]);
        let outcome = sender.deliver(&format!("id-{number}"), "contact_subscribed");
        assert_eq!(outcome, (Verdict::Done, 1), "{act:?}");
    }
    assert_eq!(scene.upstream.count(), 5);
    // So is what the gateway answers itself.
    assert_eq!(sender.deliver("id-0", "contact_subscribed"), (Verdict::Done, 1));
    assert_eq!(sender.deliver("id-9", "message_sent"), (Verdict::Done, 1));
    assert_eq!(scene.upstream.count(), 5);
    let decisions = scene.decisions();
    assert_eq!(decisions[5..], ["duplicate", "event_ignored"]);
}

#[test]
fn a_retry_has_the_id_of_the_first_attempt() {
    let scene = Scene::start("getresponse", &secrets(&[SECRET]));
    let sender = Sender { scene: &scene };
    scene.answers(&[500, 429]);
    assert_eq!(sender.deliver("id", "contact_subscribed"), (Verdict::Done, 3));
    let seen = scene.upstream.requests();
    assert_eq!(seen.len(), 3);
    for request in &seen {
        assert_eq!(request.header("hookward-event-id"), Some("id"));
        assert_eq!(request.header("hookward-event-type"), Some("contact_subscribed"));
        assert!(!request.header("x-request-id").unwrap().contains("request"), "it is ours");
    }
    assert_eq!(sender.deliver("id", "contact_subscribed"), (Verdict::Done, 1));
    assert_eq!(scene.upstream.count(), 3);
    scene.answers(&[500, 500, 500, 500]);
    assert_eq!(sender.deliver("never", "contact_subscribed"), (Verdict::Again, 4));
}

#[test]
fn a_receivers_4xx_loses_the_event_unless_it_is_mapped() {
    let scene = Scene::start("getresponse", &secrets(&[SECRET]));
    let sender = Sender { scene: &scene };
    scene.answers(&[404]);
    assert_eq!(sender.deliver("id", "contact_subscribed"), (Verdict::Lost, 1));
    let mapped = ", map_status = { 3xx = 502, 4xx = 502 }";
    let scene = Scene::mapping("getresponse", mapped, &secrets(&[SECRET]));
    let sender = Sender { scene: &scene };
    scene.answers(&[404, 301, 410]);
    assert_eq!(sender.deliver("id", "contact_subscribed"), (Verdict::Done, 4));
    assert_eq!(scene.upstream.count(), 4);
}

#[test]
fn what_may_pass_later_is_never_answered_with_the_end() {
    let rate = "rate_limit = { per_route = { rate = \"1/1h\", burst = 1 } }\n";
    let scene = Scene::start("getresponse", &(secrets(&[SECRET]) + rate));
    let sender = Sender { scene: &scene };
    scene.upstream.next([Act::Gate]);
    let target = format!("/hook?token={SECRET}");
    let mut first = scene.begin(&[("X-Webhook-ID", "id")], &target, b"{}");
    scene.upstream.wait_for(1);
    let second = sender.attempt("id", "contact_subscribed", 2);
    assert_eq!((second.status, Sender::judge(&second)), (503, Verdict::Again));
    scene.upstream.open_gate();
    assert_eq!(Sender::judge(&first.read().unwrap()), Verdict::Done);
    let limited = sender.attempt("other", "contact_subscribed", 1);
    assert_eq!((limited.status, Sender::judge(&limited)), (503, Verdict::Again));
    assert!(limited.header("retry-after").is_some());
    scene.reload("getresponse", "", &secrets(&[SECRET]));
    assert_eq!(sender.deliver("other", "contact_subscribed"), (Verdict::Done, 1));
    let decisions = scene.decisions();
    assert_eq!(decisions, ["in_flight", "forwarded", "rate_limited", "forwarded"]);
}

#[test]
fn only_the_parameter_opens_and_nobody_reads_it_later() {
    let scene = Scene::start("getresponse", &secrets(&[SECRET]));
    let post = |target: &str| scene.gateway.post(target, &[("X-Webhook-ID", "id")], b"{}").status;
    assert_eq!(post("/hook"), 401);
    assert_eq!(post("/hook?token="), 401);
    assert_eq!(post("/hook?token=guess"), 401);
    assert_eq!(post(&format!("/hook?Token={SECRET}")), 401);
    assert_eq!(post(&format!("/hook?token=guess&token={SECRET}")), 400);
    assert_eq!(post(&format!("/hook?token={SECRET}&to%6ben={SECRET}")), 400);
    assert_eq!(scene.upstream.count(), 0);
    // The id that strangers named is as new as before.
    assert_eq!(post(&format!("/hook?campaign=1&token={SECRET}")), 200);
    assert_eq!(scene.upstream.count(), 1);
    assert_eq!(scene.decisions().len(), 7, "and no line has it");
}

const SCHEMA: &str = r#"{
    "type": "object",
    "required": ["action", "ACCOUNT_ID", "CONTACT_ID", "contact_email"],
    "properties": {
        "action": { "enum": ["subscribe", "open", "click", "goal", "unsubscribe", "survey"] },
        "ACCOUNT_ID": { "type": "string", "pattern": "^[A-Za-z0-9]{1,20}$" },
        "contact_email": { "type": "string", "minLength": 3, "pattern": "@" },
        "token": { "maxLength": 64 }
    }
}"#;

/// Of the callbacks: once, whatever comes back.
fn callback(scene: &Scene, query: &str) -> u16 {
    let target = format!("/hook?token={SECRET}&{query}");
    scene.gateway.send("GET", &target, &[], b"").status
}

fn callbacks(route: &str) -> Scene {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("callback.json"), SCHEMA).unwrap();
    let route = format!("{}{route}body = {{ schema = \"callback.json\" }}\n", secrets(&[SECRET]));
    Scene::start_in(dir, "getresponse-callback", "", &route)
}

#[test]
fn the_query_of_a_callback_satisfies_a_schema() {
    let scene = callbacks("");
    let good = "action=open&ACCOUNT_ID=aS1&CAMPAIGN_ID=l&campaign_name=A%26B+news&MESSAGE_ID=m&CONTACT_ID=c&contact_email=jon%40example.com";
    assert_eq!(callback(&scene, good), 200);
    let seen = scene.upstream.last();
    assert!(seen.head.starts_with("GET "), "{}", seen.head);
    assert!(seen.target().ends_with(good), "the query is as it was: {}", seen.target());
    assert_eq!(seen.header("hookward-event-type"), Some("open"));
    assert_eq!(seen.header("hookward-verified"), Some("token, schema"));
    // The same person opens the same message again: there is no id, and nothing to tell it from.
    assert_eq!(callback(&scene, good), 200);
    for bad in [
        good.replace("action=open", "action=drop"),
        good.replace("aS1", "a%20b"),
        good.replace("%40", "-at-"),
        // Names are case-sensitive.
        good.replace("ACCOUNT_ID", "account_id"),
        good.replace("&CONTACT_ID=c", ""),
        "action=open".to_owned(),
    ] {
        assert_eq!(callback(&scene, &bad), 422, "{bad}");
    }
    // Which of the two would the receiver read?
    assert_eq!(callback(&scene, &format!("{good}&action=click")), 400);
    let target = format!("/hook?token={SECRET}&{good}");
    assert_eq!(scene.gateway.post(&target, &[], b"{}").status, 405);
    assert_eq!(scene.gateway.send("GET", &format!("/hook?{good}"), &[], b"").status, 401);
    assert_eq!(scene.upstream.count(), 2);
    let decisions = scene.decisions();
    assert_eq!(decisions.iter().filter(|code| *code == "schema_violation").count(), 6);
}

/// What the schema says of the secret itself must not be where others read it.
#[test]
fn a_schema_that_the_secret_violates_does_not_tell_it() {
    let dir = tempfile::tempdir().unwrap();
    let strict = SCHEMA.replace("\"maxLength\": 64", "\"pattern\": \"^x$\"");
    std::fs::write(dir.path().join("callback.json"), strict).unwrap();
    let route = secrets(&[SECRET]) + "body = { schema = \"callback.json\" }\n";
    let scene = Scene::start_in(dir, "getresponse-callback", "", &route);
    let query = "action=open&ACCOUNT_ID=a&CONTACT_ID=c&contact_email=a%40b";
    assert_eq!(callback(&scene, query), 422);
    assert_eq!(scene.decisions(), ["schema_violation"]);
}

#[test]
fn a_callback_that_fails_is_gone() {
    let scene = callbacks("events = [\"open\"]\n");
    let query = "action=open&ACCOUNT_ID=a&CONTACT_ID=c&contact_email=a%40b";
    scene.answers(&[500]);
    assert_eq!(callback(&scene, query), 500, "and the sender does not come back");
    assert_eq!(callback(&scene, &query.replace("open", "click")), 204);
    assert_eq!(scene.upstream.count(), 1);
}
