//! One configuration for each lint that it must find, and one close by that it must not.

use std::{ffi::OsString, sync::Arc};

use super::*;
use crate::{
    clock::UnixMs,
    config::{Secrets, Severity},
};

const NOW: UnixMs = UnixMs::from_secs(1_800_000_000);

/// Loads and lints a configuration in a directory of its own. `extra` are further files.
pub(in crate::config) fn lint_files(text: &str, extra: &[(&str, &str)]) -> Vec<Problem> {
    let dir = tempfile::tempdir().unwrap();
    let main = dir.path().join("hookward.toml");
    std::fs::write(&main, text).unwrap();
    for (name, content) in extra {
        let file = dir.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, content).unwrap();
    }
    let env = |name: &str| match name {
        "GOOD" => Some(OsString::from("0123456789abcdef0123456789abcdef")),
        "GOOD2" => Some(OsString::from("fedcba9876543210fedcba9876543210")),
        "SHORT" => Some(OsString::from("tooshort")),
        "LAZY" => Some(OsString::from("${GITHUB_SECRET}")),
        _ => None,
    };
    let options = LoadOptions { secrets: Secrets::Read, env: Arc::new(env), now: NOW };
    match load_and_lint(&main, &options) {
        Ok((_, problems)) | Err(problems) => problems,
    }
}

/// A server, then a route `a` of this provider with further lines.
pub(in crate::config) fn with_route(server: &str, provider: &str, lines: &str) -> String {
    let listen = if server.contains("listen") { "" } else { "listen = [\"127.0.0.1:8080\"]\n" };
    let secrets = if lines.contains("secrets") { "" } else { "secrets = [{ env = \"GOOD\" }]\n" };
    let upstream =
        if lines.contains("upstream") { "" } else { "upstream = \"http://127.0.0.1:3000\"\n" };
    // Keys of the table come before its subtables.
    let (keys, tables) = lines.split_at(lines.find("\n[").map_or(lines.len(), |at| at + 1));
    format!(
        "[server]\n{listen}{server}\n[routes.a]\npath = \"/a\"\nprovider = \"{provider}\"\n\
         {secrets}{upstream}{keys}\n{tables}"
    )
}

#[track_caller]
pub(in crate::config) fn found(text: &str, severity: Severity, part: &str) -> Problem {
    let problems = lint_files(text, &[]);
    let hit = problems.iter().find(|p| p.severity == severity && p.message.contains(part));
    hit.unwrap_or_else(|| panic!("no {severity} {part:?} in {problems:#?}")).clone()
}

#[track_caller]
pub(in crate::config) fn not_found(text: &str, part: &str) {
    let problems = lint_files(text, &[]);
    assert!(
        !problems.iter().any(|p| p.message.contains(part) || p.severity == Severity::Error),
        "{problems:#?}"
    );
}

pub(in crate::config) fn line(problem: &Problem) -> &str {
    problem.at.as_ref().map_or("", |place| place.excerpt.as_str())
}

#[test]
fn a_plain_route_has_notes_only() {
    let problems = lint_files(&with_route("", "github", ""), &[]);
    assert!(problems.iter().all(|p| p.severity == Severity::Note), "{problems:#?}");
    let note = problems.iter().find(|p| p.message.contains("signs no timestamp")).unwrap();
    assert_eq!(note.message, "github signs no timestamp: a copy older than 24h is accepted");
}

#[test]
fn placeholder_secrets() {
    let text = with_route("", "github", "secrets = [{ env = \"GOOD\" }, { env = \"LAZY\" }]");
    assert!(line(&found(&text, Severity::Error, "placeholder")).starts_with("secrets"));
    let inline = with_route("", "github", "secrets = [{ value = \"changeme\" }]");
    let problem = found(&inline, Severity::Error, "placeholder");
    assert!(!problem.to_string().contains("changeme"));
}

#[test]
fn short_shared_and_inline_secrets() {
    let short = with_route("", "github", "secrets = [{ env = \"SHORT\" }]");
    found(&short, Severity::Warning, "8 bytes long");
    let inline = with_route("", "github", "secrets = [{ value = \"0123456789abcdef-\" }]");
    found(&inline, Severity::Warning, "written into the configuration");
    let good = with_route("", "github", "");
    not_found(&good, "bytes long");
    not_found(&good, "written into");
    let second = |variable: &str| {
        format!(
            "{good}[routes.b]\npath = \"/b\"\nprovider = \"github\"\n\
             secrets = [{{ env = \"{variable}\" }}]\nupstream = \"http://127.0.0.1:3000\"\n"
        )
    };
    found(&second("GOOD"), Severity::Warning, "routes a and b share a secret");
    not_found(&second("GOOD2"), "share a secret");
}

#[cfg(unix)]
#[test]
fn secret_files_that_others_may_read() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("secret");
    std::fs::write(&file, "0123456789abcdef").unwrap();
    let text = with_route("", "github", &format!("secrets = [{{ file = {file:?} }}]"));
    let set = |mode| std::fs::set_permissions(&file, PermissionsExt::from_mode(mode)).unwrap();
    set(0o644);
    found(&text, Severity::Note, "others may read");
    set(0o640);
    not_found(&text, "others may read");

    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let chain = dir.path().join("chain.pem");
    std::fs::write(&chain, made.cert.pem()).unwrap();
    std::fs::write(&file, made.signing_key.serialize_pem()).unwrap();
    let tls = format!("[[server.tls]]\ncertificate = {chain:?}\nprivate_key = {file:?}\n");
    set(0o644);
    found(&with_route(&tls, "github", ""), Severity::Note, "others may read");
}

#[test]
fn without_secrets_nothing_is_said_about_them() {
    let dir = tempfile::tempdir().unwrap();
    let main = dir.path().join("hookward.toml");
    std::fs::write(&main, with_route("", "github", "secrets = [{ env = \"UNSET\" }]")).unwrap();
    let options = LoadOptions { secrets: Secrets::Skip, env: Arc::new(|_| None), now: NOW };
    let (_, problems) = load_and_lint(&main, &options).unwrap();
    assert!(problems.iter().all(|p| p.severity == Severity::Note), "{problems:#?}");
}

#[test]
fn overlapping_routes() {
    let first = with_route("", "github", "");
    let second = |path: &str| {
        format!(
            "[routes.b]\npath = \"{path}\"\nprovider = \"github\"\n\
             secrets = [{{ env = \"GOOD2\" }}]\nupstream = \"http://127.0.0.1:3000\"\n"
        )
    };
    let same = found(&format!("{first}{}", second("/a")), Severity::Error, "the same requests");
    assert_eq!(line(&same), "path = \"/a\"");
    assert_eq!(same.at.unwrap().line, 11);
    not_found(&format!("{first}{}", second("/*")), "overlap");
    let crossing = format!("{first}{}", second("/{x}/b")).replace("\"/a\"", "\"/a/{x}\"");
    found(&crossing, Severity::Warning, "neither is more specific");
    // The same pair in two files.
    let main = format!("include = [\"routes.d/*.toml\"]\n{first}");
    let problems = lint_files(&main, &[("routes.d/b.toml", &second("/*"))]);
    let overlap = problems.iter().find(|p| p.message.contains("different files overlap")).unwrap();
    assert_eq!(overlap.severity, Severity::Error);
}

#[test]
fn an_upstream_that_is_the_gateway() {
    for upstream in ["http://127.0.0.1:8080/x", "http://localhost:8080", "http://0.0.0.0:8080"] {
        let text = with_route("", "github", &format!("upstream = \"{upstream}\""));
        found(&text, Severity::Error, "own listener");
    }
    not_found(&with_route("", "github", "upstream = \"http://127.0.0.1:8081\""), "own listener");
}

#[test]
fn echo_beyond_loopback() {
    let exposed =
        with_route("listen = [\"0.0.0.0:8080\"]", "github", "upstream = \"builtin:echo\"");
    found(&exposed, Severity::Error, "loopback only");
    not_found(&with_route("", "github", "upstream = \"builtin:echo\""), "loopback only");
}

#[test]
fn sources_that_can_be_forged() {
    let server = "trusted_proxies = [\"10.0.0.0/8\"]\nproxy_protocol = \"optional\"";
    let lines = "allow_from = [\"198.51.100.0/24\"]";
    found(&with_route(server, "github", lines), Severity::Error, "proxy_protocol");
    not_found(&with_route(server, "github", ""), "proxy_protocol");
    let required = server.replace("optional", "required");
    not_found(&with_route(&required, "github", lines), "proxy_protocol");
}

#[test]
fn proxies_that_are_everybody() {
    let half = "trusted_proxies = [\"0.0.0.0/2\", \"64.0.0.0/2\"]";
    found(&with_route(half, "github", ""), Severity::Warning, "trust everybody");
    not_found(&with_route("trusted_proxies = [\"10.0.0.0/8\"]", "github", ""), "trust everybody");
}

#[test]
fn algorithms_where_there_are_better_ones() {
    found(&with_route("", "gitlab", ""), Severity::Warning, "only compares a token");
    found(&with_route("", "websub", ""), Severity::Warning, "also accepts hmac-sha1");
    not_found(&with_route("", "github", ""), "accepts");
    // Nothing better is known of these.
    not_found(&with_route("", "telegram", ""), "only compares");
}

#[test]
fn senders_that_prove_nothing() {
    let route = |policy: &str, lines: &str| {
        format!(
            "{policy}[server]\nlisten = [\"127.0.0.1:8080\"]\n[routes.a]\npath = \"/a\"\n\
             provider = \"salesforce-outbound\"\nupstream = \"http://127.0.0.1:3000/\"\n\
             expect = {{ organization_id = \"00D000000000001EAA\" }}\n{lines}"
        )
    };
    found(&route("", ""), Severity::Warning, "takes what anybody sends");
    not_found(&route("", "allow_from = [\"192.0.2.0/24\"]\n"), "takes what anybody sends");
    // An exception for tokens is none for what not even knows a token.
    let policy = |allow: &str| {
        format!(
            "[policy]\nrequire_signature = true\n[policy.exceptions.a]\nallow = [{allow:?}]\n\
             until = 2040-01-01T00:00:00Z\nowner = \"a@example.com\"\nreason = \"SEC-1\"\n"
        )
    };
    found(&route(&policy("token"), ""), Severity::Error, "does not cover the whole body");
    not_found(&route(&policy("signature"), ""), "does not cover the whole body");
}

#[test]
fn tokens_that_expire_are_never_old() {
    let key = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEn+e9WSJpt45lioaBguN1dbNFXo9fubNIoJCoD6CniyUcP4dw013yepcjkiA0Ej5SutmhGjfGyuEHhCWjWj8Bag==";
    let route = format!(
        "[server]\nlisten = [\"127.0.0.1:8080\"]\n[routes.a]\npath = \"/a\"\n\
         provider = \"fatture-in-cloud\"\nupstream = \"http://127.0.0.1:3000/\"\n\
         public_keys = [{{ value = {key:?} }}]\nexpect = {{ aud = \"https://h.example/a\" }}\n"
    );
    found(&route, Severity::Note, "does not sign the body");
    not_found(&route, "signs no timestamp");
}

#[test]
fn wide_tolerances() {
    found(&with_route("", "stripe", "tolerance = \"11m\""), Severity::Warning, "tolerance of 11m");
    not_found(&with_route("", "stripe", "tolerance = \"10m\""), "tolerance of");
}

#[test]
fn more_deliveries_than_entries() {
    let quota = "\n[routes.a.rate_limit]\nper_route = { rate = \"6000/1m\", burst = 500 }\n";
    let entries = |count: &str| {
        with_route("", "github", &format!("{quota}[routes.a.replay]\nmax_entries = {count}\n"))
    };
    let problem = found(&entries("1000000"), Severity::Warning, "may let 8640000");
    assert!(line(&problem).starts_with("max_entries"), "{problem:?}");
    not_found(&entries("1_000_000\nwindow = \"2h\""), "may let");
    not_found(&with_route("", "github", ""), "may let");
}

#[test]
fn upstreams_slower_than_the_sender() {
    let timeout = |text: &str| {
        let table = format!(
            "\n[routes.a.upstream]\nurls = [\"http://127.0.0.1:3000\"]\ntimeout = \"{text}\"\n"
        );
        with_route("", "github", &table)
    };
    found(&timeout("11s"), Severity::Warning, "waits 10s only");
    not_found(&timeout("9s"), "only");
}

#[test]
fn statuses_that_the_sender_takes_badly() {
    let upstream = |table: &str| {
        format!("\n[routes.a.upstream]\nurls = [\"http://127.0.0.1:3000\"]\n{table}\n")
    };
    let problem =
        found(&with_route("", "svix", &upstream("")), Severity::Warning, "ends the subscription");
    assert!(problem.to_string().contains("map_status = { 410 = 503 }"), "{problem}");
    for map in ["410 = 503", "4xx = 503"] {
        let mapped = with_route("", "svix", &upstream(&format!("map_status = {{ {map} }}")));
        not_found(&mapped, "ends the subscription");
    }
    let beside = with_route("", "svix", &upstream("map_status = { 404 = 410 }"));
    found(&beside, Severity::Warning, "ends the subscription");
    not_found(&with_route("", "svix", "upstream = \"builtin:echo\""), "ends the subscription");
    not_found(&with_route("", "github", ""), "ends the subscription");
    found(&with_route("", "okta", ""), Severity::Note, "with 4xx is lost");
    not_found(&with_route("", "okta", &upstream("map_status = { 4xx = 503 }")), "is lost");
    not_found(&with_route("", "github", ""), "is lost");
}

#[test]
fn keys_that_are_yet_to_be_handed_over() {
    let asana = |secrets: &str| with_route("", "asana", &format!("secrets = [{secrets}]"));
    let problem =
        found(&asana("{ file = \"a.key\" }"), Severity::Note, "every delivery is refused until");
    assert!(problem.message.ends_with("`hookward pair a`"), "{problem}");
    assert!(line(&problem).contains("a.key"), "{problem}");
    let both = asana("{ env = \"GOOD\" }, { file = \"a.key\" }");
    found(&both, Severity::Note, "what is signed with it is refused until");
    not_found(&asana("{ env = \"GOOD\" }"), "no key yet");
    // A file that cannot be read is not one that is missing, and a variable is no file.
    found(&asana("{ file = \".\" }"), Severity::Error, "cannot read");
    found(&asana("{ env = \"UNSET\" }"), Severity::Error, "UNSET is not set");
    let github = with_route("", "github", "secrets = [{ file = \"a.key\" }]");
    found(&github, Severity::Error, "cannot read");
    for blank in ["", " \n"] {
        let problems = lint_files(&asana("{ file = \"a.key\" }"), &[("a.key", blank)]);
        assert!(problems.iter().any(|p| p.message.contains("no key yet")), "{problems:?}");
    }
}

#[test]
fn refusals_that_nobody_repeats() {
    let store = "[replay]\non_full = \"reject\"\n";
    found(&format!("{store}{}", with_route("", "github", "")), Severity::Warning, "never retries");
    not_found(&format!("{store}{}", with_route("", "stripe", "")), "never retries");
    not_found(&with_route("", "github", ""), "never retries");
}

#[test]
fn events_and_filters_that_are_not_signed() {
    let problem =
        found(&with_route("", "github", "events = [\"push\"]"), Severity::Warning, "tells events");
    assert!(
        problem.message.contains("x-github-event") || problem.message.contains("X-GitHub-Event")
    );
    not_found(&with_route("", "stripe", "events = [\"invoice.*\"]"), "tells events");
    let filter = |subject: &str| {
        with_route("", "github", &format!("filters = [{{ {subject}, exists = true }}]"))
    };
    found(&filter("header = \"X-GitHub-Event\""), Severity::Warning, "a filter of route a");
    found(&filter("query = \"a\""), Severity::Warning, "the query parameter a");
    not_found(&filter("json = \"/ref\""), "a filter");
}

#[test]
fn proofs_that_are_only_monitored() {
    for check in ["signature", "timestamp", "replay"] {
        let text = with_route("", "stripe", &format!("monitor = [\"{check}\"]"));
        found(&text, Severity::Warning, &format!("only monitors its {check}"));
    }
    not_found(&with_route("", "stripe", "monitor = [\"events\"]"), "only monitors");
}

#[test]
fn what_a_scheme_leaves_open() {
    found(&with_route("", "telegram", ""), Severity::Note, "compares a token");
    let off = with_route("", "stripe", "\n[routes.a.replay]\nenabled = false\n");
    found(&off, Severity::Note, "no replay protection: a copy is accepted for 5m");
    found(&with_route("", "gitlab", ""), Severity::Note, "known from third parties only");
    found(&with_route("", "gitlab", ""), Severity::Note, "not confirmed: that Idempotency-Key");
    not_found(&with_route("", "stripe", ""), "signs no timestamp");
}

#[test]
fn remote_schemas() {
    let dir = [("s.json", r#"{"$ref": "https://example.com/s.json"}"#)];
    let text = with_route("", "github", "\n[routes.a.body]\nschema = \"s.json\"\n");
    let problems = lint_files(&text, &dir);
    let remote = problems.iter().find(|p| p.to_string().contains("remote")).unwrap();
    assert_eq!(remote.severity, Severity::Error);
}
