//! `verify`: captured requests, and files of cases.

use serde_json::Value;

use super::{Call, Out, call, call::of_the_repository};

const SECRET: &str = "whsec_0123456789abcdef";

fn sign(format: &str) -> String {
    call(&["sign", "--provider", "stripe", "--secret", SECRET, "--format", format]).ok()
}

fn verify(request: impl Into<Vec<u8>>, args: &[&str]) -> Out {
    let words = ["verify", "--provider", "stripe", "--request", "-"];
    let secret: &[&str] = if args.contains(&"--secret") { &[] } else { &["--secret", SECRET] };
    Call::new(&[&words, secret, args].concat()).stdin(request).run()
}

#[test]
fn what_sign_prints_is_judged_from_standard_input() {
    for format in ["headers", "json"] {
        let out = verify(sign(format), &[]).ok();
        assert!(out.ends_with("  = forwarded\n"), "{out}");
    }
}

#[test]
fn verdicts_are_exit_codes() {
    let stale = ["--at", "4102444800"];
    assert_eq!(verify(sign("headers"), &stale).code, 1);
    let expected = [&stale[..], &["--expect", "timestamp_expired"]].concat();
    assert_eq!(verify(sign("headers"), &expected).code, 0);
    assert_eq!(verify(sign("headers"), &["--expect", "replayed"]).code, 1);
    let json = verify(sign("json"), &["--format", "json"]).ok();
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["requests"][0]["verdict"], "forwarded");
    for nonsense in [&b""[..], b"\xff\x00", b"GET / HTTP/1.1\r\n", b"{}", b"{\"method\":1}"] {
        assert!(verify(nonsense, &[]).usage().contains("error: -"), "{nonsense:?}");
    }
}

#[test]
fn near_misses_are_explained() {
    let newline = Call::new(&[
        "verify",
        "--provider",
        "stripe",
        "--secret",
        "file:secret",
        "--request",
        "captured.http",
    ])
    .file("secret", "whsec_0123456789abcdef ")
    .file("captured.http", sign("headers"))
    .run();
    assert_eq!(newline.code, 1);
    assert!(newline.out.contains("near miss: "), "{newline:?}");

    let other = verify(sign("headers"), &["--secret", "another"]);
    assert_eq!(other.code, 1);
    assert!(other.out.contains("no near miss: it was made with another key"), "{other:?}");
}

/// The line of a file of cases, and the secret in it.
fn case(file: &str, name: &str) -> (String, String) {
    let text = std::fs::read_to_string(of_the_repository(&format!("tests/vectors/{file}")));
    let text = text.unwrap();
    let is_it = |line: &&str| {
        serde_json::from_str::<Value>(line).is_ok_and(|case| case["case"].as_str() == Some(name))
    };
    let line = text.lines().find(is_it).unwrap();
    let case: Value = serde_json::from_str(line).unwrap();
    (line.to_owned(), case["secret"].as_str().unwrap().to_owned())
}

#[test]
fn forged_cases_are_explained_too() {
    for (file, name, says) in [
        ("stripe.jsonl", "reject-body-byte-appended", "without the whitespace at its end"),
        ("stripe.jsonl", "reject-stale-timestamp", "360 s old, 300 s allowed"),
        ("stripe.jsonl", "reject-wrong-secret", "no near miss: "),
        ("stripe.jsonl", "reject-truncated-signature", "is not of the provider's form"),
        ("slack.jsonl", "reject-missing-signature-header", "is missing"),
        ("github.jsonl", "reject-retired-secret", "signature_mismatch"),
    ] {
        let (line, secret) = case(file, name);
        let provider = file.trim_end_matches(".jsonl");
        let words =
            ["verify", "--provider", provider, "--secret", &secret, "--request", "line.jsonl"];
        let done = Call::new(&words).file("line.jsonl", line).run();
        assert_eq!(done.code, 1, "{name}: {done:?}");
        assert!(done.out.contains(says), "{name}: {}", done.out);
    }
}

#[test]
fn a_key_that_would_be_fetched_is_named() {
    let config = "[server]\nlisten = [\"127.0.0.1:1\"]\n[fetch]\ncache = \"cache\"\n\
        [providers.mine]\nsignature = { algorithm = \"jws\", from = \"bearer\", \
        algorithms = [\"ES256\"] }\n\
        [routes.a]\npath = \"/a\"\nprovider = \"mine\"\nupstream = \"builtin:echo\"\n\
        public_keys = [{ jwks_url = \"https://keys.example/set?token=hidden\" }]\n";
    // The head names the key "k-1".
    let token = "eyJhbGciOiJFUzI1NiIsImtpZCI6ImstMSJ9.eyJleHAiOjE3NjAwMDA2MDB9.AAAA";
    let request = format!(
        "POST /a HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {token}\r\n\
         Content-Length: 0\r\n\r\n"
    );
    let words = ["verify", "-c", "hookward.toml", "--route", "a", "--request", "r.http"];
    let done = Call::new(&words).file("hookward.toml", config).file("r.http", &request).run();
    let says = "the key \"k-1\" of https://keys.example/set is not in fetch.cache";
    assert!(done.out.contains(says) && done.out.contains("key_unavailable"), "{done:?}");
    assert!(!done.out.contains("hidden") && done.code == 1, "{done:?}");
}

#[test]
fn the_cases_of_all_providers_agree() {
    let done = call(&["verify", "--vectors", &of_the_repository("tests/vectors")]);
    assert_eq!((done.code, done.err.as_str()), (0, ""), "{done:?}");
    assert!(done.out.ends_with(" agreed, 0 disagreed, 0 unsupported\n"), "{}", done.out);
    assert_eq!(done.out.lines().count(), 1, "{}", done.out);
}

#[test]
fn a_supported_file_of_cases_is_a_yes() {
    let file = of_the_repository("tests/vectors/stripe.jsonl");
    let out = call(&["verify", "--vectors", &file]).ok();
    assert!(out.ends_with(" agreed, 0 disagreed, 0 unsupported\n"), "{out}");
    let json = call(&["verify", "--vectors", &file, "--format", "json"]).ok();
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["disagreed"], &json["unsupported"]), (&0.into(), &0.into()));
}
