//! I9 and I11: a reload is whole or nothing, and what was counted and seen stays.

use crate::support::{Act, Gateway, Upstream, github, logs, request};

const OLD: &str = "the-old-secret-of-16-bytes-or-more";
const NEW: &str = "the-new-secret-of-16-bytes-or-more";

fn config(upstream: &Upstream, secrets: &str, more: &str) -> String {
    format!(
        r#"
[server]
listen = ["127.0.0.1:0"]
answers = "codes"
[admin]
listen = "127.0.0.1:0"
[log]
audit = "audit.jsonl"
[routes.github]
path = "/github"
provider = "github"
secrets = [{secrets}]
upstream = "{}"
{more}
"#,
        upstream.url("")
    )
}

const OLD_FILE: &str = "{ file = \"old.txt\" }";
const NEW_FILE: &str = "{ file = \"new.txt\", id = \"2026\" }";

fn gateway(upstream: &Upstream, secrets: &str, more: &str) -> Gateway {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("old.txt"), format!("{OLD}\n")).unwrap();
    std::fs::write(dir.path().join("new.txt"), format!("{NEW}\r\n")).unwrap();
    Gateway::start_in(dir, &config(upstream, secrets, more))
}

fn post(gateway: &Gateway, secret: &str, body: &str) -> (u16, String) {
    let signature = github(secret, body.as_bytes());
    let answer = gateway.post("/github", &[("X-Hub-Signature-256", &signature)], body.as_bytes());
    let refused = answer.header("content-type") == Some("application/problem+json");
    (answer.status, if refused { answer.code() } else { answer.text() })
}

const OK: fn() -> (u16, String) = || (200, "ok".to_owned());
const MISMATCH: fn() -> (u16, String) = || (401, "signature_mismatch".to_owned());

#[test]
fn secrets_are_rotated_without_a_gap() {
    let upstream = Upstream::start();
    let mut gateway = gateway(&upstream, OLD_FILE, "");
    assert_eq!(post(&gateway, OLD, "1"), OK());
    assert_eq!(upstream.last().header("hookward-key-id"), Some("old"), "the file's stem");
    assert_eq!(post(&gateway, NEW, "2"), MISMATCH());

    assert!(gateway.reload(&config(&upstream, &format!("{OLD_FILE}, {NEW_FILE}"), "")));
    assert_eq!(post(&gateway, OLD, "3"), OK());
    assert_eq!(post(&gateway, NEW, "4"), OK());
    assert_eq!(upstream.last().header("hookward-key-id"), Some("2026"));
    // The other key's signature does not make old bytes new.
    assert_eq!(post(&gateway, NEW, "3"), (409, "replayed".to_owned()));

    assert!(gateway.reload(&config(&upstream, NEW_FILE, "")));
    assert_eq!(post(&gateway, OLD, "5"), MISMATCH());
    assert_eq!(post(&gateway, NEW, "6"), OK());
    assert_eq!(post(&gateway, NEW, "1"), (409, "replayed".to_owned()));
    assert_eq!(upstream.count(), 4);
    let metrics = gateway.metrics();
    assert!(
        metrics.contains(r#"hookward_key_used_total{route="github",key="2026"} "#),
        "{metrics}"
    );
    let lines = gateway.audit("audit.jsonl");
    // Around a reload, lines may stand in another order.
    let mut keys: Vec<_> = lines.iter().map(|line| line["key_id"].as_str()).collect();
    keys.sort_unstable();
    let (old, new) = (Some("old"), Some("2026"));
    assert_eq!(keys, [None, None, new, new, new, new, old, old]);
    let configs: std::collections::BTreeSet<_> =
        lines.iter().map(|line| line["config"].as_str().unwrap()).collect();
    assert_eq!(configs.len(), 3, "each line says which configuration judged");
}

#[test]
fn the_same_file_with_another_secret_is_another_secret() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, OLD_FILE, "");
    std::fs::write(gateway.dir.path().join("old.txt"), NEW).unwrap();
    assert_eq!(post(&gateway, NEW, "1"), MISMATCH(), "not before the reload");
    assert!(gateway.reload(&config(&upstream, OLD_FILE, "")));
    assert_eq!(post(&gateway, OLD, "2"), MISMATCH());
    assert_eq!(post(&gateway, NEW, "3"), OK());
}

#[test]
fn an_expired_secret_verifies_nothing_without_any_reload() {
    let upstream = Upstream::start();
    let old = "{ file = \"old.txt\", expires = 2025-10-10T00:00:00Z }";
    let gateway = gateway(&upstream, &format!("{old}, {NEW_FILE}"), "");
    assert_eq!(post(&gateway, OLD, "1"), OK());
    gateway.clock.advance(std::time::Duration::from_secs(24 * 3600));
    assert_eq!(post(&gateway, OLD, "2"), MISMATCH());
    assert_eq!(post(&gateway, NEW, "3"), OK());
    assert!(gateway.reload(&config(&upstream, &format!("{old}, {NEW_FILE}"), "")));
    assert_eq!(post(&gateway, OLD, "4"), MISMATCH());
}

#[test]
fn a_bad_configuration_changes_nothing_and_is_counted() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, OLD_FILE, "");
    assert_eq!(post(&gateway, OLD, "1"), OK());
    let good = config(&upstream, NEW_FILE, "");
    let bad = [
        "[server".to_owned(),
        String::new(),
        good.replace("provider = \"github\"", "provider = \"githb\""),
        good.replace("new.txt", "nowhere.txt"),
        good.replace("upstream = \"http://", "upstream = \"ftp://"),
        format!("{good}\n[policy]\nrequire_timestamp = true\n"),
        format!("{good}\n[policy]\nrequire_https = true\n"),
        good.replace("audit.jsonl", "no/such/directory/audit.jsonl"),
        good.replace("[log]", "[[server.tls]]\ncertificate = \"a\"\nprivate_key = \"b\"\n[log]"),
    ];
    for (count, bad) in bad.iter().enumerate() {
        assert!(!gateway.reload(bad), "{bad}");
        let metrics = gateway.metrics();
        let counted =
            format!("hookward_config_reloads_total{{result=\"failure\"}} {}\n", count + 1);
        assert!(metrics.contains(&counted), "{metrics}");
        assert!(metrics.contains("hookward_config_last_reload_success 0\n"));
        assert_eq!(post(&gateway, OLD, &format!("after {count}")), OK());
        assert_eq!(post(&gateway, NEW, "new"), MISMATCH());
        assert_eq!(post(&gateway, OLD, "1"), (409, "replayed".to_owned()));
    }
    assert!(gateway.reload(&good));
    let metrics = gateway.metrics();
    assert!(metrics.contains("hookward_config_reloads_total{result=\"success\"} 1\n"), "{metrics}");
    assert!(metrics.contains("hookward_config_last_reload_success 1\n"), "{metrics}");
    assert_eq!(post(&gateway, NEW, "new"), OK());
}

#[test]
fn budgets_survive() {
    let upstream = Upstream::start();
    let limits = "[routes.github.rate_limit]\nper_source = { rate = \"2/1h\", burst = 2 }\nper_route = { rate = \"100/1h\", burst = 100 }\n";
    let gateway = gateway(&upstream, OLD_FILE, limits);
    assert_eq!(post(&gateway, OLD, "1"), OK());
    assert!(gateway.reload(&config(&upstream, NEW_FILE, limits)));
    assert_eq!(post(&gateway, NEW, "2"), OK());
    assert!(gateway.reload(&config(&upstream, OLD_FILE, limits)));
    assert_eq!(post(&gateway, OLD, "3"), (429, "rate_limited".to_owned()));
    // A setting that changed is in force at once.
    let more = limits.replace("2/1h\", burst = 2", "50/1h\", burst = 50");
    assert!(gateway.reload(&config(&upstream, OLD_FILE, &more)));
    assert_eq!(post(&gateway, OLD, "3"), OK());
}

#[test]
fn what_is_in_flight_keeps_its_route() {
    let (upstream, other) = (Upstream::start(), Upstream::start());
    let gateway = gateway(&upstream, OLD_FILE, "");
    upstream.next([Act::Gate]);
    let mut client = gateway.connect();
    let signature = github(OLD, b"slow");
    client.write(&request("POST", "/github", &[("X-Hub-Signature-256", &signature)], b"slow"));
    upstream.wait_for(1);
    assert!(gateway.reload(&config(&other, NEW_FILE, "")));
    assert_eq!(post(&gateway, NEW, "new"), OK());
    assert_eq!(other.count(), 1);
    assert_eq!(post(&gateway, NEW, "slow"), (503, "in_flight".to_owned()));
    upstream.open_gate();
    let answer = client.read().unwrap();
    assert_eq!((answer.status, answer.text().as_str()), (200, "gated"));
    // Its outcome is known under the new configuration too.
    assert_eq!(post(&gateway, NEW, "slow"), (409, "replayed".to_owned()));
    assert_eq!((upstream.count(), other.count()), (1, 1));
}

#[test]
fn a_route_that_is_gone_is_gone_and_remembers_when_it_comes_back() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, OLD_FILE, "");
    assert_eq!(post(&gateway, OLD, "1"), OK());
    let renamed = config(&upstream, OLD_FILE, "")
        .replace("[routes.github]\npath = \"/github\"", "[routes.other]\npath = \"/other\"");
    assert!(gateway.reload(&renamed));
    assert_eq!(post(&gateway, OLD, "2"), (404, "no_route".to_owned()));
    let metrics = gateway.metrics();
    assert!(!metrics.contains("hookward_requests_total{route=\"github\""), "{metrics}");
    assert!(metrics.contains("hookward_requests_total{route=\"other\""), "{metrics}");
    assert!(gateway.reload(&config(&upstream, OLD_FILE, "")));
    assert_eq!(post(&gateway, OLD, "1"), (409, "replayed".to_owned()));
    assert_eq!(post(&gateway, OLD, "2"), OK());
}

#[test]
fn what_takes_a_restart_is_warned_about() {
    logs();
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, OLD_FILE, "");
    let elsewhere = config(&upstream, NEW_FILE, "").replace("127.0.0.1:0\"]", "127.0.0.2:0\"]");
    assert!(gateway.reload(&elsewhere));
    assert!(logs().contains("server.listen changed; it takes a restart"), "{}", logs());
    assert_eq!(post(&gateway, NEW, "1"), OK(), "the rest is in force");
}

#[test]
fn logs_hold_no_secret() {
    logs();
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, &format!("{{ value = \"{OLD}\" }}"), "");
    post(&gateway, OLD, "1");
    post(&gateway, NEW, "2");
    assert!(!gateway.reload(&config(
        &upstream,
        &format!("{{ value = \"{NEW}\", idd = \"x\" }}"),
        ""
    )));
    assert!(!gateway.reload(&config(&upstream, &format!("\"{NEW}\""), "")));
    assert!(!gateway.reload(&config(&upstream, &format!("{{ value = {NEW} }}"), "")));
    let logs = logs();
    assert!(logs.contains("was not reloaded"), "{logs}");
    assert!(!logs.contains(OLD) && !logs.contains(NEW), "{logs}");
}
