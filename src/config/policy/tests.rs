//! Each requirement: a route that falls below it, one that does not, and one that is excepted.

use crate::config::{
    Problem, Severity,
    lint::tests::{found, line, lint_files, not_found, with_route},
};

/// The policy's lines in front of a route `a`.
fn under(policy: &str, provider: &str, lines: &str) -> String {
    let server = "trusted_proxies = [\"10.0.0.0/8\"]";
    format!("[policy]\n{policy}\n{}", with_route(server, provider, lines))
}

fn excepted(rule: &str, text: &str) -> String {
    format!(
        "{text}\n[policy.exceptions.a]\nallow = [\"{rule}\"]\nuntil = 2040-01-01T00:00:00Z\n\
         owner = \"platform@example.com\"\nreason = \"SEC-1\"\n"
    )
}

#[track_caller]
fn below(policy: &str, provider: &str, lines: &str, part: &str) -> Problem {
    let problem = found(&under(policy, provider, lines), Severity::Error, part);
    assert!(problem.suggestion.is_some(), "says how to mend it: {problem:?}");
    problem
}

#[track_caller]
fn fine(text: &str) {
    not_found(text, "forbids that");
}

#[test]
fn https_that_nothing_can_fulfil() {
    let plain = |policy: &str| format!("{policy}\n{}", with_route("", "github", ""));
    let problem = found(
        &plain("[policy]\nrequire_https = true"),
        Severity::Error,
        "every request would be refused (403 insecure_transport)",
    );
    assert_eq!(
        problem.to_string().split_once("\n2 |").unwrap().1,
        " require_https = true\n  | the only listener is plain HTTP, and server.trusted_proxies \
         is empty\n  = try: trusted_proxies = [\"10.244.0.0/16\"]   # your ingress"
    );
    fine(&plain("[policy]\nrequire_https = false"));
    fine(&under("require_https = true", "github", ""));
    fine(&excepted("https", &plain("[policy]\nrequire_https = true")));
}

#[test]
fn a_signature_that_covers_the_body() {
    let policy = "require_signature = true";
    below(policy, "gitlab", "", "accepts a token");
    below(policy, "stripe", "monitor = [\"signature\"]", "only monitors signature");
    below(policy, "mailgun", "", "does not cover the whole body");
    fine(&under(policy, "stripe", ""));
    fine(&excepted("token", &under(policy, "gitlab", "")));
    fine(&excepted("require_signature", &under(policy, "gitlab", "")));
}

#[test]
fn a_signed_timestamp() {
    let policy = "require_timestamp = true";
    below(policy, "github", "", "no signed timestamp");
    below(policy, "stripe", "monitor = [\"timestamp\"]", "only monitors timestamp");
    below(policy, "stripe", "monitor = [\"signature\"]", "only monitors signature");
    fine(&under(policy, "stripe", ""));
    fine(&excepted("timestamp", &under(policy, "github", "")));
}

#[test]
fn replay_protection_without_gaps() {
    let policy = "require_replay_protection = true";
    let replay = |line: &str| format!("\n[routes.a.replay]\n{line}\n");
    below(policy, "stripe", &replay("enabled = false"), "switched off");
    below(policy, "stripe", "monitor = [\"replay\"]", "only monitors replay");
    // Where these fail and are only reported, replay is not looked at.
    below(policy, "stripe", "monitor = [\"signature\"]", "only monitors signature");
    below(policy, "stripe", "monitor = [\"timestamp\"]", "only monitors timestamp");
    below(policy, "stripe", &replay("commit_on = [\"200\"]"), "every delivery that succeeded");
    below(policy, "stripe", &replay("on_duplicate = \"forward\""), "already delivered");
    for (key, part) in [("on_error = \"allow\"", "store fails"), ("on_full = \"evict\"", "is full")]
    {
        let text = format!("[replay]\n{key}\n{}", under(policy, "stripe", ""));
        let problem = found(&text, Severity::Error, part);
        assert_eq!(line(&problem), key, "points at the responsible key");
    }
    fine(&under(policy, "stripe", ""));
    fine(&excepted("replay_protection", &under(policy, "stripe", &replay("enabled = false"))));
}

#[test]
fn a_list_of_sources() {
    let policy = "require_allow_from = true";
    below(policy, "github", "", "has no allow_from");
    let half = "allow_from = [\"0.0.0.0/2\", \"64.0.0.0/2\"]";
    below(policy, "github", half, "half of all addresses");
    let monitored = "allow_from = [\"198.51.100.0/24\"]\nmonitor = [\"source\"]";
    below(policy, "github", monitored, "only monitors source");
    fine(&under(policy, "github", "allow_from = [\"198.51.100.0/24\"]"));
    fine(&excepted("allow_from", &under(policy, "github", "")));
}

#[test]
fn forbidden_algorithms() {
    let policy = "forbid_algorithms = [\"hmac-sha1\", \"token\"]";
    let problems = lint_files(&under(policy, "gitlab", ""), &[]);
    assert!(problems.iter().any(|p| p.severity == Severity::Error && p.message.contains("token")));
    // One candidate of several goes, and the others stay.
    fine(&under(policy, "websub", ""));
    not_found(&under(policy, "websub", ""), "also accepts hmac-sha1");
    fine(&excepted("token", &under(policy, "gitlab", "")));
}

#[test]
fn bounds_of_durations_and_secrets() {
    let problem =
        below("max_tolerance = \"5m\"", "stripe", "tolerance = \"6m\"", "tolerance of 6m");
    assert_eq!(line(&problem), "tolerance = \"6m\"");
    below("max_tolerance = \"1m\"", "stripe", "", "tolerance of 5m");
    fine(&under("max_tolerance = \"5m\"", "stripe", ""));
    fine(&under("max_tolerance = \"5m\"", "github", ""));
    let window = "\n[routes.a.replay]\nwindow = \"1h\"\n";
    below("min_window = \"24h\"", "github", window, "window of 1h");
    fine(&excepted("min_window", &under("min_window = \"24h\"", "github", window)));
    let short = "secrets = [{ env = \"GOOD\" }, { env = \"SHORT\" }]";
    below("min_secret_bytes = 16", "github", short, "a secret of 8 bytes");
    // Counted after decoding: 64 hex digits are 32 bytes.
    fine(&under("min_secret_bytes = 32", "github", ""));
    below("min_secret_bytes = 33", "github", "", "a secret of 32 bytes");
}

#[test]
fn what_may_be_monitored() {
    let policy = "may_monitor = [\"schema\"]";
    below(policy, "stripe", "monitor = [\"events\"]", "monitors events");
    below("may_monitor = []", "stripe", "monitor = [\"schema\"]", "monitors schema");
    fine(&under(policy, "stripe", "monitor = [\"schema\"]"));
    fine(&under("", "stripe", "monitor = [\"events\"]"));
    fine(&excepted("may_monitor", &under(policy, "stripe", "monitor = [\"events\"]")));
}

#[test]
fn exceptions_that_cannot_be() {
    let text = excepted("timestamp", &under("require_timestamp = true", "github", ""));
    fine(&text);
    found(&text.replace("2040", "2020"), Severity::Error, "has expired");
    found(&text.replace("exceptions.a]", "exceptions.aa]"), Severity::Error, "route");
    found(&text.replace("\"timestamp\"", "\"timestmap\""), Severity::Error, "timestmap");
}
