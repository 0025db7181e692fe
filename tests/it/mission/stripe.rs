//! Stripe: every attempt is signed anew, under each secret that is in force, and the event's id stays.

use super::{OTHER, SECRET, Scene, Verdict, deliver, secrets};
use crate::support::{Act, Answer, stripe};

struct Endpoint<'s> {
    scene: &'s Scene,
    /// Two of them while a secret is being rolled.
    secrets: Vec<&'s str>,
}

impl Endpoint<'_> {
    fn body(id: &str, live: bool) -> String {
        format!(
            "{{\"id\":\"{id}\",\"object\":\"event\",\"type\":\"invoice.paid\",\"livemode\":{live}}}"
        )
    }

    fn header(&self, at: i64, body: &str) -> String {
        let mut header = format!("t={at}");
        for secret in &self.secrets {
            let signed = stripe(secret, at, body.as_bytes());
            header += signed.strip_prefix(&format!("t={at}")).unwrap();
        }
        // A scheme of tests, to be ignored.
        header + ",v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39"
    }

    fn post(&self, header: &str, body: &str) -> Answer {
        let headers = [("Content-Type", "application/json"), ("Stripe-Signature", header)];
        self.scene.gateway.post("/hook", &headers, body.as_bytes())
    }

    fn attempt(&self, body: &str) -> Answer {
        self.scene.wait(3600);
        self.post(&self.header(self.scene.gateway.clock.unix().secs(), body), body)
    }

    fn judge(answer: &Answer) -> Verdict {
        if (200..300).contains(&answer.status) { Verdict::Done } else { Verdict::Again }
    }

    /// For three days, ever more rarely.
    fn deliver(&self, id: &str) -> (Verdict, u32) {
        deliver(16, |_| self.attempt(&Self::body(id, true)), Self::judge)
    }
}

#[test]
fn a_retry_has_a_time_of_its_own() {
    let scene = Scene::start("stripe", &secrets(&[SECRET]));
    let endpoint = Endpoint { scene: &scene, secrets: vec![SECRET] };
    scene.upstream.next([Act::Answer(500, ""), Act::Answer(429, ""), Act::Close]);
    assert_eq!(endpoint.deliver("evt_1"), (Verdict::Done, 4));
    let seen = scene.upstream.requests();
    let times: std::collections::BTreeSet<_> =
        seen.iter().map(|request| request.header("stripe-signature").unwrap()).collect();
    assert_eq!(times.len(), 4);
    assert!(seen.iter().all(|request| request.header("hookward-event-id") == Some("evt_1")));
    // The answer got lost.
    assert_eq!(endpoint.deliver("evt_1"), (Verdict::Done, 1));
    assert_eq!(scene.upstream.count(), 4);
    // Who only has the bytes gets nowhere.
    let captured = seen[3].header("stripe-signature").unwrap().to_owned();
    let replayed = endpoint.post(&captured, &Endpoint::body("evt_1", true));
    assert_eq!(replayed.status, 401, "an hour old");
    let decisions = scene.decisions();
    assert_eq!(decisions[4..], ["duplicate", "timestamp_expired"]);
}

#[test]
fn a_signature_holds_for_five_minutes() {
    let scene = Scene::start("stripe", &secrets(&[SECRET]));
    let endpoint = Endpoint { scene: &scene, secrets: vec![SECRET] };
    let now = scene.gateway.clock.unix().secs();
    let post = |id: &str, at: i64| {
        let body = Endpoint::body(id, true);
        endpoint.post(&endpoint.header(at, &body), &body).status
    };
    assert_eq!(post("evt_1", now - 300), 200);
    assert_eq!(post("evt_2", now - 301), 401);
    assert_eq!(post("evt_3", now + 300), 200);
    assert_eq!(post("evt_4", now + 301), 401);
    let body = Endpoint::body("evt_5", true);
    let twice = format!("t={now},{}", endpoint.header(now, &body));
    assert_eq!(endpoint.post(&twice, &body).status, 400, "readers disagree on which one counts");
    let old = endpoint.header(now - 301, &body);
    let fresher = old.replacen(&(now - 301).to_string(), &now.to_string(), 1);
    assert_eq!(endpoint.post(&fresher, &body).status, 401);
    let decisions = scene.decisions();
    assert_eq!(decisions[1], "timestamp_expired");
    assert_eq!(decisions[3], "timestamp_in_future");
    assert_eq!(decisions[5], "signature_mismatch");
}

#[test]
fn a_secret_is_rolled_without_losing_anything() {
    let before = secrets(&[SECRET]);
    let scene = Scene::start("stripe", &before);
    let mut endpoint = Endpoint { scene: &scene, secrets: vec![SECRET] };
    let key = || scene.upstream.last().header("hookward-key-id").unwrap().to_owned();
    let reload = |secret: &[&str]| scene.reload("stripe", "", &secrets(secret));
    assert_eq!(endpoint.deliver("evt_1"), (Verdict::Done, 1));
    // The sender signs with both, while the gateway knows the old one, both, and the new one.
    endpoint.secrets = vec![OTHER, SECRET];
    assert_eq!(endpoint.deliver("evt_2"), (Verdict::Done, 1));
    reload(&[SECRET, OTHER]);
    assert_eq!(endpoint.deliver("evt_3"), (Verdict::Done, 1));
    // The second signature is no second delivery.
    let now = scene.gateway.clock.unix().secs();
    let body = Endpoint::body("evt_3", true);
    let alone = Endpoint { scene: &scene, secrets: vec![SECRET] };
    assert_eq!(endpoint.post(&alone.header(now, &body), &body).status, 409);
    reload(&[OTHER]);
    assert_eq!(endpoint.deliver("evt_4"), (Verdict::Done, 1));
    assert_eq!(key(), "k0");
    endpoint.secrets = vec![SECRET];
    assert_eq!(endpoint.attempt(&Endpoint::body("evt_5", true)).status, 401, "the old one alone");
    assert_eq!(scene.upstream.count(), 4);
}

#[test]
fn tests_do_not_reach_a_receiver_of_live_events() {
    let filters = "filters = [{ json = \"/livemode\", equals = true }]\n";
    let scene = Scene::start("stripe", &(secrets(&[SECRET]) + filters));
    let endpoint = Endpoint { scene: &scene, secrets: vec![SECRET] };
    assert_eq!(endpoint.attempt(&Endpoint::body("evt_1", false)).status, 204);
    assert_eq!(endpoint.attempt(&Endpoint::body("evt_2", true)).status, 200);
    let text = Endpoint::body("evt_3", true).replace("true", "\"true\"");
    assert_eq!(endpoint.attempt(&text).status, 204, "a text is no boolean");
    let twice = Endpoint::body("evt_4", false).replace('}', ",\"livemode\":true}");
    assert_eq!(endpoint.attempt(&twice).status, 400);
    assert_eq!(scene.upstream.count(), 1);
}
