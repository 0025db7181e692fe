//! Records and events for tests, and a place to write to.

use std::{
    io::{self, Write},
    net::IpAddr,
    sync::{Arc, Mutex},
};

use tokio_util::task::TaskTracker;
use tracing_subscriber::fmt::MakeWriter;

use super::{
    Conclusion, Telemetry,
    audit::AuditEvent,
    conclude::{Identity, RouteTelemetry},
};
use crate::{
    clock::{Clock, UnixMs},
    config::model::Check,
    decision::{Code, Detail, Refusal},
    delivery::{NearMiss, Record, RequestId},
    gateway::{Shared, Surroundings},
    net::Remark,
};

pub(super) fn record() -> Record {
    let clock = Clock::manual(UnixMs(0));
    let telemetry = Arc::new(Telemetry::new(clock.clone(), None));
    let mut record =
        Record::new(Arc::new(Shared::new(Surroundings::new(clock, telemetry, TaskTracker::new()))));
    record.time = UnixMs(1_760_000_000_123);
    record.request_id = RequestId::accept(&http::HeaderValue::from_static("req-1")).unwrap();
    record.source = IpAddr::from([192, 0, 2, 7]);
    record.secure = true;
    record.concluded = true;
    record
}

fn route() -> RouteTelemetry {
    let telemetry = Telemetry::new(Clock::manual(UnixMs(0)), None);
    telemetry.route(&"stripe".into(), &"stripe".into(), ["2026"], &[0xab; 32])
}

fn event(record: &Record, code: Code, status: u16, refusal: Option<&Refusal>) -> AuditEvent {
    let route = route();
    let conclusion = Conclusion { route: Some(&route), record, code, status, refusal };
    AuditEvent::new(&conclusion, Arc::clone(route.identity()), 87)
}

/// A delivery that everything held of.
pub(super) fn forwarded() -> AuditEvent {
    let mut record = record();
    for check in [Check::Transport, Check::Source, Check::Signature, Check::Replay] {
        record.checks.pass(check);
    }
    record.key_id = Some("2026".into());
    record.event_id = Some("evt_1".into());
    record.event_type = Some("invoice.paid".into());
    record.bytes = 1024;
    record.body_sha256 = Some([0x5a; 32]);
    record.upstream_status = Some(204);
    record.upstream_us = Some(1500);
    event(&record, Code::Forwarded, 204, None)
}

/// A delivery that no key matches, of a route that only monitors sources.
pub(super) fn mismatch() -> AuditEvent {
    let mut record = record();
    let waived = Refusal::new(Code::SourceNotAllowed, "192.0.2.7 is on no list");
    let refusal = Refusal::new(Code::SignatureMismatch, Detail::None);
    let peer = IpAddr::from([10, 244, 1, 7]);
    record.remark = Some(Remark { peer, header: "X-Forwarded-For" });
    record.checks.pass(Check::Transport);
    record.checks.waive(Check::Source, waived);
    record.checks.fail(Check::Signature, refusal.clone());
    let found = || Some("the secret with its trailing newline matches".to_owned());
    record.near_miss = Some(NearMiss(Arc::new(found)));
    event(&record, Code::SignatureMismatch, 401, Some(&refusal))
}

/// What no route matches.
pub(super) fn no_route() -> AuditEvent {
    let record = record();
    let refusal = Refusal::new(Code::NoRoute, "no route for host hooks.example.com");
    let identity = Arc::new(Identity::default());
    let conclusion = Conclusion {
        route: None,
        record: &record,
        code: Code::NoRoute,
        status: 404,
        refusal: Some(&refusal),
    };
    AuditEvent::new(&conclusion, identity, 12)
}

/// Keeps what is written.
#[derive(Clone, Debug, Default)]
pub(super) struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    pub(super) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
