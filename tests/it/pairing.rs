//! Keys that a provider hands over: taken while an operator has armed the route, once, and at once in
//! force.

use std::{
    os::unix::fs::PermissionsExt as _,
    sync::{Arc, Barrier},
    time::Duration,
};

use crate::support::{Answer, Client, Gateway, Upstream, free_port, get, hmac_hex, logs, request};

const KEY: &str = "b537207f20cbfa02357cf448134da559e8bd39d61597dcd5631b8012eae53e81";
const OTHER: &str = "0000207f20cbfa02357cf448134da559e8bd39d61597dcd5631b8012eae53e81";

fn config(upstream: &Upstream, more: &str) -> String {
    format!(
        r#"
[server]
listen = ["127.0.0.1:0"]
answers = "codes"
[admin]
listen = "127.0.0.1:0"
[log]
audit = "audit.jsonl"
{more}
[routes.asana]
path = "/asana"
provider = "asana"
secrets = [{{ file = "asana.key" }}]
upstream = "{0}"
[routes.github]
path = "/github"
provider = "github"
secrets = [{{ value = "a-secret-of-16-bytes-or-more" }}]
upstream = "{0}"
"#,
        upstream.url("")
    )
}

fn arm(gateway: &Gateway, route: &str, secs: u64) -> Answer {
    let body = format!("{{\"for_secs\":{secs}}}");
    let mut client = Client::connect(gateway.admin());
    client.write(
        format!(
            "POST /routes/{route}/pair HTTP/1.1\r\nHost: localhost\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .as_bytes(),
    );
    client.read().unwrap()
}

fn status(gateway: &Gateway) -> String {
    let answer = get(gateway.admin(), "localhost", "/routes/asana/pair");
    answer.json()["status"].as_str().unwrap().to_owned()
}

fn offer(gateway: &Gateway, key: &str) -> (u16, Option<String>) {
    let answer = gateway.post("/asana", &[("X-Hook-Secret", key)], b"");
    (answer.status, answer.header("x-hook-secret").map(str::to_owned))
}

fn deliver(gateway: &Gateway, key: &str, body: &str) -> (u16, String) {
    let signature = hmac_hex(key, body.as_bytes());
    let answer = gateway.post("/asana", &[("X-Hook-Signature", &signature)], body.as_bytes());
    let refused = answer.header("content-type") == Some("application/problem+json");
    (answer.status, if refused { answer.code() } else { answer.text() })
}

fn event(number: u32) -> String {
    format!("{{\"events\":[{{\"n\":{number}}}]}}")
}

const TAKEN: fn(&str) -> (u16, Option<String>) = |key| (200, Some(key.to_owned()));
const REFUSED: (u16, Option<String>) = (403, None);

#[test]
fn a_route_is_armed_takes_one_key_and_verifies_with_it_at_once() {
    logs();
    let upstream = Upstream::start();
    let mut gateway = Gateway::start(&config(&upstream, ""));
    let file = gateway.dir.path().join("asana.key");
    // Until then the sender is told to come again, and a stranger learns nothing.
    assert_eq!(deliver(&gateway, KEY, &event(1)), (503, "key_unavailable".to_owned()));
    assert_eq!(gateway.post("/asana", &[], b"{}").code(), "signature_missing");
    assert_eq!((offer(&gateway, KEY), status(&gateway)), (REFUSED, "unarmed".to_owned()));
    assert!(!file.exists());

    assert_eq!(arm(&gateway, "asana", 600).status, 200);
    assert_eq!((status(&gateway), file.exists()), ("armed".to_owned(), false));
    assert_eq!(offer(&gateway, KEY), TAKEN(KEY));
    assert_eq!(status(&gateway), "captured");
    assert_eq!(std::fs::read(&file).unwrap(), KEY.as_bytes());
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(deliver(&gateway, KEY, &event(2)).0, 200);
    assert_eq!(upstream.last().header("hookward-key-id"), Some("asana"));
    assert_eq!(deliver(&gateway, OTHER, &event(3)), (401, "signature_mismatch".to_owned()));

    // One key, and never another one over it.
    let again = arm(&gateway, "asana", 600);
    assert_eq!(again.status, 409, "{again:?}");
    assert!(again.text().contains("holds a key already"), "{again:?}");
    assert_eq!(offer(&gateway, OTHER), REFUSED);
    assert!(gateway.reload(&config(&upstream, "")));
    assert_eq!(deliver(&gateway, KEY, &event(4)).0, 200);
    assert_eq!(arm(&gateway, "asana", 600).status, 409);
    assert_eq!(offer(&gateway, OTHER), REFUSED);
    assert_eq!(std::fs::read(&file).unwrap(), KEY.as_bytes());

    let lines = gateway.audit("audit.jsonl");
    let decided = |code: &str| lines.iter().filter(|line| line["decision"] == code).count();
    assert_eq!((decided("handshake"), decided("handshake_refused")), (1, 3));
    for key in [KEY, OTHER] {
        assert!(lines.iter().all(|line| !line.to_string().contains(key)));
        assert!(!logs().contains(key));
    }
    assert!(logs().contains("a key was captured"));
}

#[test]
fn arming_ends_by_itself() {
    let upstream = Upstream::start();
    let gateway = Gateway::start(&config(&upstream, ""));
    assert_eq!(arm(&gateway, "asana", 60).status, 200);
    gateway.clock.advance(Duration::from_secs(61));
    assert_eq!((offer(&gateway, KEY), status(&gateway)), (REFUSED, "unarmed".to_owned()));
    assert_eq!(arm(&gateway, "asana", 60).status, 200);
    gateway.clock.advance(Duration::from_secs(59));
    assert_eq!(offer(&gateway, KEY), TAKEN(KEY));
}

#[test]
fn of_handshakes_at_once_one_wins() {
    let upstream = Upstream::start();
    let gateway = Arc::new(Gateway::start(&config(&upstream, "")));
    assert_eq!(arm(&gateway, "asana", 600).status, 200);
    let barrier = Arc::new(Barrier::new(8));
    let racers: Vec<_> = (0..8)
        .map(|number| {
            let (gateway, barrier) = (Arc::clone(&gateway), Arc::clone(&barrier));
            std::thread::spawn(move || {
                let key = format!("{number}{KEY}");
                barrier.wait();
                (offer(&gateway, &key).0 == 200).then_some(key)
            })
        })
        .collect();
    let won: Vec<_> = racers.into_iter().filter_map(|racer| racer.join().unwrap()).collect();
    let [key] = won.as_slice() else { panic!("{won:?}") };
    assert_eq!(std::fs::read_to_string(gateway.dir.path().join("asana.key")).unwrap(), *key);
    assert_eq!(deliver(&gateway, key, &event(1)).0, 200);
}

#[test]
fn a_reload_neither_disarms_nor_forgets() {
    let upstream = Upstream::start();
    let gateway = Gateway::start(&config(&upstream, ""));
    let file = gateway.dir.path().join("asana.key");
    assert_eq!(arm(&gateway, "asana", 600).status, 200);
    assert!(gateway.reload(&config(&upstream, "")));
    // What is wrong with the configuration elsewhere does not matter.
    assert!(!gateway.reload("nonsense = 1"));
    assert_eq!(offer(&gateway, KEY), TAKEN(KEY));
    assert_eq!(deliver(&gateway, KEY, &event(1)).0, 200);
    // An operator who wants another key takes this one away.
    std::fs::remove_file(&file).unwrap();
    assert_eq!(deliver(&gateway, KEY, &event(2)).0, 200);
    assert_eq!(arm(&gateway, "asana", 600).status, 409);
    assert!(gateway.reload(&config(&upstream, "")));
    assert_eq!(deliver(&gateway, KEY, &event(3)), (503, "key_unavailable".to_owned()));
    assert_eq!(offer(&gateway, OTHER), REFUSED);
    assert_eq!(arm(&gateway, "asana", 600).status, 200);
    assert_eq!(offer(&gateway, OTHER), TAKEN(OTHER));
    assert_eq!(deliver(&gateway, KEY, &event(4)), (401, "signature_mismatch".to_owned()));
    assert_eq!(deliver(&gateway, OTHER, &event(5)).0, 200);
}

#[test]
fn a_key_below_the_policy_is_not_taken() {
    let upstream = Upstream::start();
    let gateway = Gateway::start(&config(&upstream, "[policy]\nmin_secret_bytes = 24\n"));
    assert_eq!(arm(&gateway, "asana", 600).status, 200);
    assert_eq!(offer(&gateway, "only-twenty-bytes-ok"), REFUSED);
    // Empty ones, two, and what is no word are no keys either.
    assert_eq!(offer(&gateway, "").0, 400);
    assert_eq!(offer(&gateway, "with a space in it, and more").0, 400);
    let two = [("X-Hook-Secret", KEY), ("X-Hook-Secret", OTHER)];
    assert_eq!(gateway.post("/asana", &two, b"").status, 400);
    assert_eq!(offer(&gateway, KEY), TAKEN(KEY));
    assert!(gateway.reload(&config(&upstream, "[policy]\nmin_secret_bytes = 24\n")));
}

#[test]
fn a_second_webhook_gets_a_second_key() {
    let upstream = Upstream::start();
    let both = config(&upstream, "")
        .replace("{ file = \"asana.key\" }", "{ file = \"asana.key\" }, { file = \"2.key\" }");
    let gateway = Gateway::start(&both);
    assert_eq!(arm(&gateway, "asana", 600).status, 200);
    assert_eq!(offer(&gateway, KEY), TAKEN(KEY));
    assert!(gateway.reload(&both));
    assert_eq!(deliver(&gateway, KEY, &event(1)).0, 200);
    assert_eq!(deliver(&gateway, OTHER, &event(2)).0, 401, "nobody waits for a second one");
    assert_eq!(arm(&gateway, "asana", 600).status, 200);
    assert_eq!(offer(&gateway, OTHER), TAKEN(OTHER));
    for (number, key, id) in [(3, KEY, "asana"), (4, OTHER, "2")] {
        assert_eq!(deliver(&gateway, key, &event(number)).0, 200);
        assert_eq!(upstream.last().header("hookward-key-id"), Some(id));
    }
}

#[test]
fn nobody_else_arms_and_nothing_else_can_be_armed() {
    let upstream = Upstream::start();
    let probe = free_port();
    let config = config(&upstream, "").replace(
        "listen = \"127.0.0.1:0\"\n",
        &format!("listen = \"127.0.0.1:0\"\nprobes = [\"127.0.0.1:{probe}\"]\n"),
    );
    let gateway = Gateway::start(&config);
    let github = arm(&gateway, "github", 60);
    assert_eq!(github.status, 409);
    assert!(github.text().contains("hands no key over"), "{github:?}");
    assert_eq!(arm(&gateway, "asan", 60).status, 404);
    assert_eq!(arm(&gateway, "asana", 3601).status, 400);
    let body = b"{\"for_secs\":60}";
    for (address, headers, status) in [
        (gateway.admin(), "Host: evil.example\r\nContent-Type: application/json\r\n", 403),
        (gateway.admin(), "Host: localhost\r\nContent-Type: text/plain\r\n", 415),
        (
            gateway.admin(),
            "Host: localhost\r\nOrigin: http://evil.example\r\nContent-Type: application/json\r\n",
            403,
        ),
        (
            ([127, 0, 0, 1], probe).into(),
            "Host: localhost\r\nContent-Type: application/json\r\n",
            404,
        ),
        // Nor does the way that deliveries come.
        (gateway.address, "Host: localhost\r\nContent-Type: application/json\r\n", 404),
    ] {
        let mut client = Client::connect(address);
        let head = format!(
            "POST /routes/asana/pair HTTP/1.1\r\n{headers}Content-Length: {}\r\n\r\n",
            body.len()
        );
        client.write(head.as_bytes()).write(body);
        assert_eq!(client.read().unwrap().status, status, "{address} {headers}");
    }
    assert_eq!((offer(&gateway, KEY), status(&gateway)), (REFUSED, "unarmed".to_owned()));
    // On a route of another provider, a missing file is what it always was.
    let missing = config.replace("value = \"a-secret-of-16-bytes-or-more\"", "file = \"nowhere\"");
    assert!(!gateway.reload(&missing));
}

#[test]
fn a_handshake_with_a_body_and_over_one_connection() {
    let upstream = Upstream::start();
    let gateway = Gateway::start(&config(&upstream, ""));
    assert_eq!(arm(&gateway, "asana", 600).status, 200);
    let mut client = gateway.connect();
    client.write(&request("POST", "/asana", &[("X-Hook-Secret", KEY)], b""));
    let answer = client.read().unwrap();
    assert_eq!((answer.status, answer.header("x-hook-secret")), (200, Some(KEY)));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let body = event(1);
    let signature = hmac_hex(KEY, body.as_bytes());
    client.write(&request("POST", "/asana", &[("X-Hook-Signature", &signature)], body.as_bytes()));
    assert_eq!(client.read().unwrap().status, 200);
    assert_eq!(upstream.count(), 1);
}
