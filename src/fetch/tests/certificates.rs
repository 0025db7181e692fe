//! Certificates that messages name.

use std::{sync::Arc, time::Duration};

use rcgen::{CertificateParams, KeyPair, date_time_ymd};

use super::{
    eventually,
    server::{Act, Server, answer},
};
use crate::{
    clock::Clock,
    config::model::Fetch,
    fetch::{FetchError, Fetcher, Keys},
    verify::{Origin, RemoteKeys, Wanted},
};

const URL: &str = "https://keys.example/cert.pem";

/// A certificate that is valid from the first of January of one year to that of another; the tests
/// play in October 2025.
fn certificate(from: i32, to: i32) -> String {
    let mut params = CertificateParams::new(vec!["signer.example".to_owned()]).unwrap();
    (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
    params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem()
}

fn good() -> Act {
    answer("200 OK", "Cache-Control: max-age=3600\r\n", &certificate(2025, 2030))
}

struct Scene {
    server: Server,
    fetcher: Arc<Fetcher>,
    keys: Keys,
    clock: Clock,
    cell: Arc<RemoteKeys>,
}

impl Scene {
    async fn new(act: Act) -> Self {
        let server = Server::start("keys.example", act).await;
        let fetch = Fetch { max_bytes: 10_000, ..server.config() };
        Self::beside(server, &fetch)
    }

    fn beside(server: Server, fetch: &Fetch) -> Self {
        let (fetcher, clock) = server.fetcher(fetch);
        let keys = Keys::new(Arc::clone(&fetcher));
        let cell = RemoteKeys::new(Origin::Certificates);
        keys.configure([&cell]);
        Self { server, fetcher, keys, clock, cell }
    }

    async fn obtain(&self, url: &str) -> Result<(), FetchError> {
        let wanted = Wanted { remote: Arc::clone(&self.cell), name: url.into() };
        self.keys.obtain(&wanted).await
    }

    fn has(&self, url: &str) -> bool {
        !self.cell.get(Some(url)).is_empty()
    }
}

#[tokio::test]
async fn a_certificate_is_fetched_once_for_all_routes() {
    let scene = Scene::new(good()).await;
    scene.obtain(URL).await.unwrap();
    assert!(scene.has(URL) && !scene.has("https://keys.example/other.pem"));
    let other = RemoteKeys::new(Origin::Certificates);
    let wanted = Wanted { remote: Arc::clone(&other), name: URL.into() };
    scene.keys.obtain(&wanted).await.unwrap();
    assert_eq!((other.len(), scene.server.hits()), (1, 1));
}

#[tokio::test]
async fn what_is_no_valid_certificate_is_not_taken() {
    let scene = Scene::new(good()).await;
    let two = certificate(2025, 2030) + &certificate(2025, 2030);
    let cut = certificate(2025, 2030).replace("-----END CERTIFICATE-----\n", "");
    for (number, wrong) in
        [certificate(2020, 2025), certificate(2026, 2030), cut, "<html>".into(), String::new()]
            .iter()
            .enumerate()
    {
        scene.server.now(answer("200 OK", "", wrong));
        let url = format!("{URL}/{number}");
        let error = scene.obtain(&url).await.unwrap_err();
        assert!(matches!(error, FetchError::Unusable(_)), "{number}: {error}");
        assert!(!scene.has(&url));
    }
    scene.server.now(answer("200 OK", "", &two));
    scene.obtain(URL).await.unwrap();
    assert!(scene.has(URL), "of a chain the leaf");
}

#[tokio::test]
async fn nothing_is_asked_of_what_is_no_plain_url() {
    let scene = Scene::new(good()).await;
    for url in [
        "",
        "cert.pem",
        "http://keys.example/x",
        "https://keys.example:8443/x",
        "https://u@keys.example/x",
    ] {
        assert!(scene.obtain(url).await.is_err(), "{url}");
    }
    assert_eq!(scene.server.hits(), 0);
}

#[tokio::test]
async fn a_stranger_who_names_many_is_stopped_and_others_are_not() {
    let scene = Scene::new(answer("404 Not Found", "", "")).await;
    let name = |n: u32| format!("https://keys.example/{n}.pem");
    for n in 0..20 {
        assert_eq!(scene.obtain(&name(n)).await, Err(FetchError::Status(404)));
    }
    for n in 0..100 {
        let error = scene.obtain(&name(n)).await.unwrap_err();
        let known = matches!(error, FetchError::Resting { .. });
        assert!(if n < 20 { known } else { error == FetchError::Crowded }, "{n}: {error}");
    }
    assert_eq!(scene.server.hits(), 20);
    // Another route has a budget of its own, and this one a new one in a minute.
    let other = RemoteKeys::new(Origin::Certificates);
    scene.server.now(good());
    scene.keys.obtain(&Wanted { remote: other, name: name(99).into() }).await.unwrap();
    scene.clock.advance(Duration::from_secs(60));
    scene.obtain(&name(98)).await.unwrap();
}

#[tokio::test]
async fn a_certificate_is_refreshed_and_ends_with_its_validity() {
    let scene = Scene::new(good()).await;
    scene.obtain(URL).await.unwrap();
    let before = scene.cell.get(Some(URL));
    scene.server.now(good());
    scene.clock.advance(Duration::from_secs(2700));
    scene.keys.refresh_due();
    eventually(|| scene.server.hits() == 2 && !scene.fetcher.knows_any_flight()).await;
    let after = scene.cell.get(Some(URL));
    assert!(!Arc::ptr_eq(&before[0], &after[0]), "the route has the new one");

    // It stays for a day when it cannot be refreshed.
    scene.server.now(answer("500 Oops", "", ""));
    scene.clock.advance(Duration::from_secs(3600 + 24 * 3600 - 1));
    scene.keys.refresh_due();
    assert!(scene.has(URL));
    scene.clock.advance(Duration::from_secs(1));
    scene.keys.refresh_due();
    assert!(!scene.has(URL) && scene.keys.certificates() == 0);

    // No lifetime goes beyond the certificate's own.
    let scene = Scene::new(answer("200 OK", "", &certificate(2025, 2026))).await;
    scene.obtain(URL).await.unwrap();
    scene.clock.advance(Duration::from_secs(100 * 24 * 3600));
    scene.keys.refresh_due();
    assert!(!scene.has(URL));
}

#[tokio::test]
async fn few_are_kept() {
    let scene = Scene::new(good()).await;
    for n in 0..70 {
        scene.clock.advance(Duration::from_secs(4));
        scene.obtain(&format!("https://keys.example/{n}.pem")).await.unwrap();
    }
    assert_eq!((scene.keys.certificates(), scene.cell.len()), (64, 64));
    assert!(scene.has("https://keys.example/69.pem") && !scene.has("https://keys.example/0.pem"));
}

#[tokio::test]
async fn the_copy_on_disk_serves_when_the_network_fails() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start("keys.example", good()).await;
    let cache = Some(dir.path().join("cache"));
    let fetch = Fetch { cache, max_bytes: 10_000, ..server.config() };
    let first = Scene::beside(server, &fetch);
    first.obtain(URL).await.unwrap();
    eventually(|| {
        dir.path().join("cache").read_dir().is_ok_and(|mut files| files.next().is_some())
    })
    .await;
    let second = Scene::beside(first.server, &fetch);
    second.server.now(answer("500 Oops", "", ""));
    second.obtain(URL).await.unwrap();
    assert!(second.has(URL));
    // And without asking anybody, for what works offline.
    let third = Scene::beside(second.server, &fetch);
    let hits = third.server.hits();
    let wanted = Wanted { remote: Arc::clone(&third.cell), name: URL.into() };
    assert!(third.keys.recall(&wanted));
    let other = Wanted { name: "https://keys.example/other.pem".into(), ..wanted };
    assert!(!third.keys.recall(&other));
    assert_eq!(third.server.hits(), hits);
}
