//! Ten thousand routes: the gateway checks, starts and reloads them soon, finds each, and reports the
//! errors of a broken set without drowning in them.

use std::time::{Duration, Instant};

use hookward::{
    clock::UnixMs,
    config::{LoadOptions, lint::load_and_lint},
};

use crate::support::{Gateway, Upstream, github};

/// A tenth where the compiler did not optimise.
const ROUTES: usize = if cfg!(debug_assertions) { 1_000 } else { 10_000 };

/// Five times what is promised, for a machine that is busy; what grows with the square takes longer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Each route has a secret, limits and one of four kinds of path of its own.
fn routes(upstream: &str) -> String {
    let route = |n: usize| {
        let place = match n % 4 {
            0 => format!("path = \"/exact/{n}\""),
            1 => format!("path = \"/one-of-{n}/{{tenant}}/in\""),
            2 => format!("path = \"/below-{n}/*\""),
            _ => format!("path = \"/host\"\nhost = [\"h{n}.example\"]"),
        };
        let schema = if n.is_multiple_of(10) { "body.schema = \"any.json\"" } else { "" };
        format!(
            r#"
[routes.r{n}]
{place}
provider = "github"
secrets = [{{ value = "{}" }}]
upstream = "{upstream}"
{schema}
rate_limit.per_source = {{ rate = "1000/1m" }}
rate_limit.failures = {{ rate = "1000/1m" }}
rate_limit.per_route = {{ rate = "1000/1m" }}
"#,
            secret(n)
        )
    };
    (0..ROUTES).map(route).collect()
}

fn secret(n: usize) -> String {
    format!("a secret that is route {n:05}'s own")
}

fn deliver(gateway: &Gateway, n: usize) -> Option<String> {
    let (path, host) = match n % 4 {
        0 => (format!("/exact/{n}"), "localhost".to_owned()),
        1 => (format!("/one-of-{n}/acme/in"), "localhost".to_owned()),
        2 => (format!("/below-{n}/a/b"), "localhost".to_owned()),
        _ => ("/host".to_owned(), format!("h{n}.example")),
    };
    // No delivery is like another.
    let body = format!("[\"{:?}\"]", Instant::now());
    let signature = github(&secret(n), body.as_bytes());
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nX-Hub-Signature-256: {signature}\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut client = gateway.connect();
    client.write(request.as_bytes());
    let answer = client.read().expect("an answer");
    (answer.status != 200).then(|| format!("{n}: {} {}", answer.status, answer.text()))
}

#[test]
fn thousands_of_routes_start_and_reload_soon_and_each_is_found() {
    let upstream = Upstream::start();
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("any.json"), "{\"type\": \"array\"}").unwrap();
    let config = routes(&upstream.url("/hook"));

    let started = Instant::now();
    let gateway = Gateway::start_in(dir, &config);
    assert!(started.elapsed() < PATIENCE, "{:?} to start", started.elapsed());
    let some = || (0..8).chain(ROUTES - 8..ROUTES);
    assert_eq!(some().find_map(|n| deliver(&gateway, n)), None);

    let reloading = Instant::now();
    assert!(gateway.reload(&config));
    assert!(reloading.elapsed() < PATIENCE, "{:?} to reload", reloading.elapsed());
    assert_eq!(some().find_map(|n| deliver(&gateway, n)), None);
}

#[test]
fn as_many_errors_are_found_soon_and_told_in_part() {
    let sound = routes("http://127.0.0.1:9");
    let wrong = sound.replace("provider = \"github\"", "provider = 3");
    let patterns: Vec<_> = (0..ROUTES).map(|n| format!("no-{n}.toml")).collect();
    for (what, include, main, beside) in [
        ("values of the wrong type", "", wrong.as_str(), ""),
        ("tables that are there twice", "include = [\"beside.toml\"]", &sound, sound.as_str()),
        ("includes that match nothing", &format!("include = {patterns:?}"), "", ""),
    ] {
        bounded(what, &format!("{include}\n{main}"), beside);
    }
}

fn bounded(what: &str, main: &str, beside: &str) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hookward.toml");
    std::fs::write(dir.path().join("beside.toml"), beside).unwrap();
    let (include, routes) = main.split_once('\n').unwrap();
    let server = "[server]\nlisten = [\"127.0.0.1:0\"]";
    std::fs::write(&path, format!("{include}\n{server}\n{routes}")).unwrap();
    let checking = Instant::now();
    let problems = load_and_lint(&path, &LoadOptions::new(UnixMs::from_secs(0))).err();
    assert!(checking.elapsed() < PATIENCE, "{what}: {:?} to check", checking.elapsed());
    let problems = problems.expect(what);
    assert!((10..200).contains(&problems.len()), "{what}: {} problems", problems.len());
}
