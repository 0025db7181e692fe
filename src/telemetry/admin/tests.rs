use super::*;
use crate::clock::{Clock, UnixMs};

fn admin(guarded: bool) -> (Admin, Arc<Readiness>) {
    let telemetry = Arc::new(Telemetry::new(Clock::manual(UnixMs(0)), None));
    let readiness = Arc::new(Readiness::default());
    let admin = if guarded {
        Admin::guarded(telemetry, Arc::clone(&readiness), ["Ops.Internal".to_owned()])
    } else {
        Admin::probes(telemetry, Arc::clone(&readiness))
    };
    (admin, readiness)
}

fn status(admin: &Admin, method: &str, path: &str, host: &str) -> u16 {
    let request = Request::builder().method(method).uri(path).header("host", host).body(());
    let response = admin.answer(&request.unwrap());
    assert!(response.headers().keys().all(|name| !name.as_str().starts_with("access-control")));
    response.status().as_u16()
}

#[test]
fn readiness_follows_the_state_and_health_does_not() {
    let (admin, readiness) = admin(true);
    for (state, ready) in [(None, 503), (Some(State::Ready), 200), (Some(State::Draining), 503)] {
        if let Some(state) = state {
            readiness.set(state);
        }
        assert_eq!(status(&admin, "GET", "/readyz", "localhost"), ready, "{state:?}");
        assert_eq!(status(&admin, "HEAD", "/healthz", "localhost"), 200);
        assert_eq!(status(&admin, "GET", "/metrics", "ops.internal"), 200);
    }
}

#[test]
fn nothing_else_is_there_and_nothing_can_be_changed() {
    let (admin, _) = admin(true);
    for path in ["/", "/healthz/", "/metrics/x", "//metrics", "/config"] {
        assert_eq!(status(&admin, "GET", path, "localhost"), 404, "{path}");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"] {
        assert_eq!(status(&admin, method, "/metrics", "localhost"), 405, "{method}");
    }
}

#[test]
fn a_rebound_name_learns_nothing_from_admin_but_probes_take_any() {
    let (guarded, _) = admin(true);
    let (probes, _) = admin(false);
    for path in ["/metrics", "/healthz", "/nothing"] {
        assert_eq!(status(&guarded, "GET", path, "evil.example"), 403);
    }
    assert_eq!(status(&probes, "GET", "/metrics", "10.0.0.7:9901"), 200);
}

#[test]
fn metrics_say_what_they_are() {
    let (admin, _) = admin(true);
    let request = Request::builder().uri("/metrics").header("host", "localhost").body(()).unwrap();
    let response = admin.answer(&request);
    assert_eq!(response.headers()["content-type"], OPEN_METRICS);
    assert_eq!(response.headers()["cache-control"], "no-store");
}
