//! The audit trail: one line per decision, nothing more and nothing less.

use std::{collections::BTreeSet, os::unix::fs::PermissionsExt};

use sha2::{Digest, Sha256};

use crate::support::{Gateway, Upstream, eventually, github, request, stripe};

const SECRET: &str = "a-secret-of-16-bytes-or-more";
const TOKEN: &str = "tok3n-that-is-nobodys-business";

fn config(upstream: &Upstream) -> String {
    format!(
        r#"
[server]
listen = ["127.0.0.1:0"]
answers = "codes"
[admin]
listen = "127.0.0.1:0"
[log]
audit = "audit.jsonl"
[providers.in-query]
signature = {{ algorithm = "token", from = "query:token" }}
[routes.github]
path = "/github"
provider = "github"
secrets = [{{ value = "{SECRET}", id = "2026" }}]
upstream = "{0}"
[routes.stripe]
path = "/stripe"
provider = "stripe"
secrets = [{{ value = "{SECRET}", id = "2026" }}]
upstream = "{0}"
[routes.gitlab]
path = "/gitlab"
provider = "gitlab"
secrets = [{{ value = "{TOKEN}" }}]
upstream = "{0}"
[routes.query]
path = "/query"
provider = "in-query"
secrets = [{{ value = "{TOKEN}" }}]
upstream = "{0}"
"#,
        upstream.url("")
    )
}

const FIELDS: [&str; 19] = [
    "body_sha256",
    "bytes",
    "checks",
    "config",
    "decision",
    "event_id",
    "event_type",
    "key_id",
    "provider",
    "request_id",
    "route",
    "source",
    "status",
    "time",
    "took_us",
    "upstream_status",
    "upstream_us",
    "version",
    "would_be",
];

#[test]
fn every_decision_is_one_line_of_the_documented_fields() {
    let upstream = Upstream::start();
    let mut gateway = Gateway::start(&config(&upstream));
    let path = gateway.dir.path().join("audit.jsonl");
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let body = br#"{"id":"evt_1","type":"invoice.paid"}"#;
    let now = gateway.clock.unix().secs();
    let signature = stripe(SECRET, now, body);
    let mut ids = Vec::new();
    for status in [200, 409] {
        let answer = gateway.post("/stripe", &[("Stripe-Signature", &signature)], body);
        assert_eq!(answer.status, status);
        ids.push(answer.header("x-request-id").unwrap().to_owned());
    }
    for (bytes, status) in [
        (request("POST", "/nowhere", &[], b""), 404),
        (request("POST", "/stripe", &[("Host", "twice")], b""), 400),
        (b"GET\r\n\r\n".to_vec(), 400),
        (request("POST", "/stripe", &[], b"{}"), 401),
    ] {
        let mut client = gateway.connect();
        client.write(&bytes);
        let answer = client.read().unwrap();
        assert_eq!(answer.status, status, "{}", String::from_utf8_lossy(&bytes));
        ids.push(answer.header("x-request-id").unwrap().to_owned());
    }
    // A sender that leaves in the middle of its body.
    let mut gone = gateway.connect();
    gone.write(
        format!("POST /stripe HTTP/1.1\r\nHost: h\r\nStripe-Signature: {signature}\r\nContent-Length: 50\r\n\r\nhalf")
            .as_bytes(),
    );
    drop(gone);
    eventually(|| gateway.metrics().contains("decision=\"sender_gone\"} 1"));
    let lines = gateway.audit("audit.jsonl");
    let decisions: Vec<_> = lines
        .iter()
        .map(|line| (line["decision"].as_str().unwrap(), line["status"].as_u64().unwrap()))
        .collect();
    assert_eq!(
        decisions,
        [
            ("forwarded", 200),
            ("replayed", 409),
            ("no_route", 404),
            ("bad_request", 400),
            ("bad_request", 400),
            ("signature_missing", 401),
            ("sender_gone", 499),
        ]
    );
    for line in &lines {
        let fields: Vec<_> = line.as_object().unwrap().keys().map(String::as_str).collect();
        let fields: BTreeSet<_> = fields.into_iter().collect();
        assert_eq!(fields, BTreeSet::from(FIELDS), "{line}");
        assert_eq!(line["config"].as_str().unwrap().len(), 12);
        assert_eq!(line["source"], "127.0.0.1");
        assert_eq!(line["time"], "2025-10-09T08:53:20.000Z");
    }
    let said: Vec<_> = lines.iter().take(6).map(|line| line["request_id"].as_str()).collect();
    assert_eq!(said, ids.iter().map(|id| Some(id.as_str())).collect::<Vec<_>>());
    let forwarded = &lines[0];
    for (field, value) in [
        ("route", "stripe"),
        ("provider", "stripe"),
        ("key_id", "2026"),
        ("event_id", "evt_1"),
        ("event_type", "invoice.paid"),
        ("body_sha256", &hex::encode(Sha256::digest(body))),
    ] {
        assert_eq!(forwarded[field], value);
    }
    assert_eq!(forwarded["bytes"], body.len());
    assert_eq!(forwarded["upstream_status"], 200);
    assert!(forwarded["upstream_us"].is_u64() && forwarded["took_us"].is_u64());
    for check in forwarded["checks"].as_array().unwrap() {
        assert_eq!(check["outcome"], "pass");
    }
    let failed = lines[1]["checks"].as_array().unwrap().last().unwrap();
    assert_eq!((&failed["check"], &failed["outcome"]), (&"replay".into(), &"fail".into()));
    assert!(failed["detail"].as_str().unwrap().starts_with("first seen"), "{failed}");
    assert!(lines[2]["route"].is_null() && lines[2]["body_sha256"].is_null());
}

#[test]
fn a_mismatch_says_what_would_have_matched() {
    let upstream = Upstream::start();
    let mut gateway = Gateway::start(&config(&upstream));
    let forged = github(&format!("{SECRET}\n"), b"{}");
    for _ in 0..3 {
        assert_eq!(gateway.post("/github", &[("X-Hub-Signature-256", &forged)], b"{}").status, 401);
    }
    gateway.clock.advance(std::time::Duration::from_secs(2));
    let stranger = github("another secret entirely", b"{}");
    gateway.post("/github", &[("X-Hub-Signature-256", &stranger)], b"{}");
    let lines = gateway.audit("audit.jsonl");
    let near = lines[0]["near_miss"].as_str().unwrap();
    assert!(near.contains("2026") && near.contains("newline"), "{near}");
    assert!(!near.contains(SECRET));
    for line in &lines[1..] {
        assert_eq!(line.get("near_miss"), None, "once a second, and only if there is one");
    }
}

#[test]
fn what_a_sender_writes_forges_no_line_and_tells_no_secret() {
    let upstream = Upstream::start();
    let mut gateway = Gateway::start(&config(&upstream));
    let now = gateway.clock.unix().secs();
    let evil = "x\"}\n{\"decision\":\"forwarded\",\"status\":200}\n\u{1b}[2K\u{202e}";
    let body = serde_json::to_vec(&serde_json::json!({ "id": evil, "type": evil })).unwrap();
    let signature = stripe(SECRET, now, &body);
    assert_eq!(gateway.post("/stripe", &[("Stripe-Signature", &signature)], &body).status, 200);
    let forged_id = [("X-Request-Id", "{\"decision\":1}"), ("X-GitHub-Event", "\"},{\"")];
    gateway.post("/github", &forged_id, b"{}");
    gateway.post("/%0a%7b%22decision%22:1}\"", &[], b"{}");
    let upper = TOKEN.to_uppercase();
    let tokens = [TOKEN, upper.as_str(), &format!("{TOKEN} "), "wrong-token-of-somebody-else"];
    for token in tokens {
        gateway.post("/gitlab", &[("X-Gitlab-Token", token)], token.as_bytes());
        gateway.clock.advance(std::time::Duration::from_secs(2));
        let token = token.trim();
        gateway.post(&format!("/query?a=1&token={token}"), &[], b"{}");
        gateway.post(&format!("/query/x?token={token}"), &[], b"{}");
        gateway.send("PUT", &format!("/query?token={token}"), &[], b"{}");
        gateway.post(&format!("/query?token={token}&token={token}"), &[], b"{}");
        gateway.post(&format!("/query?token={token}#x"), &[], b"{}");
        gateway.post(&format!("/query?token={token}%zz"), &[], b"{}");
        gateway.clock.advance(std::time::Duration::from_secs(2));
    }
    let metrics = gateway.metrics();
    let lines = gateway.audit("audit.jsonl");
    assert_eq!(lines.len(), 3 + 4 * 7);
    // HTTP takes the space off the third token.
    assert_eq!(lines.iter().filter(|line| line["decision"] == "forwarded").count(), 5);
    assert_eq!(lines[0]["event_id"], evil);
    let text = std::fs::read_to_string(gateway.dir.path().join("audit.jsonl")).unwrap();
    assert_eq!(text.lines().count(), lines.len());
    assert!(text.chars().all(|c| c == '\n' || !c.is_control() && c != '\u{202e}'));
    for secret in [SECRET, TOKEN, &upper, "wrong-token", &signature] {
        assert!(!text.contains(secret), "{secret}");
        assert!(!metrics.contains(secret), "{secret}");
    }
}

#[test]
fn a_rotated_file_is_made_anew_by_a_reload() {
    let upstream = Upstream::start();
    let mut gateway = Gateway::start(&config(&upstream));
    let post = |gateway: &Gateway, body: &[u8]| {
        let signature = github(SECRET, body);
        assert_eq!(
            gateway.post("/github", &[("X-Hub-Signature-256", &signature)], body).status,
            200
        );
    };
    post(&gateway, b"1");
    let path = gateway.dir.path().join("audit.jsonl");
    let rotated = gateway.dir.path().join("audit.1");
    std::fs::rename(&path, &rotated).unwrap();
    post(&gateway, b"2");
    assert!(!path.exists());
    assert!(gateway.reload(&config(&upstream)));
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    post(&gateway, b"3");
    // A refused reload does not disturb it, nor does one that reopens the same file.
    assert!(!gateway.reload("nonsense"));
    post(&gateway, b"4");
    assert!(gateway.reload(&config(&upstream)));
    post(&gateway, b"5");
    assert_eq!(gateway.audit("audit.jsonl").len(), 3);
    assert_eq!(gateway.audit("audit.1").len(), 2);
}
