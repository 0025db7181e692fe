//! What a sender reads as a "thank you", and statuses that it must not see.

use crate::support::{Act, Answer, Gateway, Upstream, github};

const SECRET: &str = "a-secret-of-16-bytes-or-more";
const OK: &str = "{\"status\":\"OK\"}";

fn config(upstream: &Upstream, provider: &str, more: &str) -> String {
    format!(
        "[server]\nlisten = [\"127.0.0.1:0\"]\n[log]\naudit = \"audit.jsonl\"\n\
         [routes.r]\npath = \"/r\"\nprovider = \"{provider}\"\n\
         secrets = [{{ value = \"{SECRET}\" }}]\n{more}\n[routes.r.upstream]\nurls = [\"{}\"]\n",
        upstream.url("")
    )
}

fn getresponse(gateway: &Gateway, id: &str, kind: &str) -> Answer {
    let target = format!("/r?token={SECRET}");
    let body = format!("{{\"type\":\"{kind}\",\"n\":\"{id}\"}}");
    let headers = [("X-Webhook-ID", id), ("X-Webhook-Type", kind)];
    gateway.post(&target, &headers, body.as_bytes())
}

#[track_caller]
fn thanked(answer: &Answer) {
    assert_eq!((answer.status, answer.text().as_str()), (200, OK), "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(answer.header("x-request-id").is_some());
}

#[test]
fn getresponse_reads_its_body_in_every_success() {
    let upstream = Upstream::start();
    let mut gateway = Gateway::start(&config(&upstream, "getresponse", "events = [\"a\"]"));
    let large: &'static str = Box::leak("x".repeat(200_000).into_boxed_str());
    upstream.next([
        Act::Answer(200, "ok"),
        Act::Answer(202, ""),
        Act::Answer(200, large),
        Act::Answer(500, "not now"),
        Act::Answer(200, "again"),
    ]);
    for id in ["1", "2", "3"] {
        thanked(&getresponse(&gateway, id, "a"));
    }
    // A failure is the receiver's own, and is tried again.
    let failed = getresponse(&gateway, "4", "a");
    assert_eq!((failed.status, failed.text().as_str()), (500, "not now"));
    thanked(&getresponse(&gateway, "4", "a"));
    // And of the answers that the gateway makes itself.
    thanked(&getresponse(&gateway, "4", "a"));
    thanked(&getresponse(&gateway, "5", "unwanted"));
    assert_eq!(upstream.count(), 5);
    let lines = gateway.audit("audit.jsonl");
    let told: Vec<_> = lines
        .iter()
        .map(|line| (line["decision"].as_str().unwrap(), line["status"].as_u64().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            ("forwarded", 200),
            ("forwarded", 200),
            ("forwarded", 200),
            ("forwarded", 500),
            ("forwarded", 200),
            ("duplicate", 200),
            ("event_ignored", 200)
        ]
    );
    assert_eq!(lines[1]["upstream_status"], 202, "what the receiver said is on record");
}

#[test]
fn other_senders_read_what_the_receiver_says() {
    let upstream = Upstream::start();
    let gateway = Gateway::start(&config(&upstream, "github", "events = [\"push\"]"));
    upstream.next([Act::Answer(201, "made")]);
    let post = |body: &str, event: &str| {
        let signature = github(SECRET, body.as_bytes());
        let headers = [("X-Hub-Signature-256", signature.as_str()), ("X-GitHub-Event", event)];
        gateway.post("/r", &headers, body.as_bytes())
    };
    let made = post("{}", "push");
    assert_eq!((made.status, made.text().as_str()), (201, "made"));
    let ignored = post("{\"n\":1}", "star");
    assert_eq!((ignored.status, ignored.text().as_str()), (204, ""));
}

#[test]
fn a_soap_acknowledgement_is_data() {
    let upstream = Upstream::start();
    let ack = "<Envelope><Body><Ack>true</Ack></Body></Envelope>";
    let provider = format!(
        "[providers.soap]\ntitle = \"SOAP\"\n\
         signature = {{ algorithm = \"token\", from = \"header:X-Token\" }}\n\
         event = {{ id = \"header:X-Id\" }}\n\
         acknowledgement = {{ status = 200, content_type = \"text/xml\", body = \"{ack}\" }}\n"
    );
    let gateway = Gateway::start(&(config(&upstream, "soap", "") + &provider));
    let post = || gateway.post("/r", &[("X-Token", SECRET), ("X-Id", "1")], b"<a/>");
    upstream.next([Act::Answer(200, "<theirs/>")]);
    assert_eq!(post().text(), "<theirs/>", "without `replace` the receiver's own");
    let duplicate = post();
    assert_eq!((duplicate.status, duplicate.text().as_str()), (200, ack));
    assert_eq!(duplicate.header("content-type"), Some("text/xml"));
}

#[test]
fn statuses_are_mapped_one_by_one_and_by_class() {
    let upstream = Upstream::start();
    let mapped = config(&upstream, "github", "")
        + "map_status = { 410 = 503, 404 = 404, 4xx = 502, 201 = 200 }\n";
    let gateway = Gateway::start(&mapped);
    for (number, (theirs, ours)) in
        [(410, 503), (404, 404), (418, 502), (500, 500), (201, 200), (202, 202)]
            .into_iter()
            .enumerate()
    {
        upstream.next([Act::Answer(theirs, "theirs")]);
        let body = format!("{{\"n\":{number}}}");
        let signature = github(SECRET, body.as_bytes());
        let post = || gateway.post("/r", &[("X-Hub-Signature-256", &signature)], body.as_bytes());
        assert_eq!(post().status, ours, "{theirs}");
        // The receiver's own status decides whether it is delivered, whatever the sender saw.
        assert_eq!(post().status, if theirs < 300 { 409 } else { 200 }, "{theirs}");
    }
    for bad in ["4x = 503", "xx = 503", "1xx = 503", "6xx = 503", "4xx = 200", "4xx = 99"] {
        let refused = config(&upstream, "github", "") + &format!("map_status = {{ {bad} }}\n");
        assert!(!gateway.reload(&refused), "{bad}");
    }
}

#[test]
fn our_own_answers_end_no_subscription() {
    let upstream = Upstream::start();
    let provider = "[providers.touchy]\ntitle = \"Touchy\"\ndestructive = [\"401\", \"413\"]\n\
         signature = { algorithm = \"hmac-sha256\", from = \"header:X-Signature\", signed = \"{body}\" }\n";
    let small = "[routes.r.body]\nmax_size = \"100B\"\n";
    let mut gateway = Gateway::start(&(config(&upstream, "touchy", small) + provider));
    let missing = gateway.post("/r", &[], b"{}");
    let wrong = gateway.post("/r", &[("X-Signature", &"00".repeat(32))], b"{}");
    for answer in [&missing, &wrong] {
        assert_eq!((answer.status, answer.code().as_str()), (503, ""), "{answer:?}");
    }
    assert_eq!(missing.body, wrong.body, "which it was is nothing to tell");
    let large = gateway.post("/r", &[("X-Signature", &"00".repeat(32))], &[b'x'; 101]);
    assert_eq!((large.status, large.code().as_str()), (503, "body_too_large"));
    let lines = gateway.audit("audit.jsonl");
    let decided: Vec<_> = lines.iter().map(|line| line["decision"].as_str().unwrap()).collect();
    assert_eq!(decided, ["signature_missing", "signature_mismatch", "body_too_large"]);
    assert!(lines.iter().all(|line| line["status"] == 503));
}
