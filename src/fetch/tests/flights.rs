//! Who fetches when many want the same, and after a failure.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::Semaphore;

use super::{
    eventually,
    server::{Act, Server, answer, bytes, target},
};
use crate::{fetch::FetchError, net::Target};

#[tokio::test]
async fn a_hundred_who_want_the_same_ask_once() {
    let gate = Arc::new(Semaphore::new(0));
    let good = bytes("200 OK", "", "{}");
    let server = Server::start("keys.example", Act::Wait(Arc::clone(&gate), good)).await;
    let (fetcher, _) = server.fetcher(&server.config());
    let taken = Arc::new(AtomicUsize::new(0));
    let mut waiting = Vec::new();
    for _ in 0..100 {
        let (fetcher, taken) = (Arc::clone(&fetcher), Arc::clone(&taken));
        waiting.push(tokio::spawn(async move {
            let has = Arc::clone(&taken);
            let take = move |_: &_| {
                taken.fetch_add(1, Ordering::SeqCst);
                Ok(())
            };
            fetcher.obtain(&target(), || has.load(Ordering::SeqCst) > 0, take).await
        }));
    }
    // The first of them gives up; the others are not left alone by that.
    eventually(|| server.hits() == 1).await;
    waiting.remove(0).abort();
    gate.add_permits(1);
    for one in waiting {
        one.await.unwrap().unwrap();
    }
    assert_eq!((server.hits(), taken.load(Ordering::SeqCst)), (1, 1));
    // Who comes later finds it there, and what is there no more is asked for again.
    fetcher.obtain(&target(), || true, |_| panic!("there already")).await.unwrap();
    assert_eq!(server.hits(), 1);
    gate.add_permits(1);
    fetcher.get(&target()).await.unwrap();
    assert_eq!(server.hits(), 2);
}

#[tokio::test]
async fn what_failed_rests_longer_each_time_and_then_recovers() {
    let server = Server::start("keys.example", answer("500 Oops", "", "")).await;
    let (fetcher, clock) = server.fetcher(&server.config());
    let mut rests = Vec::new();
    for attempt in 1..=8 {
        assert_eq!(fetcher.get(&target()).await, Err(FetchError::Status(500)));
        assert_eq!(server.hits(), attempt);
        for _ in 0..100 {
            match fetcher.get(&target()).await {
                Err(FetchError::Resting { why, .. }) => assert_eq!(*why, FetchError::Status(500)),
                other => panic!("{other:?}"),
            }
        }
        let Err(FetchError::Resting { retry_in, .. }) = fetcher.get(&target()).await else {
            panic!()
        };
        rests.push(retry_in.as_secs());
        clock.advance(retry_in - Duration::from_millis(1));
        assert!(matches!(fetcher.get(&target()).await, Err(FetchError::Resting { .. })));
        clock.advance(Duration::from_millis(1));
    }
    assert_eq!(rests, [10, 20, 40, 80, 160, 300, 300, 300]);
    server.now(answer("200 OK", "", "{}"));
    fetcher.get(&target()).await.unwrap();
    // A success makes good for all before it.
    server.now(answer("500 Oops", "", ""));
    fetcher.get(&target()).await.unwrap_err();
    let Err(FetchError::Resting { retry_in, .. }) = fetcher.get(&target()).await else { panic!() };
    assert_eq!(retry_in.as_secs(), 10);
}

#[tokio::test]
async fn what_is_not_taken_counts_as_a_failure() {
    let server = Server::start("keys.example", answer("200 OK", "", "garbage")).await;
    let (fetcher, _) = server.fetcher(&server.config());
    let refuse = |_: &_| Err(FetchError::Unusable("no key set".into()));
    let error = fetcher.obtain(&target(), || false, refuse).await.unwrap_err();
    assert_eq!(error, FetchError::Unusable("no key set".into()));
    let error = fetcher.obtain(&target(), || false, refuse).await.unwrap_err();
    assert!(matches!(error, FetchError::Resting { .. }));
    assert_eq!(server.hits(), 1);
}

#[tokio::test]
async fn a_panic_strands_nobody() {
    let server = Server::start("keys.example", answer("200 OK", "", "{}")).await;
    let (fetcher, _) = server.fetcher(&server.config());
    let take = |_: &_| panic!("a fault that this test is about");
    let error = fetcher.obtain(&target(), || false, take).await.unwrap_err();
    assert_eq!(error, FetchError::Broken("the fetch was abandoned".into()));
    fetcher.get(&target()).await.unwrap();
}

#[tokio::test]
async fn a_flood_of_urls_stays_bounded() {
    let server = Server::start("keys.example", answer("500 Oops", "", "")).await;
    let (fetcher, _) = server.fetcher(&server.config());
    fetcher.get(&target()).await.unwrap_err();
    // These fail without a request: the host is no name for a certificate.
    for n in 0..1100 {
        let target = Target::configured(&format!("https://_._/{n}")).unwrap();
        fetcher.get(&target).await.unwrap_err();
    }
    assert!(fetcher.known() <= 1024, "{}", fetcher.known());
}
