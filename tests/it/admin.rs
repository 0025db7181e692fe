//! The admin endpoints: what they tell, whom they answer, and that they change nothing.

use std::collections::BTreeSet;

use crate::support::{
    Act, Client, Gateway, Upstream, eventually, free_port, get, github, request, stripe,
};

const SECRET: &str = "a-secret-of-16-bytes-or-more";

fn gateway(upstream: &Upstream, probe: u16) -> Gateway {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("s.json"), r#"{"type":"array"}"#).unwrap();
    Gateway::start_in(
        dir,
        &format!(
            r#"
[admin]
listen = "127.0.0.1:0"
hosts = ["ops.internal"]
probes = ["127.0.0.1:{probe}"]
[routes.github]
path = "/github"
provider = "github"
secrets = [{{ value = "{SECRET}", id = "2026" }}]
monitor = ["schema"]
upstream = "{0}"
[routes.github.body]
schema = "s.json"
[routes.stripe]
path = "/stripe"
provider = "stripe"
secrets = [{{ value = "{SECRET}", id = "2026" }}]
upstream = "{0}"
"#,
            upstream.url("")
        ),
    )
}

#[test]
fn they_tell_and_change_nothing() {
    let upstream = Upstream::start();
    let probe = free_port();
    let gateway = gateway(&upstream, probe);
    let probe = ([127, 0, 0, 1], probe).into();
    for path in ["/healthz", "/readyz", "/metrics"] {
        for host in ["localhost", "127.0.0.1:9900", "[::1]", "ops.internal", "OPS.internal:1"] {
            assert_eq!(get(gateway.admin(), host, path).status, 200, "{host} {path}");
        }
        for host in ["evil.example", "127.0.0.1.evil.example", "", "10.0.0.1"] {
            assert_eq!(get(gateway.admin(), host, path).status, 403, "{host} {path}");
        }
        assert_eq!(get(probe, "10.1.2.3:9901", path).status, 200, "probes take any host");
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"] {
            let mut client = Client::connect(gateway.admin());
            client.write(
                format!(
                    "{method} {path} HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\nContent-Length: 0\r\n\r\n"
                )
                .as_bytes(),
            );
            let answer = client.read().unwrap();
            assert_eq!(answer.status, 405, "{method}");
            assert!(!answer.head.to_ascii_lowercase().contains("access-control"), "no CORS");
        }
    }
    for path in ["/", "/metrics/", "/reload", "/config", "/github"] {
        assert_eq!(get(gateway.admin(), "localhost", path).status, 404, "{path}");
        assert_eq!(get(probe, "localhost", path).status, 404, "{path}");
    }
    // The other way round, the admin paths are no routes.
    assert_eq!(gateway.send("GET", "/metrics", &[], b"").status, 404);
    let head = get(gateway.admin(), "localhost", "/metrics").head;
    assert!(head.contains("openmetrics"), "{head}");
}

#[test]
fn readiness_ends_with_the_drain_and_health_does_not() {
    let upstream = Upstream::start();
    upstream.next([Act::Gate]);
    let probe = free_port();
    let gateway = gateway(&upstream, probe);
    let (admin, probe) = (gateway.admin(), ([127, 0, 0, 1], probe).into());
    let mut client = gateway.connect();
    let signature = github(SECRET, b"{}");
    client.write(&request("POST", "/github", &[("X-Hub-Signature-256", &signature)], b"{}"));
    upstream.wait_for(1);
    let stopping = gateway.stop_elsewhere();
    eventually(|| get(admin, "localhost", "/readyz").status == 503);
    let ready = get(probe, "localhost", "/readyz");
    assert_eq!((ready.status, ready.text().as_str()), (503, "draining\n"));
    for address in [admin, probe] {
        assert_eq!(get(address, "localhost", "/healthz").status, 200);
        assert_eq!(get(address, "localhost", "/metrics").status, 200);
    }
    upstream.open_gate();
    assert_eq!(client.read().unwrap().status, 200);
    stopping.join().unwrap();
}

#[test]
fn every_metric_of_the_contract_is_there() {
    let upstream = Upstream::start();
    let gateway = gateway(&upstream, free_port());
    let signature = github(SECRET, b"{}");
    let headers = [("X-Hub-Signature-256", signature.as_str()), ("X-GitHub-Event", "<forged>")];
    assert_eq!(gateway.post("/github", &headers, b"{}").status, 200);
    assert_eq!(gateway.post("/github", &headers, b"{}").status, 409);
    assert_eq!(gateway.post("/github", &headers, b"[]").status, 401);
    let now = gateway.clock.unix().secs();
    let signature = stripe(SECRET, now, br#"{"id":"evt_forged"}"#);
    let headers = [("Stripe-Signature", signature.as_str())];
    assert_eq!(gateway.post("/stripe", &headers, br#"{"id":"evt_forged"}"#).status, 200);
    assert_eq!(gateway.post("/nowhere-forged", &[], b"").status, 404);
    assert_eq!(gateway.send("FORGED", "/github", &[("Host", "forged")], b"").status, 400);
    assert!(!gateway.reload("forged = 1\n"));
    let text = gateway.metrics();
    for line in [
        r#"hookward_requests_total{route="github",decision="forwarded"} 1"#,
        r#"hookward_requests_total{route="github",decision="replayed"} 1"#,
        r#"hookward_requests_total{route="github",decision="signature_mismatch"} 1"#,
        r#"hookward_requests_total{route="",decision="no_route"} 1"#,
        r#"hookward_requests_total{route="",decision="bad_request"} 1"#,
        r#"hookward_request_seconds_count{route="github"} 3"#,
        r#"hookward_upstream_seconds_count{route="github"} 1"#,
        r#"hookward_monitored_total{route="github",check="schema",decision="schema_violation"} 1"#,
        r#"hookward_replay_entries{route="github"} 1"#,
        r#"hookward_replay_entries{route="stripe"}"#,
        r#"hookward_replay_capacity{route="github"} 500000"#,
        r#"hookward_replay_evictions_total{route="github"} 0"#,
        "hookward_body_memory_bytes 0",
        "hookward_connections ",
        r#"hookward_config_reloads_total{result="success"} 0"#,
        r#"hookward_config_reloads_total{result="failure"} 1"#,
        "hookward_config_last_reload_success 0",
        r#"hookward_key_used_total{route="github",key="2026"}"#,
        &format!(r#"hookward_key_last_used_timestamp_seconds{{route="github",key="2026"}} {now}"#),
        "hookward_audit_dropped_total 0",
    ] {
        assert!(text.lines().any(|there| there.starts_with(line)), "{line}\n{text}");
    }
    // Nothing that a sender wrote is anywhere in it, and labels are those of the contract.
    assert!(!text.contains("forged"), "{text}");
    let labels: BTreeSet<_> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('{')?.1.split_once('}'))
        .flat_map(|(labels, _)| labels.split(','))
        .filter_map(|label| label.split_once('='))
        .map(|(name, _)| name)
        .collect();
    let contract = ["check", "decision", "key", "le", "result", "route"];
    assert!(labels.iter().all(|label| contract.contains(label)), "{labels:?}");
    assert!(text.ends_with("# EOF\n"));
}
