//! Whole configurations: what is said about bad ones, what good ones become.

use std::{fmt::Write as _, path::Path, sync::Arc, time::Duration};

use super::{
    LoadOptions, Loaded, Problem, Secrets, Severity, load,
    model::{Config, OnFull, OnReplay, Target},
};
use crate::clock::UnixMs;

/// 21 November 2026.
const NOW: UnixMs = UnixMs::from_secs(1_795_219_200);

fn options(secrets: Secrets) -> LoadOptions {
    let env = |name: &str| match name {
        "SECRET" => Some("0123456789abcdef0123456789abcdef\n".into()),
        "EMPTY" => Some("".into()),
        "BLANK" => Some(" \t\n".into()),
        _ => None,
    };
    LoadOptions { secrets, env: Arc::new(env), now: NOW }
}

fn try_load(path: impl AsRef<Path>) -> Result<Loaded, Vec<Problem>> {
    load(path.as_ref(), &options(Secrets::Read))
}

fn shown(problems: &[Problem]) -> String {
    let texts: Vec<_> = problems.iter().map(ToString::to_string).collect();
    texts.join("\n\n").replace('\\', "/")
}

/// Loads a text that stands in a directory of its own.
fn load_text(text: &str, secrets: Secrets) -> Result<Loaded, Vec<Problem>> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hookward.toml");
    std::fs::write(&path, text).unwrap();
    load(&path, &options(secrets))
}

fn good(name: &str) -> Config {
    let loaded = try_load(Path::new("tests/config/ok").join(name));
    loaded.unwrap_or_else(|problems| panic!("{}", shown(&problems))).config
}

#[test]
fn bad_configurations_are_refused_with_every_problem() {
    let mut paths: Vec<_> = std::fs::read_dir("tests/config/bad")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    paths.sort();
    assert!(paths.len() > 10);
    for path in paths {
        let problems = try_load(&path).expect_err(&path.display().to_string());
        assert!(problems.iter().any(|problem| problem.severity == Severity::Error));
        let text = shown(&problems);
        assert!(!text.contains("hunter2"), "{text}");
        let json: String = problems.iter().map(|problem| problem.to_json().to_string()).collect();
        assert!(!json.contains("hunter2"), "{json}");
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        insta::with_settings!({
            snapshot_path => "../../tests/config/snapshots",
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, {
            insta::assert_snapshot!(name, text);
        });
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let problems = try_load("tests/config/no-such.toml").unwrap_err();
    assert!(shown(&problems).contains("cannot read tests/config/no-such.toml"));
}

#[test]
fn five_lines_get_the_documented_defaults() {
    let config = good("five-lines.toml");
    let limits = &config.server.limits;
    assert_eq!((limits.connections, limits.connections_per_source), (10_000, 256));
    assert_eq!((limits.header_bytes, limits.shutdown_grace.as_secs()), (32 << 10, 30));
    assert!(config.admin.is_none() && config.log.audit.is_none());
    let [route] = config.routes.as_slice() else { panic!("one route") };
    assert_eq!(route.methods, ["POST"]);
    // GitHub sends up to 25 MiB and waits for 10 s.
    assert_eq!(route.body.max_size, 25 << 20);
    assert_eq!(route.upstream.timeout, Duration::from_millis(9500));
    assert_eq!(&*route.secrets[0].id, "SECRET");
    assert_eq!(route.secrets[0].bytes.as_slice(), b"0123456789abcdef0123456789abcdef");
    let replay = route.replay.as_ref().unwrap();
    assert_eq!(replay.window, Duration::from_secs(86_400));
    assert_eq!((replay.max_entries, replay.on_replay), (1_000_000, OnReplay::Reject));
    assert!(replay.commit_on.contains_all_success() && !replay.commit_on.contains(300));
    assert!(route.allow_from.is_none() && !route.require_https && route.monitor.is_empty());
}

#[test]
fn a_whole_configuration_becomes_what_it_says() {
    let config = good("whole.toml");
    let names: Vec<_> = config.routes.iter().map(|route| &*route.name).collect();
    assert_eq!(names, ["gitlab", "mine", "stripe"]);
    let proxies: Vec<_> = config.server.trusted_proxies.iter().map(ToString::to_string).collect();
    assert_eq!(proxies, ["10.0.0.0/8", "192.0.2.1/32"]);
    let [gitlab, mine, stripe] = config.routes.as_slice() else { panic!("three routes") };

    assert_eq!(stripe.hosts, ["hooks.example.com"]);
    assert_eq!(stripe.secrets[1].bytes.as_slice(), b" a secret of two words ");
    assert_eq!((&*stripe.secrets[1].id, stripe.secrets[1].id_is_explicit), ("secret", false));
    let sources: Vec<_> =
        stripe.allow_from.iter().flat_map(|from| &from.networks).map(ToString::to_string).collect();
    assert_eq!(sources, ["192.0.2.7/32", "198.51.100.0/24", "203.0.113.0/24"]);
    assert_eq!(stripe.body.content_types, ["application/json"]);
    assert!(stripe.body.schema.is_some() && stripe.body.schemas.contains_key("invoice.paid"));
    assert_eq!(stripe.rate_limit.per_route.unwrap().burst.get(), 6000);
    assert_eq!(stripe.upstream.sign.len(), 1);
    assert!(stripe.require_https && !gitlab.require_https);

    assert_eq!(mine.methods, ["PUT"]);
    assert_eq!(mine.upstream.timeout, Duration::from_millis(2500));
    assert_eq!(mine.body.max_size, 64 << 10);
    let Target::Url(url) = &mine.upstream.targets[0] else { panic!("a URL") };
    assert_eq!(url.host(), Some("receiver.internal"));
    // The same bytes again are this provider's own retry.
    let replay = mine.replay.as_ref().unwrap();
    assert_eq!((replay.on_replay, replay.on_full), (OnReplay::Acknowledge, OnFull::Evict));

    // What one route claims is not shared out.
    let shares: usize =
        config.routes.iter().filter_map(|r| Some(r.replay.as_ref()?.max_entries)).sum();
    assert_eq!(stripe.replay.as_ref().unwrap().max_entries, 40_000);
    assert!(shares <= config.replay.max_entries && shares > 90_000, "{shares}");

    let files: Vec<_> = config.files.iter().map(|path| path.display().to_string()).collect();
    assert_eq!(
        files,
        [
            "tests/config/ok/office.json",
            "tests/config/ok/routes.d/gitlab.toml",
            "tests/config/ok/routes.d/providers.toml",
            "tests/config/ok/schemas/stripe.json",
            "tests/config/ok/secret.txt",
            "tests/config/ok/whole.toml",
        ]
    );
}

#[test]
fn every_value_in_force_has_its_origin() {
    let config = good("whole.toml");
    let mut text = String::new();
    for route in &config.routes {
        writeln!(text, "[{}]", route.name).unwrap();
        for row in &route.in_force {
            writeln!(text, "{} = {}   # {:?}", row.key, row.value, row.origin).unwrap();
        }
    }
    insta::with_settings!({
        snapshot_path => "../../tests/config/snapshots",
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::assert_snapshot!("in-force", text);
    });
}

#[test]
fn without_secrets_what_is_not_there_is_a_note() {
    let text = "[server]\nlisten = [\"127.0.0.1:1\"]\n[routes.a]\npath = \"/a\"\n\
                provider = \"github\"\nupstream = \"builtin:echo\"\n\
                secrets = [{ env = \"UNSET\" }, { file = \"nowhere\" }, { env = \"SECRET\" }]\n";
    assert_eq!(load_text(text, Secrets::Read).unwrap_err().len(), 2);
    let loaded = load_text(text, Secrets::Skip).unwrap();
    assert_eq!(loaded.problems.len(), 2);
    assert!(loaded.problems.iter().all(|problem| problem.severity == Severity::Note));
    let secrets = &loaded.config.routes[0].secrets;
    assert_eq!(secrets.len(), 3);
    assert!(secrets.iter().all(|secret| !secret.bytes.starts_with(b"0123456789abcdef")));
}

#[test]
fn the_digest_names_the_content() {
    let text = "[server]\nlisten = [\"127.0.0.1:1\"]\n[routes.a]\npath = \"/a\"\n\
                provider = \"github\"\nsecrets = [{ env = \"SECRET\" }]\nupstream = \"builtin:echo\"\n";
    let digest = |text: &str| load_text(text, Secrets::Read).unwrap().config.digest;
    assert_eq!(digest(text), digest(text));
    assert_ne!(digest(text), digest(&format!("{text}# more\n")));
}

#[test]
fn certificates_are_read_and_held_against_their_keys() {
    let dir = tempfile::tempdir().unwrap();
    let make = || rcgen::generate_simple_self_signed(["hooks.example.com".to_owned()]).unwrap();
    let (one, other) = (make(), make());
    let write = |name: &str, text: String| std::fs::write(dir.path().join(name), text).unwrap();
    write("chain.pem", one.cert.pem());
    write("key.pem", one.signing_key.serialize_pem());
    write("other.pem", other.signing_key.serialize_pem());
    let load_with = |key: &str| {
        let text = format!(
            "[server]\nlisten = [\"127.0.0.1:1\"]\n[[server.tls]]\ncertificate = \"chain.pem\"\n\
             private_key = \"{key}\"\n[routes.a]\npath = \"/a\"\nprovider = \"github\"\n\
             secrets = [{{ env = \"SECRET\" }}]\n\
             upstream = {{ urls = [\"https://h\"], ca = \"chain.pem\" }}\n"
        );
        write("hookward.toml", text);
        try_load(dir.path().join("hookward.toml"))
    };
    let config = load_with("key.pem").unwrap().config;
    assert_eq!(config.server.tls.len(), 1);
    assert!(config.routes[0].upstream.ca_pem.is_some());
    assert!(config.files.iter().any(|path| path.ends_with("key.pem")));
    assert!(!format!("{config:?}").contains("PRIVATE KEY"));
    let path = dir.path().join("hookward.toml");
    load_with("nowhere.pem").unwrap_err();
    let loaded = load(&path, &options(Secrets::Skip)).unwrap();
    assert_eq!((loaded.config.server.tls.len(), loaded.problems.len()), (1, 1));
    for bad in ["other.pem", "chain.pem"] {
        let problems = load_with(bad).unwrap_err();
        assert_eq!(problems.len(), 1, "{}", shown(&problems));
        assert_eq!(problems[0].at.as_ref().unwrap().line, 5);
    }
}

#[test]
fn a_table_that_is_none_is_one_problem() {
    let text = "server = 3\nroutes = { a = 4, b = [] }\nlog = \"x\"\ninclude = \"a.toml\"\n";
    let problems = load_text(text, Secrets::Read).unwrap_err();
    assert_eq!(problems.len(), 5, "{}", shown(&problems));
}

#[test]
fn listeners_do_not_take_each_others_addresses() {
    let route = "[routes.a]\npath = \"/a\"\nprovider = \"github\"\n\
                 secrets = [{ env = \"SECRET\" }]\nupstream = \"builtin:echo\"\n";
    for (listen, admin, fits) in [
        ("0.0.0.0:1", "127.0.0.1:1", false),
        ("127.0.0.1:1", "127.0.0.2:1", true),
        ("127.0.0.1:0", "127.0.0.1:0", true),
        ("[::]:1", "[::1]:1", false),
        ("[::1]:1", "127.0.0.1:1", true),
    ] {
        let text =
            format!("[server]\nlisten = [\"{listen}\"]\n[admin]\nlisten = \"{admin}\"\n{route}");
        assert_eq!(load_text(&text, Secrets::Read).is_ok(), fits, "{listen} {admin}");
    }
}

#[test]
fn a_link_that_leads_nowhere_is_not_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hookward.toml");
    std::fs::create_dir(dir.path().join("routes.d")).unwrap();
    std::fs::write(&path, "include = [\"routes.d/*.toml\"]\n").unwrap();
    std::os::unix::fs::symlink("nowhere", dir.path().join("routes.d/a.toml")).unwrap();
    let problems = try_load(&path).unwrap_err();
    assert!(shown(&problems).contains("a.toml: No such file"), "{}", shown(&problems));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(96))]
    /// Whatever is done to a configuration, loading says something and shows no secret.
    #[test]
    fn no_text_panics(at in 0usize..6_000, cut in 0usize..40, put in "[\\[\\]{}=\"'#.,a-z0-9\\n-]{0,6}") {
        let text = std::fs::read_to_string("config.example.toml").unwrap();
        let text = text.replace("It is fine", "hunter2");
        let cut_at = text.floor_char_boundary(at.min(text.len()));
        let end = text.ceil_char_boundary((cut_at + cut).min(text.len()));
        // Without the key that says so, nobody can know a secret for one.
        let known = !text.get(cut_at..end).unwrap_or_default().contains("value");
        let text = format!("{}{put}{}", text.split_at(cut_at).0, text.split_at(end).1);
        let problems = match load_text(&text, Secrets::Read) {
            Ok(loaded) => loaded.problems,
            Err(problems) => {
                proptest::prop_assert!(!problems.is_empty());
                problems
            }
        };
        let shows = shown(&problems).contains("hunter2");
        proptest::prop_assert!(!(known && shows), "{}", shown(&problems));
    }
}

#[test]
fn a_secret_that_is_signed_with_does_not_expire() {
    let text = "[server]\nlisten = [\"127.0.0.1:1\"]\n[routes.a]\npath = \"/a\"\n\
                provider = \"github\"\nsecrets = [{ env = \"SECRET\" }]\n[routes.a.upstream]\n\
                urls = [\"http://127.0.0.1:2\"]\n\
                sign = { secrets = [{ env = \"SECRET\", expires = 2020-01-01T00:00:00Z }] }\n";
    let problems = load_text(text, Secrets::Read).unwrap_err();
    assert!(shown(&problems).contains("does not expire by itself"), "{}", shown(&problems));
}

#[test]
fn a_flood_of_problems_is_cut_and_counted() {
    let mut text = "[server]\nlisten = [\"127.0.0.1:1\"]\n".to_owned();
    for number in 0..2_000 {
        writeln!(text, "[routes.r{number}]\nx{number} = 1\ny = 2\npath = \"bad\"").unwrap();
    }
    let problems = load_text(&text, Secrets::Read).unwrap_err();
    assert_eq!(problems.len(), 51);
    let last = &problems.last().unwrap().message;
    assert!(last.starts_with("and ") && last.ends_with(" more"), "{last}");
}

#[test]
fn ten_thousand_routes_load_without_squares() {
    let mut text = "[server]\nlisten = [\"127.0.0.1:1\"]\n".to_owned();
    for number in 0..10_000 {
        writeln!(
            text,
            "[routes.r{number}]\npath = \"/r{number}\"\nprovider = \"github\"\n\
             secrets = [{{ env = \"SECRET\" }}]\nupstream = \"http://127.0.0.1:3000/r{number}\""
        )
        .unwrap();
    }
    let clock = crate::clock::Clock::system();
    let loaded = load_text(&text, Secrets::Read).unwrap_or_else(|p| panic!("{}", shown(&p)));
    let took = clock.mono();
    assert_eq!(loaded.config.routes.len(), 10_000);
    assert_eq!(loaded.config.routes[0].replay.as_ref().unwrap().max_entries, 100);
    // Unoptimised and on a busy machine; a square would take minutes.
    assert!(took < Duration::from_secs(20), "{took:?}");
    println!("10,000 routes took {took:?}");
}
