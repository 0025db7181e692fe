//! What answers and audit lines may and may not say.

use crate::support::{Gateway, Upstream, github, stripe};

const SECRET: &str = "a-secret-of-16-bytes-or-more";

fn routes(upstream: &Upstream) -> String {
    format!(
        r#"
[routes.github]
path = "/github"
provider = "github"
secrets = [{{ value = "{SECRET}" }}]
upstream = "{0}"
[routes.stripe]
path = "/stripe"
provider = "stripe"
secrets = [{{ value = "{SECRET}" }}]
upstream = "{0}"
"#,
        upstream.url("")
    )
}

#[test]
fn uniform_refusals_have_the_same_headers_too() {
    let upstream = Upstream::start();
    let gateway = Gateway::start(&routes(&upstream));
    let now = gateway.clock.unix().secs();
    for body in [&b"{}"[..], b""] {
        let cases = [
            ("/github", None),
            ("/github", Some(("X-Hub-Signature-256", github("another secret entirely", body)))),
            ("/stripe", Some(("Stripe-Signature", format!("v1={}", "0".repeat(64))))),
            ("/stripe", Some(("Stripe-Signature", stripe(SECRET, now - 4000, body)))),
        ];
        let heads: std::collections::BTreeSet<Vec<String>> = cases
            .iter()
            .map(|(path, header)| {
                let headers: Vec<_> = header.iter().map(|(n, v)| (*n, v.as_str())).collect();
                let head = gateway.post(path, &headers, body).head.to_ascii_lowercase();
                let lines = head.lines().filter(|line| {
                    !line.starts_with("date:") && !line.starts_with("x-request-id:")
                });
                lines.map(str::to_owned).collect()
            })
            .collect();
        assert_eq!(heads.len(), 1, "{heads:?}");
    }
}

#[test]
fn a_signature_that_was_not_judged_did_not_pass() {
    let upstream = Upstream::start();
    let more = "[routes.github.body]\nmax_size = \"8B\"\n[log]\naudit = \"audit.jsonl\"\n";
    let mut gateway = Gateway::start(&format!("{}{more}", routes(&upstream)));
    let body = b"larger than that";
    let signature = github(SECRET, body);
    let answer = gateway.post("/github", &[("X-Hub-Signature-256", &signature)], body);
    assert_eq!(answer.status, 413);
    let lines = gateway.audit("audit.jsonl");
    let checks = lines[0]["checks"].as_array().unwrap();
    assert!(checks.iter().all(|check| check["check"] != "signature"), "{checks:?}");
}

#[test]
fn nothing_is_proven_by_what_an_unverified_request_says() {
    let upstream = Upstream::start();
    let config = routes(&upstream)
        .replace("provider = \"stripe\"", "provider = \"stripe\"\nmonitor = [\"signature\"]");
    let mut gateway = Gateway::start(&format!("[log]\naudit = \"audit.jsonl\"\n{config}"));
    let now = gateway.clock.unix().secs();
    let forged = |at| stripe("another secret entirely", at, b"{}");
    let answer = gateway.post("/stripe", &[("Stripe-Signature", &forged(now))], b"{}");
    assert_eq!(answer.status, 200);
    assert_eq!(upstream.last().header("hookward-verified"), None);
    // An enforced check still refuses.
    let answer = gateway.post("/stripe", &[("Stripe-Signature", &forged(now - 4000))], b"{}");
    assert_eq!((answer.status, upstream.count()), (401, 1));
    let lines = gateway.audit("audit.jsonl");
    assert_eq!(lines[1]["decision"], "timestamp_expired");
    let checks = lines[0]["checks"].as_array().unwrap();
    let proven = checks.iter().filter(|check| check["outcome"] == "pass");
    let names: Vec<_> = proven.filter_map(|check| check["check"].as_str()).collect();
    for name in ["signature", "timestamp", "replay"] {
        assert!(!names.contains(&name), "{names:?}");
    }
}

#[test]
fn the_root_s_dot_makes_no_other_host() {
    let upstream = Upstream::start();
    let route = |name: &str, host: &str, path: &str| {
        format!(
            "[routes.{name}]\n{host}\npath = \"/github\"\nprovider = \"github\"\nsecrets = [{{ value = \"{SECRET}\" }}]\nupstream = \"{}\"\n",
            upstream.url(path)
        )
    };
    let gateway = Gateway::start(&format!(
        "{}{}",
        route("hosted", "host = \"hooks.example.com\"", "/hosted"),
        route("any", "", "/any"),
    ));
    let signature = github(SECRET, b"{}");
    let mut client = gateway.connect();
    let request = format!(
        "POST /github HTTP/1.1\r\nHost: Hooks.Example.com.:80\r\nX-Hub-Signature-256: {signature}\r\nContent-Length: 2\r\n\r\n{{}}"
    );
    client.write(request.as_bytes());
    assert_eq!(client.read().unwrap().status, 200);
    assert_eq!(upstream.last().target(), "/hosted");
}
