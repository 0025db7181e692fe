use std::thread;

use super::*;
use crate::upstream::{Upstream, stats};

/// An upstream in this process, which lives as long as the test binary.
fn upstream() -> SocketAddr {
    let upstream = Upstream::bind("127.0.0.1:0".parse().unwrap(), true).unwrap();
    let address = upstream.address();
    thread::spawn(move || upstream.run());
    address
}

fn plan(target: SocketAddr) -> Plan {
    Plan {
        target,
        watch: std::process::id(),
        connections: 4,
        reuse: Reuse::Always,
        rate: None,
        until: Until::Answers(500),
        first_id: 1,
        size: 1024,
        routes: 1,
        secret: 0,
        forged: false,
        certificate: None,
        hybrid: false,
    }
}

#[test]
fn what_is_sent_arrives_signed_and_once() {
    let target = upstream();
    let outcome = run(&plan(target)).unwrap();
    assert_eq!(outcome.statuses, BTreeMap::from([(200, 500)]));
    assert_eq!((outcome.answers, outcome.broken, outcome.opened), (500, 0, 4));
    let seen = stats(target).unwrap();
    assert_eq!((seen.requests, seen.bad_signatures, seen.repeats), (500, 0, 0));
}

#[test]
fn forged_and_repeated_ones_are_counted() {
    let target = upstream();
    run(&Plan { forged: true, ..plan(target) }).unwrap();
    run(&plan(target)).unwrap();
    let seen = stats(target).unwrap();
    assert_eq!((seen.requests, seen.bad_signatures, seen.repeats), (1_000, 500, 500));
}

#[test]
fn large_bodies_are_written_in_parts() {
    let target = upstream();
    let large = Plan { size: 4 << 20, until: Until::Answers(12), ..plan(target) };
    assert_eq!(run(&large).unwrap().statuses, BTreeMap::from([(200, 12)]));
    let seen = stats(target).unwrap();
    assert_eq!((seen.requests, seen.bad_signatures), (12, 0));
}

#[test]
fn each_request_may_have_its_own_connection() {
    let target = upstream();
    let each = Plan { reuse: Reuse::Never, until: Until::Answers(20), ..plan(target) };
    let outcome = run(&each).unwrap();
    assert_eq!((outcome.answers, outcome.broken), (20, 0));
    assert!(outcome.opened >= 20, "{}", outcome.opened);
}

#[test]
fn a_rate_is_kept_and_timed() {
    let target = upstream();
    let until = Until::Window { warmup_ms: 20, measured_ms: 200 };
    let outcome = run(&Plan { rate: Some(500), until, ..plan(target) }).unwrap();
    assert!((50..=110).contains(&outcome.answers), "{}", outcome.answers);
    let latency = outcome.latency.unwrap();
    assert!(latency.p50_us > 0.0 && latency.p50_us <= latency.p99_us);
}

#[test]
fn nobody_there_is_an_error() {
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert!(matches!(run(&plan(unused)), Err(LoadError::Io(_))));
}
