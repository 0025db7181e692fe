//! The floor: below it nothing starts, and at run time nothing passes.

use hmac::{Hmac, KeyInit, Mac};

use crate::support::{Answer, Gateway, Upstream, github};

const SECRET: &str = "a-secret-of-16-bytes-or-more";

fn config(policy: &str, provider: &str, route: &str) -> String {
    format!(
        "[server]\nlisten = [\"127.0.0.1:0\"]\nanswers = \"codes\"\n[admin]\nlisten = \"127.0.0.1:0\"\n[routes.r]\npath = \"/r\"\nprovider = \"{provider}\"\nsecrets = [{{ value = \"{SECRET}\", id = \"k\" }}]\n{route}\n[policy]\n{policy}\n"
    )
}

#[test]
fn a_route_below_the_floor_does_not_start_and_is_pointed_at() {
    let echo = "upstream = \"builtin:echo\"";
    for (policy, provider, route, said) in [
        ("require_https = true", "github", "", "insecure_transport"),
        ("require_signature = true", "gitlab", "", "require_signature"),
        ("require_timestamp = true", "github", "", "require_timestamp"),
        (
            "require_replay_protection = true",
            "github",
            "replay = { enabled = false }",
            "require_replay_protection",
        ),
        (
            "require_replay_protection = true",
            "github",
            "monitor = [\"replay\"]",
            "require_replay_protection",
        ),
        (
            "require_replay_protection = true",
            "github",
            "replay = { on_duplicate = \"forward\" }",
            "require_replay_protection",
        ),
        (
            "require_replay_protection = true",
            "github",
            "replay = { commit_on = [\"410\"] }",
            "require_replay_protection",
        ),
        ("require_allow_from = true", "github", "", "require_allow_from"),
        (
            "require_allow_from = true",
            "github",
            "allow_from = [\"0.0.0.0/1\", \"128.0.0.0/1\"]",
            "require_allow_from",
        ),
        ("forbid_algorithms = [\"token\"]", "gitlab", "", "forbids"),
        ("forbid_algorithms = [\"hmac-sha256\"]", "github", "", "forbids"),
        ("max_tolerance = \"1m\"", "stripe", "tolerance = \"5m\"", "max_tolerance"),
        ("min_window = \"24h\"", "github", "replay = { window = \"1h\" }", "min_window"),
        ("min_secret_bytes = 64", "github", "", "min_secret_bytes"),
        ("may_monitor = [\"schema\"]", "github", "monitor = [\"signature\"]", "may_monitor"),
        (
            "may_monitor = []",
            "github",
            "monitor = [\"source\"]\nallow_from = [\"192.0.2.0/24\"]",
            "may_monitor",
        ),
    ] {
        let text = Gateway::refused(&config(policy, provider, &format!("{route}\n{echo}")));
        assert!(text.contains(said), "{policy} {route}: {text}");
        let place = text.split("hookward.toml:").nth(1).unwrap_or_else(|| panic!("{text}"));
        let line = place.split(':').next().unwrap();
        assert!(line.parse::<u32>().is_ok_and(|line| line > 5), "file:line in {text}");
        assert!(!text.contains(SECRET), "{text}");
        // The same route without that floor starts.
        drop(Gateway::start(&config("", provider, &format!("{route}\n{echo}"))));
    }
}

#[test]
fn an_exception_is_for_one_route_and_for_a_time() {
    let exception = |until: &str| {
        format!(
            "require_signature = true\n[policy.exceptions.r]\nallow = [\"token\"]\nuntil = {until}\nowner = \"a@example.com\"\nreason = \"SEC-1\""
        )
    };
    let route = "upstream = \"builtin:echo\"";
    let gateway = Gateway::start(&config(&exception("2025-12-31T00:00:00Z"), "gitlab", route));
    let answer = gateway.post("/r", &[("X-Gitlab-Token", SECRET)], b"{}");
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(gateway.post("/r", &[("X-Gitlab-Token", "wrong")], b"{}").status, 401);

    // At a reload after its end it is an error, and what runs does not outlive it either.
    let config_again = config(&exception("2025-12-31T00:00:00Z"), "gitlab", route);
    gateway.clock.advance(std::time::Duration::from_secs(90 * 24 * 3600));
    assert!(!gateway.reload(&config_again));
    let answer = gateway.post("/r", &[("X-Gitlab-Token", SECRET)], b"{}");
    assert_eq!((answer.status, answer.code().as_str()), (503, "internal_error"));
    assert!(answer.header("retry-after").is_some());
    // Once somebody has taken care of it, the sender's next attempt goes through.
    let longer = config(&exception("2026-12-31T00:00:00Z"), "gitlab", route);
    assert!(gateway.reload(&longer));
    assert_eq!(gateway.post("/r", &[("X-Gitlab-Token", SECRET)], b"{}").status, 200);

    let text = Gateway::refused(&config(&exception("2025-10-01T00:00:00Z"), "gitlab", route));
    assert!(text.contains("expired") && text.contains("hookward.toml:"), "{text}");
    let other = format!(
        "{}\n[routes.other]\npath = \"/other\"\nprovider = \"gitlab\"\nsecrets = [{{ value = \"{SECRET}-2\" }}]\nupstream = \"builtin:echo\"\n",
        config(&exception("2025-12-31T00:00:00Z"), "gitlab", route)
    );
    let text = Gateway::refused(&other);
    assert!(text.contains("other") && text.contains("require_signature"), "{text}");
}

fn websub(gateway: &Gateway, signature: &str) -> Answer {
    let headers = [("X-Hub-Signature", signature), ("Content-Type", "application/json")];
    gateway.post("/r", &headers, b"{}")
}

#[test]
fn a_forbidden_algorithm_is_no_candidate_any_more() {
    let upstream = Upstream::start();
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(b"{}");
    let sha1 = format!("sha1={}", hex::encode(mac.finalize().into_bytes()));
    let route = format!("upstream = \"{}\"", upstream.url(""));
    let lenient = Gateway::start(&config("", "websub", &route));
    assert_eq!(websub(&lenient, &sha1).status, 200, "{}", websub(&lenient, &sha1).text());
    drop(lenient);
    let strict = Gateway::start(&config("forbid_algorithms = [\"hmac-sha1\"]", "websub", &route));
    let answer = websub(&strict, &sha1);
    assert!(matches!(answer.status, 400 | 401), "{}", answer.text());
    assert!(answer.code().starts_with("signature_"), "{}", answer.text());
    assert_eq!(upstream.count(), 1);
    assert_eq!(websub(&strict, &github(SECRET, b"{}")).status, 200);
    assert_eq!(upstream.count(), 2);
}

#[test]
fn a_routes_budget_is_spent_by_new_authenticated_deliveries_alone() {
    let upstream = Upstream::start();
    let route = format!(
        "upstream = \"{}\"\nrate_limit = {{ per_route = {{ rate = \"2/1h\", burst = 2 }} }}\n",
        upstream.url("")
    );
    let gateway = Gateway::start(&config("", "github", &route));
    let post = |secret: &str, body: &str| {
        let signature = github(secret, body.as_bytes());
        let answer = gateway.post("/r", &[("X-Hub-Signature-256", &signature)], body.as_bytes());
        assert_eq!(answer.header("retry-after").is_some(), answer.status == 429);
        answer.status
    };
    for n in 0..5 {
        assert_eq!(post("another secret entirely", &n.to_string()), 401);
    }
    assert_eq!(post(SECRET, "1"), 200);
    for _ in 0..5 {
        assert_eq!(post(SECRET, "1"), 409);
    }
    assert_eq!(post(SECRET, "2"), 200);
    assert_eq!(post(SECRET, "3"), 429);
    assert_eq!(upstream.count(), 2);
    // What was turned away was not taken for delivered.
    assert!(gateway.reload(&config("", "github", &route.replace("burst = 2", "burst = 3"))));
    assert_eq!(post(SECRET, "3"), 200);
}
