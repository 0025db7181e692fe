//! What the gateway fetches: address lists, over real TLS.

use std::time::Duration;

use crate::support::{Act, Answer, Gateway, Upstream, eventually, github, tls::Identity};

const SECRET: &str = "a-secret-of-16-bytes-or-more";
/// The machine of these tests, and one that is always on the list.
const HERE: &str = r#"{"hooks": ["127.0.0.1", "192.0.2.1"]}"#;
const ELSEWHERE: &str = r#"{"hooks": ["192.0.2.1", "192.0.2.2"]}"#;

struct Scene {
    identity: Identity,
    source: Upstream,
    receiver: Upstream,
}

impl Scene {
    /// A server of lists by this name, and a receiver.
    fn new(name: &str) -> Self {
        let identity = Identity::new(name);
        let source = Upstream::start_tls(&identity);
        Self { identity, source, receiver: Upstream::start() }
    }

    fn config(&self, fetch: &str, route: &str, rest: &str) -> String {
        format!(
            "[server]\nlisten = [\"127.0.0.1:0\"]\nanswers = \"codes\"\n\
             [admin]\nlisten = \"127.0.0.1:0\"\n\
             [fetch]\nca = \"ca.pem\"\n{fetch}\n\
             [routes.github]\npath = \"/github\"\nprovider = \"github\"\n\
             secrets = [{{ value = \"{SECRET}\" }}]\nupstream = \"{}\"\n{route}\n{rest}\n",
            self.receiver.url("")
        )
    }

    /// With one list, that of the server.
    fn office(&self, more: &str) -> String {
        let port = self.source.address.port();
        self.config(
            "allow_private = true",
            "allow_from = [\"@office\"]",
            &format!(
                "[ip_lists.office]\nurl = \"https://lists.example:{port}/meta\"\n\
                 pointer = \"/hooks\"\n{more}\n"
            ),
        )
    }

    fn start(&self, config: &str) -> Gateway {
        self.start_in(tempfile::tempdir().unwrap(), config)
    }

    fn start_in(&self, dir: tempfile::TempDir, config: &str) -> Gateway {
        std::fs::write(dir.path().join("ca.pem"), &self.identity.certificate).unwrap();
        Gateway::start_resolving(dir, config, self.source.address)
    }
}

/// A delivery with this content, signed as GitHub does.
fn deliver(gateway: &Gateway, body: &str) -> Answer {
    let signature = github(SECRET, body.as_bytes());
    gateway.post("/github", &[("X-Hub-Signature-256", &signature)], body.as_bytes())
}

fn metric(gateway: &Gateway, line: &str) -> bool {
    gateway.metrics().lines().any(|found| found == line)
}

#[test]
fn a_list_comes_changes_and_stays_without_a_reload() {
    let scene = Scene::new("lists.example");
    scene.source.next([Act::Answer(500, "")]);
    let gateway = scene.start(&scene.office(""));
    let answer = deliver(&gateway, "1");
    assert_eq!((answer.status, &*answer.code()), (503, "source_list_unavailable"));
    assert!(answer.header("retry-after").is_some());
    let refresh = |success: u8| {
        let line = format!("hookward_ip_list_last_refresh_success{{list=\"office\"}} {success}");
        eventually(|| metric(&gateway, &line));
    };
    refresh(0);
    assert_eq!((scene.receiver.count(), scene.source.count()), (0, 1));

    // It rests, then it is there.
    scene.source.next([Act::Answer(200, HERE)]);
    gateway.clock.advance(Duration::from_secs(11));
    refresh(1);
    assert_eq!(deliver(&gateway, "1").status, 200);
    assert!(metric(&gateway, "hookward_ip_list_entries{list=\"office\"} 2"));
    assert!(metric(&gateway, "hookward_ip_list_age_seconds{list=\"office\"} 0"));

    // What cannot be believed changes nothing.
    scene.source.next([Act::Answer(200, r#"{"hooks": ["0.0.0.0/0"]}"#)]);
    gateway.clock.advance(Duration::from_secs(6 * 3600));
    refresh(0);
    assert_eq!(deliver(&gateway, "2").status, 200);
    assert!(metric(&gateway, "hookward_ip_list_age_seconds{list=\"office\"} 21600"));

    scene.source.next([Act::Answer(200, ELSEWHERE)]);
    gateway.clock.advance(Duration::from_secs(3600));
    refresh(1);
    let answer = deliver(&gateway, "3");
    assert_eq!((answer.status, &*answer.code()), (403, "source_not_allowed"));

    // A reload leaves it alone.
    let asked = scene.source.count();
    assert!(gateway.reload(&scene.office("refresh = \"12h\"")));
    assert_eq!(deliver(&gateway, "4").status, 403);
    assert_eq!(scene.source.count(), asked);
}

#[test]
fn a_file_counts_until_the_first_answer() {
    let scene = Scene::new("lists.example");
    scene.source.next([Act::Close, Act::Answer(200, ELSEWHERE)]);
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("meta.json"), HERE).unwrap();
    let gateway = scene.start_in(dir, &scene.office("file = \"meta.json\""));
    assert_eq!(deliver(&gateway, "1").status, 200);
    eventually(|| scene.source.count() == 1);
    assert_eq!(deliver(&gateway, "2").status, 200);
    eventually(|| {
        gateway.clock.advance(Duration::from_secs(11));
        deliver(&gateway, "3").status == 403
    });
    let file = std::fs::read_to_string(gateway.dir.path().join("meta.json")).unwrap();
    assert_eq!(file, HERE, "the operator's file is the operator's");
}

#[test]
fn the_copy_on_disk_survives_the_process() {
    let scene = Scene::new("lists.example");
    let cache = tempfile::tempdir().unwrap();
    let keep = format!("allow_private = true\ncache = \"{}\"", cache.path().display());
    let config = scene.office("").replace("allow_private = true", &keep);
    scene.source.next([Act::Answer(200, HERE)]);
    let first = scene.start(&config);
    eventually(|| deliver(&first, "1").status == 200);
    first.stop();
    scene.source.next([Act::Close]);
    let second = scene.start(&config);
    assert_eq!(deliver(&second, "1").status, 200);
}

#[test]
fn the_inside_is_not_asked_unless_configured() {
    let scene = Scene::new("lists.example");
    scene.source.next([Act::Answer(200, HERE)]);
    let config = scene.office("").replace("allow_private = true", "");
    let gateway = scene.start(&config);
    eventually(|| metric(&gateway, "hookward_ip_list_last_refresh_success{list=\"office\"} 0"));
    assert_eq!(deliver(&gateway, "1").code(), "source_list_unavailable");
    assert_eq!(scene.source.count(), 0);
}

#[test]
fn some_lists_need_no_section() {
    let scene = Scene::new("api.github.com");
    scene.source.next([Act::Answer(200, HERE)]);
    let allow = "allow_from = [\"@github\", \"@telegram\"]";
    let gateway = scene.start(&scene.config("allow_private = true", allow, ""));
    eventually(|| deliver(&gateway, "1").status == 200);
    let seen = scene.source.last();
    assert_eq!((seen.target(), seen.header("host")), ("/meta", Some("api.github.com")));
}

#[test]
fn a_monitored_source_is_let_through_while_the_list_is_missing() {
    let scene = Scene::new("lists.example");
    scene.source.next([Act::Close]);
    let config = scene.office("").replace("allow_from", "monitor = [\"source\"]\nallow_from");
    let gateway = scene.start(&config);
    assert_eq!(deliver(&gateway, "1").status, 200);
    let monitored = scene.receiver.last();
    assert_eq!(monitored.header("hookward-monitored"), Some("source=source_list_unavailable"));
}
