use std::sync::Mutex;

use tracing_subscriber::fmt::MakeWriter;

use super::*;
use crate::{
    clock::UnixMs,
    config::model::Check,
    telemetry::testing::{self, Captured},
};

fn telemetry() -> Telemetry {
    Telemetry::new(Clock::manual(UnixMs::from_secs(1_760_000_000)), None)
}

fn route(telemetry: &Telemetry) -> RouteTelemetry {
    telemetry.route(&"github".into(), &"github".into(), ["2026", "2025"], &[0xab; 32])
}

fn mismatch(record: &Record) -> (Code, Refusal) {
    let _unused = record;
    (Code::SignatureMismatch, Refusal::new(Code::SignatureMismatch, "no key \u{1b}[2Kmatches\n"))
}

#[test]
fn everything_is_counted_once() {
    let telemetry = telemetry();
    let route = route(&telemetry);
    let mut record = testing::record();
    record.key_id = Some("2026".into());
    record.upstream_us = Some(1500);
    let waived = Refusal::new(Code::SchemaViolation, "no");
    record.checks.waive(Check::Schema, waived);
    telemetry.clock.advance(Duration::from_millis(2));
    let conclusion = Conclusion {
        route: Some(&route),
        record: &record,
        code: Code::Forwarded,
        status: 200,
        refusal: None,
    };
    telemetry.conclude(&conclusion);
    telemetry.conclude(&Conclusion { route: None, code: Code::NoRoute, ..conclusion });
    let text = telemetry.metrics().text();
    for line in [
        r#"hookward_requests_total{route="github",decision="forwarded"} 1"#,
        r#"hookward_requests_total{route="",decision="no_route"} 1"#,
        r#"hookward_monitored_total{route="github",check="schema",decision="schema_violation"} 1"#,
        r#"hookward_request_seconds_sum{route="github"} 0.0005"#,
        r#"hookward_upstream_seconds_sum{route="github"} 0.0015"#,
        r#"hookward_key_used_total{route="github",key="2026"} 1"#,
        r#"hookward_key_used_total{route="github",key="2025"} 0"#,
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}

#[test]
fn a_key_that_only_old_captures_use_is_not_in_use() {
    let telemetry = telemetry();
    let route = route(&telemetry);
    let mut record = testing::record();
    record.key_id = Some("2026".into());
    telemetry.conclude(&Conclusion {
        route: Some(&route),
        record: &record,
        code: Code::TimestampExpired,
        status: 401,
        refusal: None,
    });
    let line = r#"hookward_key_used_total{route="github",key="2026"} 0"#;
    assert!(telemetry.metrics().text().contains(line));
}

#[test]
fn refusals_are_logged_once_a_second_and_only_without_an_audit_trail() {
    let telemetry = telemetry();
    let route = route(&telemetry);
    let record = testing::record();
    let (code, refusal) = mismatch(&record);
    let conclusion = Conclusion {
        route: Some(&route),
        record: &record,
        code,
        status: 401,
        refusal: Some(&refusal),
    };
    let captured = Captured::default();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(captured.clone())
        .without_time()
        .with_ansi(false)
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        for _ in 0..4 {
            telemetry.conclude(&conclusion);
        }
        telemetry.clock.advance(Duration::from_secs(1));
        telemetry.conclude(&conclusion);
        telemetry.conclude(&conclusion);
        telemetry.close(Duration::ZERO);
        telemetry.audit_to(Some(Box::new(std::io::sink()))).unwrap();
        telemetry.clock.advance(Duration::from_secs(1));
        telemetry.conclude(&conclusion);
    });
    insta::assert_snapshot!(captured.text(), @r#"
    WARN hookward::telemetry::conclude: refused route="github" code="signature_mismatch" status=401 source=192.0.2.7 request_id="req-1" detail="no key \u{1b}[2Kmatches\n"
    WARN hookward::telemetry::conclude: refused more of the same route="github" code="signature_mismatch" suppressed=3
    WARN hookward::telemetry::conclude: refused route="github" code="signature_mismatch" status=401 source=192.0.2.7 request_id="req-1" detail="no key \u{1b}[2Kmatches\n"
    WARN hookward::telemetry::conclude: refused more of the same route="github" code="signature_mismatch" suppressed=1
    "#);
}

#[test]
fn the_trail_has_a_line_for_every_decision_and_can_be_moved() {
    let telemetry = telemetry();
    telemetry.configured(&[0xcd; 32]);
    let route = route(&telemetry);
    let record = testing::record();
    let (first, second) = (Captured::default(), Captured::default());
    let conclusion = Conclusion {
        route: Some(&route),
        record: &record,
        code: Code::Forwarded,
        status: 200,
        refusal: None,
    };
    assert!(!telemetry.audits());
    telemetry.audit_to(Some(Box::new(first.make_writer()))).unwrap();
    assert!(telemetry.audits());
    telemetry.conclude(&conclusion);
    let before = telemetry.audit.load_full().unwrap();
    telemetry.audit_to(Some(Box::new(second.make_writer()))).unwrap();
    telemetry.conclude(&Conclusion { route: None, code: Code::NoRoute, status: 404, ..conclusion });
    assert!(AuditWriter::close(before, Duration::from_secs(20)));
    assert!(telemetry.close(Duration::from_secs(20)));
    let line = |captured: &Captured| -> serde_json::Value {
        let text = captured.text();
        assert_eq!(text.lines().count(), 1);
        serde_json::from_str(&text).unwrap()
    };
    assert_eq!(
        (&line(&first)["config"], &line(&first)["route"]),
        (&"abababababab".into(), &"github".into())
    );
    assert_eq!(
        (&line(&second)["config"], &line(&second)["route"]),
        (&"cdcdcdcdcdcd".into(), &serde_json::Value::Null)
    );
    assert!(!telemetry.audits());
}

#[test]
fn a_readable_line_cannot_act_on_the_terminal() {
    let telemetry = telemetry();
    let route = route(&telemetry);
    let record = testing::record();
    let (code, refusal) = mismatch(&record);
    let conclusion = Conclusion {
        route: Some(&route),
        record: &record,
        code,
        status: 401,
        refusal: Some(&refusal),
    };
    insta::assert_snapshot!(readable(&conclusion, Duration::from_micros(87)), @r"✗ github           401 signature_mismatch        87 µs  no key \u{1b}[2Kmatches\n");
}

#[test]
fn many_threads_lose_no_count() {
    let telemetry = telemetry();
    let route = route(&telemetry);
    let done = Mutex::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let record = testing::record();
                for _ in 0..500 {
                    telemetry.conclude(&Conclusion {
                        route: Some(&route),
                        record: &record,
                        code: Code::Forwarded,
                        status: 200,
                        refusal: None,
                    });
                }
                *done.lock().unwrap() += 500;
            });
        }
    });
    let line = r#"hookward_requests_total{route="github",decision="forwarded"} 4000"#;
    assert!(telemetry.metrics().text().contains(line));
}
