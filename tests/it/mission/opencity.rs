//! OpenCity Italia: a queue of actions behind a municipality's forms. Nothing is signed; the administrator
//! enters headers, one of which is the proof. The body is built anew at each attempt.

use serde_json::json;

use super::{Scene, Verdict, deliver, secrets};
use crate::support::{Act, Answer};

const EXPECT: &str = "expect = { header = \"X-Api-Key\" }\n";

struct Queue<'s> {
    scene: &'s Scene,
    headers: Vec<(&'s str, &'s str)>,
}

impl<'s> Queue<'s> {
    fn new(scene: &'s Scene) -> Self {
        Self { scene, headers: vec![("X-Api-Key", super::SECRET)] }
    }

    /// The application as the database has it now, under the id of the queued action.
    fn body(event: &str, attempt: u32) -> String {
        json!({
            "id": "1d0ddf8d-3c58-4a4b-9e2c-2d2b3a6f4f10", "status": "2000",
            "modified_at": format!("2025-10-09T10:5{attempt}:20+02:00"),
            "event_id": event, "event_created_at": "2025-10-09T10:53:20+02:00",
            "event_version": "2.0", "app_version": "2.0.0",
        })
        .to_string()
    }

    fn attempt(&self, event: &str, attempt: u32) -> Answer {
        let mut headers = vec![("Content-Type", "application/json")];
        headers.extend(&self.headers);
        self.scene.gateway.post("/hook", &headers, Self::body(event, attempt).as_bytes())
    }

    /// Exactly four statuses are a success; everything else comes again.
    fn judge(answer: &Answer) -> Verdict {
        match answer.status {
            200 | 201 | 202 | 204 => Verdict::Done,
            _ => Verdict::Again,
        }
    }

    fn deliver(&self, event: &str) -> (Verdict, u32) {
        let attempt = |number| {
            // A power of two times some minutes.
            self.scene.wait(60_u32 << number);
            self.attempt(event, number)
        };
        deliver(5, attempt, Self::judge)
    }
}

#[test]
fn a_retry_is_the_same_event_in_another_body() {
    let scene = Scene::start("opencity-italia", &(EXPECT.to_owned() + &secrets(&[super::SECRET])));
    let queue = Queue::new(&scene);
    scene.answers(&[500]);
    assert_eq!(queue.deliver("6f4b6c1e"), (Verdict::Done, 2));
    let seen = scene.upstream.requests();
    assert_eq!(seen.len(), 2);
    assert_ne!(seen[0].body, seen[1].body, "built anew");
    assert!(seen.iter().all(|request| request.header("hookward-event-id") == Some("6f4b6c1e")));
    // A token vouches for the id, and covers nothing.
    assert_eq!(seen[1].header("hookward-verified"), Some("token"));
    // Our answer got lost: the action is still in the queue.
    for attempt in [3, 4] {
        assert_eq!(Queue::judge(&queue.attempt("6f4b6c1e", attempt)), Verdict::Done);
    }
    assert_eq!(scene.upstream.count(), 2, "and is not worked on twice");
    assert_eq!(queue.deliver("another"), (Verdict::Done, 1));
    let decisions = scene.decisions();
    assert_eq!(decisions, ["forwarded", "forwarded", "duplicate", "duplicate", "forwarded"]);
}

#[test]
fn whatever_the_receiver_answers_the_queue_runs_empty() {
    let scene = Scene::start("opencity-italia", &(EXPECT.to_owned() + &secrets(&[super::SECRET])));
    let queue = Queue::new(&scene);
    for (number, (answers, attempts, forwarded)) in [
        (&[201][..], 1, 1),
        (&[202], 1, 1),
        (&[204], 1, 1),
        (&[404, 410, 302, 503], 5, 5),
        // The receiver has it, and says so in a way that the sender does not know.
        (&[206], 2, 1),
    ]
    .into_iter()
    .enumerate()
    {
        let before = scene.upstream.count();
        scene.answers(answers);
        let outcome = queue.deliver(&format!("event-{number}"));
        assert_eq!(outcome, (Verdict::Done, attempts), "{answers:?}");
        assert_eq!(scene.upstream.count() - before, forwarded, "{answers:?}");
    }
    scene.upstream.next([Act::Close, Act::Raw("nonsense")]);
    assert_eq!(queue.deliver("broken"), (Verdict::Done, 3));
}

#[test]
fn what_the_gateway_answers_itself_is_a_success_or_comes_again() {
    let route = |versions: &str, more: &str| {
        let filters = format!("filters = [{{ json = \"/event_version\", in = {versions} }}]\n");
        format!("{EXPECT}{}{filters}{more}", secrets(&[super::SECRET]))
    };
    let rate = "rate_limit = { per_route = { rate = \"1/1h\", burst = 1 } }\n";
    let scene = Scene::start("opencity-italia", &route("[\"2.0\"]", rate));
    let queue = Queue::new(&scene);
    // Two workers of the queue take the same action.
    scene.upstream.next([Act::Gate]);
    let body = Queue::body("a", 1);
    let mut first = scene.begin(&queue.headers, "/hook", body.as_bytes());
    scene.upstream.wait_for(1);
    let second = queue.attempt("a", 0);
    assert_eq!((second.status, Queue::judge(&second)), (503, Verdict::Again));
    scene.upstream.open_gate();
    assert_eq!(Queue::judge(&first.read().unwrap()), Verdict::Done);
    assert_eq!(Queue::judge(&queue.attempt("a", 0)), Verdict::Done);
    assert_eq!(scene.upstream.count(), 1);
    // Beyond the receiver's rate, until somebody lifts it.
    let limited = queue.attempt("b", 0);
    assert_eq!((limited.status, Queue::judge(&limited)), (429, Verdict::Again));
    scene.reload("opencity-italia", "", &route("[\"2.0\"]", ""));
    assert_eq!(Queue::judge(&queue.attempt("b", 0)), Verdict::Done);
    assert_eq!(scene.upstream.count(), 2);
    // What the route does not want.
    let unwanted = Queue::body("c", 1).replace("\"2.0\"", "\"1.0\"");
    let ignored = scene.gateway.post("/hook", &queue.headers, unwanted.as_bytes());
    assert_eq!((ignored.status, Queue::judge(&ignored)), (200, Verdict::Done));
    assert_eq!(scene.upstream.count(), 2);
}

#[test]
fn without_the_token_nothing_gets_through_and_nothing_is_used_up() {
    let scene = Scene::start("opencity-italia", &(EXPECT.to_owned() + &secrets(&[super::SECRET])));
    let body = Queue::body("a", 1);
    let cut = &super::SECRET[..super::SECRET.len() - 1];
    let long = format!("{}x", super::SECRET);
    let right = ("X-Api-Key", super::SECRET);
    for (headers, status) in [
        (vec![], 401),
        (vec![("X-Api-Key", "")], 401),
        (vec![("X-Api-Key", cut)], 401),
        (vec![("X-Api-Key", &long)], 401),
        (vec![("X-Api-Key", super::OTHER)], 401),
        (vec![("Authorization", super::SECRET)], 401),
        (vec![("X-Api-Key", super::OTHER), right], 400),
        (vec![right, right], 400),
    ] {
        let answer = scene.gateway.post("/hook", &headers, body.as_bytes());
        assert_eq!(answer.status, status, "{headers:?}");
    }
    assert_eq!(scene.upstream.count(), 0);
    // The id that strangers named is as new as before.
    assert_eq!(Queue::new(&scene).deliver("a"), (Verdict::Done, 1));
    assert_eq!(scene.upstream.count(), 1);
}

#[test]
fn the_administrator_chooses_header_and_method() {
    // Basic credentials are a whole header's value too, and `Authorization` is where it goes by default.
    let route = "methods = [\"PUT\"]\nsecrets = [{ value = \"Basic dXNlcjpwYXNzd29yZDEyMzQ=\" }]\n";
    let scene = Scene::start("opencity-italia", route);
    let put = |method: &str, value: &str| {
        let body = Queue::body("a", 1);
        scene.gateway.send(method, "/hook", &[("Authorization", value)], body.as_bytes()).status
    };
    assert_eq!(put("PUT", "Basic dXNlcjpwYXNzd29yZDEyMzU="), 401);
    assert_eq!(put("PUT", "dXNlcjpwYXNzd29yZDEyMzQ="), 401);
    assert_eq!(put("POST", "Basic dXNlcjpwYXNzd29yZDEyMzQ="), 405);
    assert_eq!(put("PUT", "Basic dXNlcjpwYXNzd29yZDEyMzQ="), 200);
    assert_eq!(scene.upstream.count(), 1);
}
