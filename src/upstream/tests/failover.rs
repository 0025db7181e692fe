//! Several receivers: order, failover, health.

use std::time::Duration;

use tokio::runtime::Handle;

use super::{
    super::health::Standing,
    receiver::{Act, Receiver, write},
    *,
};

fn checked(urls: &[&str]) -> model::Upstream {
    let health =
        model::Health { path: "/healthz?full".to_owned(), interval: Duration::from_secs(5) };
    model::Upstream { health: Some(health), ..settings(urls) }
}

#[tokio::test]
async fn the_first_receiver_is_preferred() {
    let (one, two) = (Receiver::answering("1").await, Receiver::answering("2").await);
    let upstream = build(&settings(&[&one.url(""), &two.url("")]));
    for _ in 0..3 {
        assert_eq!(delivered(&upstream, b"{}").await.1, "1");
    }
    assert_eq!(two.connections(), 0);
}

#[tokio::test]
async fn one_that_cannot_be_reached_is_passed_over() {
    let two = Receiver::answering("2").await;
    let upstream = build(&settings(&[&closed_port().await, &two.url("/second")]));
    assert_eq!(delivered(&upstream, b"{}").await.1, "2");
    // Path and host are those of the receiver that took it.
    let seen = two.requests().remove(0);
    assert!(seen.starts_with("POST /second?b=c HTTP/1.1\r\n"), "{seen}");
    assert!(seen.contains(&format!("\r\nhost: {}\r\n", two.address)), "{seen}");
    assert_eq!(seen.matches("host: ").count(), 2, "host and x-forwarded-host: {seen}");
}

#[tokio::test(start_paused = true)]
async fn one_that_could_not_be_reached_rests_and_is_asked_again() {
    let two = Receiver::answering("2").await;
    let upstream = build(&settings(&[&closed_port().await, &two.url("")]));
    assert_eq!(delivered(&upstream, b"{}").await.1, "2");
    let standing =
        |upstream: &Upstream| upstream.places[0].vitals.standing(tokio::time::Instant::now());
    assert_eq!(standing(&upstream), Standing::Resting);
    tokio::time::advance(Duration::from_millis(5100)).await;
    assert_eq!(standing(&upstream), Standing::Ready);
}

#[tokio::test]
async fn when_none_can_be_reached_it_says_so() {
    let upstream = build(&settings(&[&closed_port().await, &closed_port().await]));
    for _ in 0..2 {
        assert_eq!(refused(&upstream).await, Code::UpstreamUnreachable);
    }
}

#[tokio::test]
async fn an_answer_is_an_answer_whatever_it_says() {
    let one =
        Receiver::start([vec![Act::Read, write("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")]])
            .await;
    let two = Receiver::answering("2").await;
    let upstream = build(&settings(&[&one.url(""), &two.url("")]));
    assert_eq!(delivered(&upstream, b"{}").await.0, 503);
    assert_eq!(two.connections(), 0);
}

/// A receiver whose health checks get these statuses, one after the other; the last for ever.
async fn sick(statuses: &[u16]) -> Receiver {
    let answer = |status: &u16| {
        vec![Act::Read, write(&format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n"))]
    };
    Receiver::start(statuses.iter().map(answer).collect::<Vec<_>>()).await
}

#[tokio::test(start_paused = true)]
async fn two_failed_checks_exclude_and_one_good_one_brings_back() {
    let one = sick(&[200, 500, 302, 404, 500, 500, 200]).await;
    let two = Receiver::answering("2").await;
    let upstream = build(&checked(&[&one.url("/in"), &two.url("")]));
    upstream.spawn_health(&Handle::current());
    upstream.spawn_health(&Handle::current());
    let mut standings = Vec::new();
    for checks in 1..=7 {
        while one.connections() < checks {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        standings.push(upstream.order(tokio::time::Instant::now()).len());
    }
    assert_eq!(standings, [2, 2, 2, 2, 1, 1, 2]);
    let seen = one.requests();
    assert!(
        seen.iter().all(|check| check.starts_with("GET /healthz?full HTTP/1.1\r\n")),
        "{seen:?}"
    );
    assert_eq!(seen.len(), 7);
}

#[tokio::test(start_paused = true)]
async fn when_all_fail_their_checks_nothing_is_sent() {
    let one = sick(&[500]).await;
    let stalled = Receiver::start([vec![Act::Stall]]).await;
    let upstream = build(&checked(&[&one.url(""), &stalled.url(""), &closed_port().await]));
    upstream.spawn_health(&Handle::current());
    tokio::time::sleep(Duration::from_secs(20)).await;
    let before = (one.requests().len(), stalled.connections());
    let refusal = send(&upstream, b"{}").await.unwrap_err();
    assert_eq!((refusal.code, refusal.retry_after_secs), (Code::UpstreamUnhealthy, Some(5)));
    assert_eq!((one.requests().len(), stalled.connections()), before);
}

#[tokio::test(start_paused = true)]
async fn health_checks_end_with_their_upstream() {
    let one = Receiver::answering("").await;
    let upstream = build(&checked(&[&one.url("")]));
    upstream.spawn_health(&Handle::current());
    tokio::time::sleep(Duration::from_secs(12)).await;
    let before = one.connections();
    assert!((2..=4).contains(&before), "{before}");
    drop(upstream);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(one.connections(), before);
}

#[tokio::test]
async fn a_receiver_is_believed_in_before_its_first_check() {
    let one = Receiver::answering("1").await;
    let upstream = build(&checked(&[&one.url("")]));
    upstream.spawn_health(&Handle::current());
    assert_eq!(delivered(&upstream, b"{}").await.1, "1");
}
