//! Key sets: rotation, floods, outages, restarts.

use std::{sync::Arc, time::Duration};

use super::{
    eventually,
    server::{Act, Server, answer, bytes, target},
};
use crate::{
    clock::Clock,
    config::model::Fetch,
    fetch::{FetchError, Fetcher, Keys, KeysStatus},
    verify::{Origin, RemoteKeys, Wanted},
};

/// Public keys of Ed25519, from RFC 8032 section 7.1.
const KEYS: [&str; 3] = [
    "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw",
    "_FHNjmIYoaONpH7QAjDwWAgW7RO6MwOsXeuRFUiQgCU",
];

fn set(kids: &[&str]) -> String {
    let key = |(kid, x): (&&str, &str)| {
        format!(r#"{{"kty":"OKP","crv":"Ed25519","kid":"{kid}","x":"{x}"}}"#)
    };
    let keys: Vec<_> = kids.iter().zip(KEYS).map(key).collect();
    format!(r#"{{"keys":[{}]}}"#, keys.join(","))
}

fn good(kids: &[&str]) -> Act {
    answer("200 OK", "Cache-Control: max-age=3600\r\n", &set(kids))
}

struct Scene {
    server: Server,
    fetcher: Arc<Fetcher>,
    keys: Keys,
    clock: Clock,
    cell: Arc<RemoteKeys>,
}

fn cell() -> Arc<RemoteKeys> {
    RemoteKeys::new(Origin::Jwks { url: target().url().into() })
}

impl Scene {
    async fn new(act: Act) -> Self {
        let server = Server::start("keys.example", act).await;
        let fetch = server.config();
        Self::beside(server, &fetch)
    }

    /// Another process beside the same server.
    fn beside(server: Server, fetch: &Fetch) -> Self {
        let (fetcher, clock) = server.fetcher(fetch);
        let keys = Keys::new(Arc::clone(&fetcher));
        let cell = cell();
        keys.configure([&cell, &cell]);
        Self { server, fetcher, keys, clock, cell }
    }

    async fn obtain(&self, kid: &str) -> Result<(), FetchError> {
        let wanted = Wanted { remote: Arc::clone(&self.cell), name: kid.into() };
        self.keys.obtain(&wanted).await
    }

    fn has(&self, kid: &str) -> bool {
        !self.cell.get(Some(kid)).is_empty()
    }

    fn status(&self) -> KeysStatus {
        self.keys.status().remove(0)
    }

    fn after(&self, secs: u64) {
        self.clock.advance(Duration::from_secs(secs));
    }

    /// Refreshes what is due, and waits for it.
    async fn refresh(&self) {
        self.keys.refresh_due();
        eventually(|| !self.fetcher.knows_any_flight()).await;
        eventually(|| !self.keys.is_under_way()).await;
    }
}

#[tokio::test]
async fn a_rotated_key_is_found_and_a_vanished_one_no_longer_verifies() {
    let scene = Scene::new(good(&["a", "b"])).await;
    assert!(!scene.has("a"));
    scene.obtain("a").await.unwrap();
    assert!(scene.has("a") && scene.has("b") && scene.cell.len() == 2);
    assert_eq!(scene.server.hits(), 1);

    scene.server.now(good(&["b", "c"]));
    scene.obtain("c").await.unwrap();
    assert!(!scene.has("c"), "the set came a moment ago");
    scene.after(30);
    scene.obtain("c").await.unwrap();
    assert!(scene.has("c") && scene.has("b") && !scene.has("a"));
    assert_eq!(scene.server.hits(), 2);
}

#[tokio::test]
async fn a_flood_of_unknown_keys_asks_once_in_thirty_seconds() {
    let scene = Scene::new(good(&["a"])).await;
    scene.obtain("a").await.unwrap();
    for round in 0..3 {
        for number in 0..500 {
            scene.obtain(&format!("stranger-{round}-{number}")).await.unwrap();
        }
        scene.after(30);
    }
    assert_eq!(scene.server.hits(), 3);

    // Those who come while it is asked wait for the answer: one of them may be right.
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let body = bytes("200 OK", "", &set(&["a", "new"]));
    scene.server.now(Act::Wait(Arc::clone(&gate), body));
    let names: Vec<_> =
        (0..100).map(|n| if n % 2 == 0 { "new".into() } else { n.to_string() }).collect();
    let waiting = names.iter().map(|name| Box::pin(scene.obtain(name)));
    let mut waiting: Vec<_> = waiting.collect();
    for one in &mut waiting {
        let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(one.as_mut().poll(cx))).await;
        assert!(polled.is_pending());
    }
    gate.add_permits(1);
    for one in waiting {
        one.await.unwrap();
    }
    assert!(scene.has("new"));
    assert_eq!(scene.server.hits(), 4);
}

#[tokio::test]
async fn without_an_answer_there_is_no_verdict() {
    let scene = Scene::new(answer("500 Oops", "", "")).await;
    assert_eq!(scene.obtain("a").await, Err(FetchError::Status(500)));
    for _ in 0..500 {
        assert!(matches!(scene.obtain("b").await, Err(FetchError::Resting { .. })));
    }
    assert_eq!(scene.server.hits(), 1);
    scene.server.now(good(&["a"]));
    scene.after(10);
    scene.obtain("a").await.unwrap();
    // A key that is not in a set of some age cannot be judged while the set cannot be had.
    scene.server.now(answer("500 Oops", "", ""));
    scene.after(30);
    assert!(scene.obtain("b").await.is_err() && scene.obtain("b").await.is_err());
    assert!(scene.has("a"), "what is there stays");
    assert_eq!(scene.server.hits(), 3);
}

#[tokio::test]
async fn what_is_no_key_set_is_not_taken() {
    let scene = Scene::new(good(&["a"])).await;
    scene.obtain("a").await.unwrap();
    let symmetric = r#"{"keys":[{"kty":"oct","k":"c2VjcmV0c2VjcmV0","kid":"b"}]}"#;
    let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";
    for garbage in ["", "<html>", "{}", "[]", r#"{"keys":[]}"#, r#"{"keys":{}}"#, symmetric, pem] {
        scene.server.now(answer("200 OK", "", garbage));
        scene.after(600);
        let error = scene.obtain("b").await.unwrap_err();
        assert!(matches!(error, FetchError::Unusable(_)), "{garbage}: {error}");
        assert!(scene.has("a") && !scene.has("b"), "{garbage}");
    }
}

#[tokio::test]
async fn a_set_is_refreshed_before_it_ends_and_outlives_an_outage_of_a_day() {
    let scene = Scene::new(good(&["a"])).await;
    scene.refresh().await;
    assert!(scene.has("a"), "a set is there before anybody asks");
    scene.after(2699);
    scene.refresh().await;
    assert_eq!(scene.server.hits(), 1);
    scene.after(1);
    scene.refresh().await;
    assert_eq!((scene.server.hits(), scene.status().succeeded), (2, Some(true)));

    scene.server.now(answer("500 Oops", "", ""));
    scene.after(2700);
    scene.refresh().await;
    assert_eq!((scene.status().succeeded, scene.status().keys), (Some(false), 1));
    // One hour of its own, and a day.
    scene.after(900 + 24 * 3600 - 1);
    scene.refresh().await;
    assert!(scene.has("a"));
    scene.after(1);
    scene.refresh().await;
    assert!(!scene.has("a") && scene.status().keys == 0);
    assert!(scene.obtain("a").await.is_err());
    scene.server.now(good(&["a"]));
    scene.after(300);
    scene.refresh().await;
    assert!(scene.has("a"), "it recovers by itself");
}

#[tokio::test]
async fn the_copy_on_disk_serves_within_its_time() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start("keys.example", good(&["a"])).await;
    let fetch = Fetch { cache: Some(dir.path().join("cache")), ..server.config() };
    let first = Scene::beside(server, &fetch);
    first.obtain("a").await.unwrap();
    eventually(|| first.fetcher.kept(&target()).is_some()).await;

    let second = Scene::beside(first.server, &fetch);
    assert!(second.has("a"), "before anything was fetched");
    second.server.now(good(&["b"]));
    second.obtain("b").await.unwrap();
    assert!(second.has("b"), "a copy is no reason not to ask");

    let (fetcher, clock) = second.server.fetcher(&fetch);
    clock.advance(Duration::from_secs(3600 + 24 * 3600 + 1));
    let third = Keys::new(fetcher);
    let cell = cell();
    third.configure([&cell]);
    assert!(cell.is_empty(), "too old");
}

#[tokio::test]
async fn of_several_sets_any_may_hold_the_key() {
    let scene = Scene::new(good(&["a"])).await;
    let other = RemoteKeys::new(Origin::Jwks { url: "https://keys.example/other".into() });
    scene.keys.configure([&scene.cell, &other]);
    scene.obtain("a").await.unwrap();
    scene.server.now(good(&["b"]));
    let sets = [Arc::clone(&scene.cell), Arc::clone(&other)];
    let wanted = |name: &str| Wanted { remote: Arc::clone(&scene.cell), name: name.into() };
    scene.keys.obtain_from(&wanted("b"), &sets).await.unwrap();
    assert!(!scene.has("b") && !other.get(Some("b")).is_empty());
    assert_eq!(scene.server.hits(), 2);
    // The first answers, the second cannot: whether it holds the key is not known.
    scene.server.now(answer("500 Oops", "", ""));
    scene.after(31);
    assert!(scene.keys.obtain_from(&wanted("c"), &sets).await.is_err());
}

#[tokio::test]
async fn a_reload_loses_nothing() {
    let scene = Scene::new(good(&["a"])).await;
    scene.obtain("a").await.unwrap();
    let fresh = cell();
    scene.keys.configure([&fresh]);
    assert_eq!(fresh.len(), 1);
    let other = RemoteKeys::new(Origin::Jwks { url: "https://keys.example/other".into() });
    scene.keys.configure([&other]);
    assert!(other.is_empty() && scene.keys.status().len() == 1);
    let error = scene.obtain("z").await.unwrap_err();
    assert!(matches!(error, FetchError::Unusable(_)), "a cell of before the reload");
}
