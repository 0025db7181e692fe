use std::time::Duration;

use super::*;
use crate::{
    clock::{Clock, UnixMs},
    config::model::Check,
    decision::Code,
    fetch::{Fetching, Resolver},
    replay::{Claimed, ContentClaim, Duplicates, Registry},
};

fn replay() -> Arc<Registry> {
    let registry = Arc::new(Registry::new());
    let day = Duration::from_secs(86_400);
    let settings = crate::config::model::Replay {
        window: day,
        max_entries: 500,
        on_full: crate::config::model::OnFull::Evict,
        on_error: crate::config::model::OnError::Reject,
        on_replay: crate::config::model::OnReplay::Reject,
        on_duplicate: crate::config::model::OnDuplicate::Acknowledge,
        commit_on: crate::config::model::StatusSet::parse(["2xx"]).unwrap(),
    };
    let store = registry.route("github", &settings);
    let claimed = Claimed {
        content: Some(ContentClaim { key: 1, body: None, lifetime: day }),
        ids: &[],
        id_body: None,
        duplicates: Duplicates::Tell,
        window: day,
    };
    store.reserve(&claimed, day, Duration::ZERO).unwrap().commit(Duration::ZERO);
    registry
}

fn gauges() -> Gauges {
    Gauges {
        replay: replay(),
        fetching: Fetching::new(Clock::manual(UnixMs(0)), Resolver::system()),
        connections: Box::new(|| 3),
        body_memory_bytes: Box::new(|| 4096),
        http2_errors: Box::new(|| 2),
    }
}

#[test]
fn alert_rules_name_metrics_that_exist() {
    let metrics = Metrics::new();
    metrics.read_from(gauges());
    let text = metrics.text();
    let names: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = include_str!("../../../docs/alerts.yml").split(|c| !is_name(c));
    let mut found = 0;
    for word in words.filter(|word| word.starts_with("hookward_")) {
        let base = word.strip_suffix("_total").unwrap_or(word);
        let of = |kind: &str| names.contains(&format!("{base} {kind}").as_str());
        assert!(if base == word { of("gauge") } else { of("counter") }, "{word}");
        found += 1;
    }
    assert!(found >= 5, "{found}");
}

#[test]
fn the_text_has_exactly_the_documented_names() {
    let metrics = Metrics::new();
    metrics.read_from(gauges());
    metrics.unrouted().decided(Code::NoRoute);
    let route = metrics.route("github");
    route.decided(Code::SignatureMismatch);
    route.would_have(Check::Schema, Code::SchemaViolation);
    route.took(Duration::from_micros(40), Some(Duration::from_millis(3)));
    route.key("2026").use_at(UnixMs::from_secs(1_760_000_000));
    route.key("2025");
    metrics.reloaded(true);
    metrics.reloaded(false);
    let text = metrics.text();
    let names = |line: &str| line.strip_prefix("# TYPE ").map(str::to_owned);
    insta::assert_snapshot!(text.lines().filter_map(names).collect::<Vec<_>>().join("\n"), @r"
    hookward_requests counter
    hookward_request_seconds histogram
    hookward_upstream_seconds histogram
    hookward_monitored counter
    hookward_key_used counter
    hookward_key_last_used_timestamp_seconds gauge
    hookward_replay_entries gauge
    hookward_replay_capacity gauge
    hookward_replay_evictions counter
    hookward_ip_list_entries gauge
    hookward_ip_list_age_seconds gauge
    hookward_ip_list_last_refresh_success gauge
    hookward_keys_entries gauge
    hookward_keys_age_seconds gauge
    hookward_keys_last_refresh_success gauge
    hookward_body_memory_bytes gauge
    hookward_connections gauge
    hookward_config_reloads counter
    hookward_config_last_reload_success gauge
    hookward_audit_dropped counter
    ");
    let interesting = |line: &&str| !line.starts_with('#') && !line.contains("_bucket");
    insta::assert_snapshot!(text.lines().filter(interesting).collect::<Vec<_>>().join("\n"), @r#"
    hookward_requests_total{route="",decision="bad_request"} 2
    hookward_requests_total{route="",decision="no_route"} 1
    hookward_requests_total{route="github",decision="forwarded"} 0
    hookward_requests_total{route="github",decision="signature_mismatch"} 1
    hookward_request_seconds_sum{route="github"} 0.00004
    hookward_request_seconds_count{route="github"} 1
    hookward_upstream_seconds_sum{route="github"} 0.003
    hookward_upstream_seconds_count{route="github"} 1
    hookward_monitored_total{route="github",check="schema",decision="schema_violation"} 1
    hookward_key_used_total{route="github",key="2025"} 0
    hookward_key_used_total{route="github",key="2026"} 1
    hookward_key_last_used_timestamp_seconds{route="github",key="2026"} 1760000000
    hookward_replay_entries{route="github"} 1
    hookward_replay_capacity{route="github"} 500
    hookward_replay_evictions_total{route="github"} 0
    hookward_body_memory_bytes 4096
    hookward_connections 3
    hookward_config_reloads_total{result="success"} 1
    hookward_config_reloads_total{result="failure"} 1
    hookward_config_last_reload_success 0
    hookward_audit_dropped_total 0
    "#);
    let bucket = r#"hookward_request_seconds_bucket{le="0.00005",route="github"} 1"#;
    assert!(text.contains(bucket), "{text}");
}

#[test]
fn a_route_survives_and_leaves() {
    let metrics = Metrics::new();
    metrics.route("a").decided(Code::Replayed);
    metrics.route("a").decided(Code::Replayed);
    let line = r#"hookward_requests_total{route="a",decision="replayed"} 2"#;
    assert!(metrics.text().contains(line));
    metrics.retain(|name| name != "a");
    assert!(!metrics.text().contains(r#"route="a""#));
}

#[test]
fn names_of_a_configuration_cannot_break_the_text() {
    let metrics = Metrics::new();
    metrics.route("a\"\n} 1\nx{y=\"").decided(Code::Forwarded);
    assert!(!metrics.text().contains("\nx{"));
}

#[test]
fn codes_and_checks_are_numbered_as_they_are_listed() {
    assert!(Code::ALL.iter().enumerate().all(|(n, code)| *code as usize == n));
    assert!(Check::ALL.iter().enumerate().all(|(n, check)| *check as usize == n));
}

#[test]
fn keys_are_bounded() {
    let metrics = Metrics::new();
    for n in 0..2000 {
        metrics.route("a").key(&n.to_string());
    }
    assert!(metrics.route("a").read_keys().len() <= 257);
}

#[test]
fn a_flood_is_one_line_a_second() {
    let metrics = Metrics::new();
    let route = metrics.route("a");
    let at = Duration::from_millis;
    let refusals = route.refusals();
    assert_eq!(refusals.admit(Code::NoRoute, at(0)), Some(0));
    assert_eq!(refusals.admit(Code::Replayed, at(1)), Some(0));
    for _ in 0..5 {
        assert_eq!(refusals.admit(Code::NoRoute, at(999)), None);
    }
    assert_eq!(refusals.overdue(at(999)).count(), 0);
    assert_eq!(refusals.admit(Code::NoRoute, at(1000)), Some(5));
    assert_eq!(refusals.admit(Code::NoRoute, at(1001)), None);
    assert_eq!(refusals.overdue(at(2000)).collect::<Vec<_>>(), [(Code::NoRoute, 1)]);
    assert_eq!(refusals.overdue(at(3000)).count(), 0);
}
