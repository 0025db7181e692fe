//! Blue: signed bodies without time or id, sent again byte for byte. Five failures disable the hook, and a
//! health check decides whether it may be enabled again.

use std::cell::{Cell, RefCell};

use super::{OTHER, SECRET, Scene, Verdict, deliver, secrets};
use crate::support::{Act, Answer, hmac_hex};

const HEALTH_CHECK: &str =
    r#"{"event":"WEBHOOK_HEALTH_CHECK","webhook":{"id":"whk"},"currentValue":null}"#;

struct Hook<'s> {
    scene: &'s Scene,
    is_enabled: Cell<bool>,
    waiting: RefCell<Vec<String>>,
}

impl<'s> Hook<'s> {
    fn new(scene: &'s Scene) -> Self {
        Self { scene, is_enabled: Cell::new(true), waiting: RefCell::default() }
    }

    fn attempt(&self, body: &str) -> Answer {
        let signature = hmac_hex(SECRET, body.as_bytes());
        let headers = [("Content-Type", "application/json"), ("X-Signature", &*signature)];
        self.scene.gateway.post("/hook", &headers, body.as_bytes())
    }

    fn judge(answer: &Answer) -> Verdict {
        if (200..300).contains(&answer.status) { Verdict::Done } else { Verdict::Again }
    }

    /// Five attempts; then the hook is unhealthy, and nothing is sent any more.
    fn fire(&self, body: &str) -> (Verdict, u32) {
        assert!(self.is_enabled.get(), "the hook is disabled");
        let attempt = |number: u32| {
            self.scene.wait(30_u32 << number);
            self.attempt(body)
        };
        let outcome = deliver(5, attempt, Self::judge);
        self.is_enabled.set(outcome.0 == Verdict::Done);
        if outcome.0 != Verdict::Done {
            self.waiting.borrow_mut().push(body.to_owned());
        }
        outcome
    }

    /// What somebody does by hand.
    fn enable(&self) -> Answer {
        let answer = self.attempt(HEALTH_CHECK);
        self.is_enabled.set(Self::judge(&answer) == Verdict::Done);
        answer
    }
}

fn todo(number: u32) -> String {
    format!(
        "{{\"event\":\"TODO_CREATED\",\"webhook\":{{\"id\":\"whk\"}},\"previousValue\":null,\"currentValue\":{{\"id\":\"{number}\"}}}}"
    )
}

#[test]
fn a_retry_is_forwarded_after_a_failure_and_acknowledged_after_a_success() {
    let scene = Scene::start("blue", &secrets(&[SECRET]));
    let hook = Hook::new(&scene);
    scene.upstream.next([Act::Answer(500, ""), Act::Close, Act::Answer(404, "")]);
    assert_eq!(hook.fire(&todo(1)), (Verdict::Done, 4));
    let seen = scene.upstream.requests();
    assert!(seen.iter().all(|request| request.body == todo(1).as_bytes()), "byte for byte");
    assert_eq!(seen.len(), 4);
    // The answer got lost, or came after seven seconds.
    assert_eq!(hook.fire(&todo(1)), (Verdict::Done, 1));
    assert_eq!(scene.upstream.count(), 4);
    // While the receiver takes its time, the copy is told to come later, and is a success then.
    scene.upstream.next([Act::Gate]);
    let (body, signature) = (todo(2), hmac_hex(SECRET, todo(2).as_bytes()));
    let mut slow = scene.begin(&[("X-Signature", &signature)], "/hook", body.as_bytes());
    scene.upstream.wait_for(5);
    assert_eq!(hook.attempt(&body).status, 503);
    scene.upstream.open_gate();
    assert_eq!(Hook::judge(&slow.read().unwrap()), Verdict::Done);
    assert_eq!(hook.fire(&body), (Verdict::Done, 1));
    assert_eq!(scene.upstream.count(), 5);
}

#[test]
fn only_what_the_secret_signed_gets_through() {
    let scene = Scene::start("blue", &secrets(&[SECRET]));
    let body = todo(1);
    let good = hmac_hex(SECRET, body.as_bytes());
    let forged = hmac_hex(OTHER, body.as_bytes());
    let prefixed = format!("sha256={good}");
    let upper = good.to_uppercase();
    for (signature, status) in [(&forged, 401), (&prefixed, 400), (&upper, 400)] {
        let headers = [("X-Signature", signature.as_str())];
        assert_eq!(scene.gateway.post("/hook", &headers, body.as_bytes()).status, status);
    }
    assert_eq!(scene.gateway.post("/hook", &[], body.as_bytes()).status, 401);
    let headers = [("X-Signature", good.as_str())];
    assert_eq!(scene.gateway.post("/hook", &headers, todo(2).as_bytes()).status, 401);
    assert_eq!(scene.upstream.count(), 0);
    assert_eq!(Hook::new(&scene).fire(&body), (Verdict::Done, 1));
}

/// What the route wants must not keep a hook disabled: Blue asks for a 2xx, any of them, and reads
/// no body. So a 204 will do, and the receiver need not know health checks.
#[test]
fn a_disabled_hook_can_be_enabled_however_little_the_route_wants() {
    let closed = r#"{"required":["event","currentValue"],"properties":{"event":{"enum":["TODO_CREATED"]},"currentValue":{"type":"object"}}}"#;
    let reject = "on_unlisted_event = \"reject\"\n";
    let events = "events = [\"TODO_*\"]\n";
    let filters = "filters = [{ json = \"/currentValue/id\", exists = true }]\n";
    let whole = "body = { schema = \"todo.json\" }\n";
    let by_type = "body = { schemas = { TODO_CREATED = \"todo.json\" } }\n";
    for (rules, status) in [
        (String::new(), 200),
        (by_type.to_owned(), 200),
        (format!("{events}{by_type}"), 204),
        (format!("{events}{reject}{by_type}"), 204),
        (format!("{filters}{reject}"), 204),
        (whole.to_owned(), 204),
    ] {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("todo.json"), closed).unwrap();
        let scene = Scene::start_in(dir, "blue", "", &(secrets(&[SECRET]) + &rules));
        let hook = Hook::new(&scene);
        scene.answers(&[500, 500, 500, 500, 500]);
        assert_eq!(hook.fire(&todo(1)), (Verdict::Again, 5));
        assert!(!hook.is_enabled.get());
        // Each time, although these are the same bytes each time.
        for _ in 0..2 {
            assert_eq!(hook.enable().status, status, "{rules}");
            assert!(hook.is_enabled.get(), "{rules}");
        }
        let passed = if status == 200 { 2 } else { 0 };
        assert_eq!(scene.upstream.count(), 5 + passed, "{rules}");
        // What was waiting gets through now.
        for body in hook.waiting.take() {
            assert_eq!(hook.fire(&body), (Verdict::Done, 1), "{rules}");
        }
        // Other types are still what the route says.
        let other = todo(3).replace("TODO_CREATED", "TODO_LIST_X").replace("{\"id\":\"3\"}", "3");
        let expected = match (rules.contains("reject"), rules.contains("schema =")) {
            _ if rules.contains("events") => 200,
            (true, _) | (_, true) => 422,
            _ => 200,
        };
        assert_eq!(hook.attempt(&other).status, expected, "{rules}");
    }
}

#[test]
fn a_health_check_is_judged_by_the_receiver_where_the_route_wants_everything() {
    let scene = Scene::start("blue", &secrets(&[SECRET]));
    let hook = Hook::new(&scene);
    scene.answers(&[503]);
    assert_eq!(hook.enable().status, 503);
    assert!(!hook.is_enabled.get(), "it is not there yet");
    assert_eq!(hook.enable().status, 200);
    let forged = [("X-Signature", &*hmac_hex(OTHER, HEALTH_CHECK.as_bytes()))];
    assert_eq!(scene.gateway.post("/hook", &forged, HEALTH_CHECK.as_bytes()).status, 401);
    assert_eq!(scene.upstream.count(), 2);
}
