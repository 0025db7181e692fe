//! `sign` and `send`.

use serde_json::Value;

use super::{Call, call, running::Running};

const ROUTE: &str = "[server]\nlisten = [\"127.0.0.1:0\"]\n[routes.gh]\npath = \"/in\"\n\
                     provider = \"github\"\nsecrets = [{ env = \"HOOK\" }]\n\
                     upstream = \"builtin:echo\"\n";
const SECRET: &str = "0123456789abcdef0123";

#[test]
fn a_route_of_a_configuration_can_be_signed_for() {
    let words = ["sign", "-c", "a.toml", "--route", "gh", "--format", "json"];
    let out = Call::new(&words).file("a.toml", ROUTE).env("HOOK", SECRET).run().ok();
    let json: Value = serde_json::from_str(&out).unwrap();
    assert!(json["url"].as_str().unwrap().ends_with("/in"), "{json}");
    let unknown = ["sign", "-c", "a.toml", "--route", "hg"];
    let said = Call::new(&unknown).file("a.toml", ROUTE).env("HOOK", SECRET).run().usage();
    assert!(said.contains("there is no route \"hg\""), "{said}");
}

#[test]
fn the_body_may_come_from_standard_input() {
    let words = ["sign", "--provider", "github", "--secret", "s", "--body", "-"];
    let out = Call::new(&words).stdin("{\"zen\":1}").run().ok();
    assert!(out.ends_with("Content-Length: 9\n\n{\"zen\":1}\n"), "{out}");
}

#[test]
fn curl_is_one_command() {
    let words = ["sign", "--provider", "github", "--secret", "s", "--format", "curl"];
    let out = call(&words).ok();
    assert!(out.starts_with("curl -X POST \\\n"), "{out}");
    assert!(out.ends_with("'http://127.0.0.1:8080/github'\n"), "{out}");
}

#[test]
fn what_is_sent_is_answered() {
    let gateway = Running::start(ROUTE, &[]);
    let url = format!("http://{}/in", gateway.address);
    let send =
        |secret: &str| call(&["send", "--provider", "github", "--secret", secret, "--url", &url]);
    let taken = send(SECRET).ok();
    assert!(taken.starts_with("HTTP/1.1 200 OK\n"), "{taken}");
    let refused = send("another");
    assert_eq!((refused.code, refused.err.as_str()), (1, ""));
    assert!(refused.out.starts_with("HTTP/1.1 401 Unauthorized\n"), "{refused:?}");
    gateway.end();

    let nobody = send(SECRET);
    assert_eq!((nobody.code, nobody.out.as_str()), (1, ""));
    assert!(nobody.err.starts_with("error: cannot send: no connection to "), "{nobody:?}");
}
