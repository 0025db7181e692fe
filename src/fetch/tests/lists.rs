//! Lists that are fetched, over the life of a process and its next one.

use std::{net::IpAddr, sync::Arc, time::Duration};

use super::server::{Server, answer};
use crate::{
    clock::Clock,
    config::model::{Fetch, IpList},
    fetch::{Fetcher, Lists},
    net::{Shape, Target},
};

fn config(file: Option<&str>) -> Arc<IpList> {
    Arc::new(IpList {
        name: "office".into(),
        url: Target::configured("https://keys.example/list").unwrap(),
        shape: Shape::new(["/hooks"], []).unwrap(),
        refresh: Duration::from_secs(3600),
        file: file.map(|text| Shape::default().read(text.as_bytes()).unwrap()),
    })
}

fn lists(server: &Server, fetch: &Fetch, file: Option<&str>) -> (Arc<Fetcher>, Lists, Clock) {
    let (fetcher, clock) = server.fetcher(fetch);
    let lists = Lists::new(Arc::clone(&fetcher));
    lists.configure([&config(file)]);
    (fetcher, lists, clock)
}

/// Begins what is due and waits until it has ended.
async fn refresh(lists: &Lists) {
    lists.refresh_due();
    while lists.is_under_way() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn has(lists: &Lists, ip: &str) -> Option<bool> {
    lists.get("office").unwrap().contains(ip.parse::<IpAddr>().unwrap())
}

#[tokio::test]
async fn a_list_over_its_life() {
    let dir = tempfile::tempdir().unwrap();
    let good = answer("200 OK", "", r#"{"hooks": ["192.0.2.0/28", "198.51.100.1"]}"#);
    let server = Server::start("keys.example", good.clone()).await;
    let fetch = Fetch { cache: Some(dir.path().join("cache")), ..server.config() };
    let (_, first, clock) = lists(&server, &fetch, None);
    assert_eq!(has(&first, "192.0.2.1"), None, "nothing is known yet");
    refresh(&first).await;
    assert_eq!((has(&first, "192.0.2.1"), has(&first, "192.0.2.16")), (Some(true), Some(false)));
    first.refresh_due();
    assert_eq!(server.hits(), 1, "nothing is due");

    // Whatever comes instead of a list, the old one stays.
    for bad in [
        answer("500 Oops", "", ""),
        answer("200 OK", "", "<html>"),
        answer("200 OK", "", r#"{"hooks": []}"#),
        answer("200 OK", "", r#"{"hooks": ["0.0.0.0/0", "198.51.100.1"]}"#),
        answer("200 OK", "", r#"{"hooks": ["192.0.2.0/28"]}"#),
    ] {
        server.now(bad);
        clock.advance(Duration::from_secs(3600));
        refresh(&first).await;
        assert_eq!(has(&first, "192.0.2.1"), Some(true));
        assert_eq!(first.status()[0].succeeded, Some(false));
    }

    // A process that begins without the network has the copy; a file would be older.
    let (_, second, _) = lists(&server, &fetch, Some("203.0.113.1\n203.0.113.2"));
    assert_eq!((has(&second, "192.0.2.1"), has(&second, "203.0.113.1")), (Some(true), Some(false)));
    server.now(answer("200 OK", "", r#"{"hooks": ["192.0.2.0/28", "198.51.100.2"]}"#));
    refresh(&second).await;
    assert_eq!(
        (has(&second, "198.51.100.1"), has(&second, "198.51.100.2")),
        (Some(false), Some(true))
    );

    // A damaged copy is as none.
    for file in std::fs::read_dir(dir.path().join("cache")).unwrap() {
        std::fs::write(file.unwrap().path(), "hookward-fetched-1\n").unwrap();
    }
    let (_, third, _) = lists(&server, &fetch, Some("203.0.113.1\n203.0.113.2"));
    assert_eq!((has(&third, "192.0.2.1"), has(&third, "203.0.113.1")), (Some(false), Some(true)));
}

#[tokio::test]
async fn a_reload_keeps_what_was_fetched() {
    let good = answer("200 OK", "", r#"{"hooks": ["192.0.2.0/28", "198.51.100.1"]}"#);
    let server = Server::start("keys.example", good).await;
    let (_, lists, _) = lists(&server, &server.config(), None);
    refresh(&lists).await;
    let before = lists.get("office").unwrap();
    lists.configure([&config(None), &config(None)]);
    assert!(Arc::ptr_eq(&before, &lists.get("office").unwrap()));
    let mut moved = IpList::clone(&config(None));
    moved.url = Target::configured("https://keys.example/other").unwrap();
    lists.configure([&Arc::new(moved)]);
    assert_eq!(has(&lists, "192.0.2.1"), None, "another URL is another list");
    lists.configure([]);
    assert!(lists.get("office").is_none() && lists.status().is_empty());
}
