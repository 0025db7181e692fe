use std::{fs, path::PathBuf};

use clap::Parser;

use super::*;
use crate::verify::{Scheme, SchemeOptions, Secret, sign};

#[derive(Debug, Parser)]
struct Cli {
    #[command(flatten)]
    args: Args,
}

/// A folder with a configuration, its secret, and captured requests.
struct Desk {
    folder: tempfile::TempDir,
}

const AT: i64 = 1_760_000_000;

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("secret"), "hunter2-hunter2\n").unwrap();
        let schema = r#"{ "required": ["id"] }"#;
        fs::write(folder.path().join("schema.json"), schema).unwrap();
        let config = r#"
            [server]
            listen = ["127.0.0.1:8080"]
            [routes.stripe]
            path = "/stripe"
            provider = "stripe"
            secrets = [{ file = "secret" }]
            upstream = "http://127.0.0.1:3000/"
            events = ["invoice.*"]
            filters = [{ json = "/livemode", equals = true }]
            body.schema = "schema.json"
            [routes.watched]
            path = "/watched"
            provider = "stripe"
            secrets = [{ file = "secret" }]
            upstream = "http://127.0.0.1:3000/"
            monitor = ["signature"]
        "#;
        fs::write(folder.path().join("hookward.toml"), config).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Saves a Stripe delivery with this body, as raw HTTP.
    fn capture(&self, body: &str) -> String {
        let definition = crate::providers::builtin("stripe").unwrap();
        let scheme = Scheme::compile(definition, &SchemeOptions::default()).unwrap();
        let secrets = [Secret::new("a", b"hunter2-hunter2")];
        let signed = sign::sign(
            definition,
            &scheme,
            &secrets,
            &sign::SignRequest {
                at: crate::clock::UnixMs::from_secs(AT),
                body: Some(body.as_bytes()),
                headers: &[],
                id: None,
                kind: None,
                seed: 1,
                url: "https://h/stripe",
            },
        )
        .unwrap();
        let mut text = "POST /stripe HTTP/1.1\r\nHost: h\r\n".to_owned();
        for (name, value) in &signed.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str(&format!("\r\n{body}"));
        let path = self.path("request.http");
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    /// Runs the command at the time of signing; `@` stands for the folder.
    fn run(&self, request: &str, rest: &str) -> Result<Exit, String> {
        let rest = rest.replace('@', &self.folder.path().display().to_string());
        let at = AT.to_string();
        let words = ["x", "--request", request, "--at", &at];
        let words = words.into_iter().chain(rest.split_whitespace());
        let args = Cli::try_parse_from(words).map_err(|error| error.to_string())?.args;
        request::run(&args)
    }
}

const GOOD: &str = r#"{"id":"evt_1","type":"invoice.paid","livemode":true}"#;

#[test]
fn a_provider_and_a_secret() {
    let desk = Desk::new();
    let request = desk.capture(GOOD);
    let run = |rest: &str| desk.run(&request, rest);
    assert_eq!(run("--provider stripe --secret hunter2-hunter2"), Ok(Exit::Yes));
    assert_eq!(run("--provider stripe --secret file:@/secret"), Ok(Exit::Yes));
    assert_eq!(run("--provider stripe --secret other --secret hunter2-hunter2"), Ok(Exit::Yes));
    assert_eq!(run("--provider stripe --secret other"), Ok(Exit::No));
    assert_eq!(run("--provider stripe --secret other --expect signature_mismatch"), Ok(Exit::Yes));
    assert_eq!(run("--provider github --secret other --expect signature_missing"), Ok(Exit::Yes));
    let token = "--provider opencity-italia --secret v --expect header=";
    assert_eq!(run(&format!("{token}Stripe-Signature --expect signature_mismatch")), Ok(Exit::Yes));
    assert_eq!(run(&format!("{token}X-Absent --expect signature_missing")), Ok(Exit::Yes));
    for wrong in [
        "",
        "--provider stripe --secret a --expect kind=x",
        "--provider stripe --secret a --expect forwarded --expect replayed",
        "--provider stripe",
        "--secret a",
        "--provider strype --secret a",
        "--provider stripe --secret env:HOOKWARD_NO_SUCH_VARIABLE",
        "--provider stripe --secret a --expect no_such_code",
        "--provider stripe --secret a -c @/hookward.toml --route stripe",
    ] {
        assert!(run(wrong).is_err(), "{wrong}");
    }
    assert!(desk.run("/nowhere/at/all", "--provider stripe --secret a").is_err());
}

#[test]
fn a_route_with_its_events_filters_and_schema() {
    let desk = Desk::new();
    let verdict = |body: &str, code: &str| {
        let request = desk.capture(body);
        desk.run(&request, &format!("-c @/hookward.toml --route stripe --expect {code}"))
    };
    assert_eq!(verdict(GOOD, "forwarded"), Ok(Exit::Yes));
    assert_eq!(verdict(GOOD, "event_ignored"), Ok(Exit::No));
    assert_eq!(verdict(&GOOD.replace("invoice", "charge"), "event_ignored"), Ok(Exit::Yes));
    assert_eq!(verdict(&GOOD.replace("true", "false"), "event_ignored"), Ok(Exit::Yes));
    assert_eq!(verdict(&GOOD.replace("\"id\"", "\"ie\""), "schema_violation"), Ok(Exit::Yes));
    let twice = GOOD.replace("\"id\"", "\"id\":1,\"id\"");
    assert_eq!(verdict(&twice, "payload_malformed"), Ok(Exit::Yes));
    let request = desk.capture(GOOD);
    let absent = desk.run(&request, "-c @/hookward.toml --route nobody").unwrap_err();
    assert!(absent.contains("there is stripe, watched"), "{absent}");
}

#[test]
fn a_monitored_signature_lets_through_and_says_so() {
    let desk = Desk::new();
    let request = desk.capture(GOOD);
    let forged = fs::read_to_string(&request).unwrap().replace("evt_1", "evt_2");
    fs::write(&request, forged).unwrap();
    assert_eq!(desk.run(&request, "-c @/hookward.toml --route watched"), Ok(Exit::Yes));
    let stripe = "-c @/hookward.toml --route stripe --expect signature_mismatch";
    assert_eq!(desk.run(&request, stripe), Ok(Exit::Yes));
}

#[test]
fn a_handshake_is_told_from_a_delivery() {
    let desk = Desk::new();
    let verdict = |provider: &str, request: &str, code: &str| {
        let path = desk.path("handshake.http");
        fs::write(&path, format!("{request}\r\nHost: h\r\n\r\n")).unwrap();
        let rest = format!("--provider {provider} --secret hunter2-hunter2 --expect {code}");
        desk.run(&path.display().to_string(), &rest)
    };
    assert_eq!(verdict("dropbox", "GET /?challenge=a HTTP/1.1", "handshake"), Ok(Exit::Yes));
    assert_eq!(verdict("dropbox", "GET /?challenge= HTTP/1.1", "bad_request"), Ok(Exit::Yes));
    assert_eq!(
        verdict("dropbox", "POST /?challenge=a HTTP/1.1", "signature_missing"),
        Ok(Exit::Yes)
    );
    let meta = "GET /?hub.mode=subscribe&hub.challenge=1&hub.verify_token=v HTTP/1.1";
    assert_eq!(verdict("meta", meta, "handshake_refused"), Ok(Exit::Yes));
    let told = "handshake --expect verify_token=v";
    assert_eq!(verdict("meta", meta, told), Ok(Exit::Yes));
    let offered = "POST / HTTP/1.1\r\nX-Hook-Secret: abc";
    assert_eq!(verdict("asana", offered, "handshake_refused"), Ok(Exit::Yes));
}
