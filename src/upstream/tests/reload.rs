//! What a reload keeps, and what it refuses.

use std::time::Duration;

use http::HeaderValue;

use super::{receiver::Receiver, *};

#[tokio::test]
async fn connections_outlive_a_reload_that_does_not_touch_them() {
    let receiver = Receiver::answering("fine").await;
    let mut settings = settings(&[&receiver.url("/a")]);
    let origins = Origins::default();
    let mut upstream = rebuild(&settings, &origins, None);
    delivered(&upstream, b"{}").await;
    // None of these is about the connection.
    settings.timeout = Duration::from_secs(9);
    settings.headers = vec![(http::header::COOKIE, HeaderValue::from_static("x"))];
    settings.targets = vec![Target::Url(parse_url(&receiver.url("/b")).unwrap())];
    settings.ca_pem = Some(b"of no use to a plain connection".to_vec());
    upstream = rebuild(&settings, &origins, Some(&upstream));
    delivered(&upstream, b"{}").await;
    assert_eq!(receiver.connections(), 1);
    assert!(receiver.requests()[1].starts_with("POST /b?b=c "));
    // This one is.
    settings.idle_timeout = Duration::from_secs(1);
    upstream = rebuild(&settings, &origins, Some(&upstream));
    delivered(&upstream, b"{}").await;
    assert_eq!(receiver.connections(), 2);
}

#[tokio::test]
async fn what_is_known_of_health_outlives_a_reload_only_with_the_same_check() {
    let mut settings = settings(&["http://127.0.0.1:1"]);
    settings.health =
        Some(model::Health { path: "/h".to_owned(), interval: Duration::from_secs(5) });
    let origins = Origins::default();
    let first = rebuild(&settings, &origins, None);
    let same = rebuild(&settings, &origins, Some(&first));
    assert!(std::sync::Arc::ptr_eq(&first.places[0].vitals, &same.places[0].vitals));
    settings.health = None;
    let other = rebuild(&settings, &origins, Some(&first));
    assert!(!std::sync::Arc::ptr_eq(&first.places[0].vitals, &other.places[0].vitals));
}

#[tokio::test]
async fn routes_to_one_address_share_its_connections() {
    let receiver = Receiver::answering("fine").await;
    let origins = Origins::default();
    let mut upstreams = Vec::new();
    for path in ["/a", "/b", "/c"] {
        upstreams.push(rebuild(&settings(&[&receiver.url(path)]), &origins, None));
        delivered(&upstreams[upstreams.len() - 1], b"{}").await;
    }
    assert_eq!((receiver.connections(), receiver.requests().len()), (1, 3));
    drop(upstreams);
    // Nothing is kept of an origin that nobody uses.
    delivered(&rebuild(&settings(&[&receiver.url("/a")]), &origins, None), b"{}").await;
    assert_eq!(receiver.connections(), 2);
}

fn error(settings: &model::Upstream) -> BuildError {
    try_build(settings, &Origins::default(), None).unwrap_err()
}

#[test]
fn what_cannot_run_is_refused() {
    assert_eq!(error(&settings(&[])), BuildError::NoTarget);
    assert_eq!(error(&settings(&["http://user:secret@h/"])), BuildError::UserInfo);
    let mut private = settings(&["https://h/"]);
    private.ca_pem = Some(b"no certificate".to_vec());
    assert!(matches!(error(&private), BuildError::Authorities(_)));
    for path in ["", "healthz", "http://h/healthz", "/a b"] {
        let mut checked = settings(&["http://h/"]);
        let interval = Duration::from_secs(5);
        checked.health = Some(model::Health { path: path.to_owned(), interval });
        assert_eq!(error(&checked), BuildError::HealthPath, "{path}");
    }
}

#[test]
fn nothing_secret_is_shown() {
    let mut settings = settings(&["http://h:81/token"]);
    settings.headers = vec![(http::header::AUTHORIZATION, HeaderValue::from_static("Bearer x"))];
    assert_eq!(format!("{:?}", build(&settings)), "Upstream { places: [h:81], .. }");
}

#[tokio::test]
async fn absurd_times_are_harmless() {
    let receiver = Receiver::answering("fine").await;
    let mut settings = settings(&[&receiver.url("")]);
    (settings.timeout, settings.connect_timeout) = (Duration::MAX, Duration::MAX);
    settings.idle_timeout = Duration::MAX;
    for interval in [Duration::ZERO, Duration::MAX] {
        settings.health = Some(model::Health { path: "/".to_owned(), interval });
        let upstream = build(&settings);
        upstream.spawn_health(&tokio::runtime::Handle::current());
        for _ in 0..2 {
            assert_eq!(delivered(&upstream, b"{}").await.1, "fine");
        }
    }
    settings.idle_timeout = Duration::ZERO;
    let upstream = build(&settings);
    for _ in 0..2 {
        assert_eq!(delivered(&upstream, b"{}").await.1, "fine");
        settle().await;
    }
}
