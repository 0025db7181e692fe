//! Senders that sign the fields of forms, the elements of batches, or documents in forms: as their
//! documentation describes them, from their first delivery to their last retry.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha1::{Digest as _, Sha1};
use sha2::Sha256;

use crate::support::{Act, Answer, Gateway, Upstream, github};

const SECRET: &str = "a-secret-of-16-bytes-or-more";
const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8");

fn gateway(upstream: &Upstream, route: &str) -> Gateway {
    Gateway::start(&format!(
        "[server]\nlisten = [\"127.0.0.1:0\"]\nanswers = \"codes\"\n[admin]\nlisten = \"127.0.0.1:0\"\n\
         [routes.r]\npath = \"/r\"\nupstream = \"{}\"\n{route}",
        upstream.url("")
    ))
}

fn secrets() -> String {
    format!("secrets = [{{ value = \"{SECRET}\", id = \"k\" }}]\n")
}

fn sha1_mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha1>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// Status and code, or the status alone where the answer has none.
fn told(answer: &Answer) -> (u16, String) {
    let is_problem = answer.header("content-type") == Some("application/problem+json");
    (answer.status, if is_problem { answer.code() } else { String::new() })
}

fn twilio(upstream: &Upstream) -> Gateway {
    let route = "provider = \"twilio\"\nexpect = { url = \"https://hooks.example/r?x=1\" }\n";
    gateway(upstream, &format!("{route}{}", secrets()))
}

/// Signs what Twilio would for a form.
fn twilio_form(sorted: &str) -> String {
    STANDARD.encode(sha1_mac(SECRET.as_bytes(), &format!("https://hooks.example/r?x=1{sorted}")))
}

#[test]
fn a_form_is_bound_to_its_signature_with_its_first_delivery() {
    let upstream = Upstream::start();
    let gateway = twilio(&upstream);
    let signature = twilio_form("Amount12Id7");
    let headers = [FORM, ("X-Twilio-Signature", signature.as_str())];
    let post = |body: &str| told(&gateway.post("/r?x=1", &headers, body.as_bytes()));
    upstream.next([Act::Answer(500, "")]);
    assert_eq!(post("Id=7&Amount=12"), (500, String::new()));
    // The same signature holds for the same characters divided otherwise, but only once.
    assert_eq!(post("Amoun=t12&Id=7"), (409, "replayed".to_owned()));
    assert_eq!(post("Id=7&Amount=12"), (200, String::new()));
    assert_eq!(post("Id=7&Amount=12"), (200, String::new()), "a retry is acknowledged");
    assert_eq!(post("Amoun=t12&Id=7"), (409, "replayed".to_owned()));
    assert_eq!(post("Id=7&Amount=13"), (401, "signature_mismatch".to_owned()));
    assert_eq!(upstream.count(), 2);
    assert_eq!(upstream.last().body, b"Id=7&Amount=12");
    assert_eq!(upstream.last().header("hookward-verified"), Some("signature, replay"));
}

#[test]
fn forms_of_every_size_are_judged_or_refused() {
    let upstream = Upstream::start();
    let gateway = twilio(&upstream);
    let fields = |count: usize| (0..count).map(|n| format!("k{n:05}=v")).collect::<Vec<_>>();
    let signature = twilio_form(&fields(10_000).join("").replace('=', ""));
    let headers = [FORM, ("X-Twilio-Signature", signature.as_str())];
    let body = fields(10_000).join("&");
    assert_eq!(told(&gateway.post("/r?x=1", &headers, body.as_bytes())), (200, String::new()));
    let more = fields(10_001).join("&");
    let answer = gateway.post("/r?x=1", &headers, more.as_bytes());
    assert_eq!(told(&answer), (400, "payload_malformed".to_owned()));
    for kind in ["multipart/form-data; boundary=x", "text/plain", ""] {
        let headers = [("Content-Type", kind), ("X-Twilio-Signature", signature.as_str())];
        let answer = gateway.post("/r?x=1", &headers, body.as_bytes());
        assert_eq!(told(&answer), (400, "payload_malformed".to_owned()), "{kind}");
    }
    assert_eq!(upstream.count(), 1);
}

#[test]
fn json_is_bound_by_the_query_and_get_has_no_body() {
    let upstream = Upstream::start();
    let gateway = twilio(&upstream);
    let sign = |target: &str| {
        STANDARD.encode(sha1_mac(SECRET.as_bytes(), &format!("https://hooks.example{target}")))
    };
    let body = br#"{"property":"value"}"#;
    let target = format!("/r?x=1&bodySHA256={}", hex::encode(Sha256::digest(body)));
    let signature = sign(&target);
    let headers = [("Content-Type", "application/json"), ("X-Twilio-Signature", &*signature)];
    assert_eq!(told(&gateway.post(&target, &headers, b"{}")).1, "signature_mismatch");
    assert_eq!(gateway.post(&target, &headers, body).status, 200);
    let other = format!("/r?x=1&bodySHA256={}", hex::encode(Sha256::digest(b"{}")));
    assert_eq!(told(&gateway.post(&other, &headers, b"{}")).1, "signature_mismatch");

    let signature = sign("/r?x=1&Digits=1");
    let headers = [("X-Twilio-Signature", signature.as_str())];
    assert_eq!(gateway.send("GET", "/r?x=1&Digits=1", &headers, b"").status, 200);
    let smuggled = gateway.send("GET", "/r?x=1&Digits=1", &headers, b"Digits=2");
    assert_eq!(told(&smuggled).1, "signature_mismatch");
    assert_eq!(upstream.count(), 2);
}

#[test]
fn nobody_goes_back_to_the_older_digest() {
    let upstream = Upstream::start();
    let route =
        "provider = \"twilio-sha256\"\nexpect = { url = \"https://hooks.example/r?x=1\" }\n";
    let gateway = gateway(&upstream, &format!("{route}{}", secrets()));
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(b"https://hooks.example/r?x=1a1");
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    let old = twilio_form("a1");
    let settings = "X-Twilio-Webhooks-Signature-Settings";
    let post = |headers: &[(&str, &str)]| told(&gateway.post("/r?x=1", headers, b"a=1")).0;
    assert_eq!(post(&[FORM, ("X-Twilio-Signature", &old)]), 401);
    assert_eq!(post(&[FORM, ("X-Twilio-Signature", &signature)]), 401);
    assert_ne!(
        post(&[FORM, ("X-Twilio-Signature", &old), (settings, "key=k,algorithm=HMAC_SHA256")]),
        200
    );
    assert_ne!(
        post(&[FORM, ("X-Twilio-Signature", &signature), (settings, "key=k,algorithm=HMAC_SHA1")]),
        200
    );
    let named =
        [FORM, ("X-Twilio-Signature", &*signature), (settings, "key=k,algorithm=HMAC_SHA256")];
    assert_eq!(post(&named), 200);
    assert_eq!(upstream.last().header("hookward-key-id"), Some("k"));
}

#[test]
fn events_and_filters_look_into_the_document_of_a_form() {
    let upstream = Upstream::start();
    let rules = "filters = [{ json = \"/repository/private\", equals = false }]\n";
    let gateway = gateway(&upstream, &format!("provider = \"github\"\n{}{rules}", secrets()));
    let post = |body: &str| {
        let signature = github(SECRET, body.as_bytes());
        let headers = [FORM, ("X-GitHub-Event", "push"), ("X-Hub-Signature-256", &*signature)];
        told(&gateway.post("/r", &headers, body.as_bytes()))
    };
    let payload =
        |private: bool| format!("%7B%22repository%22%3A%7B%22private%22%3A{private}%7D%7D");
    assert_eq!(post(&format!("payload={}", payload(false))), (200, String::new()));
    assert_eq!(post(&format!("payload={}", payload(true))).0, 204);
    let twice = format!("payload={}&payload={}", payload(false), payload(true));
    assert_eq!(post(&twice), (400, "payload_malformed".to_owned()));
    assert_eq!(post("payload=%7B"), (400, "payload_malformed".to_owned()));
    assert_eq!(upstream.count(), 1);
}

/// One item of a payment notification, signed.
fn item(reference: &str, event: &str) -> String {
    let text = format!("{reference}::Shop:order:1:1000:EUR:{event}:true");
    let key: Vec<u8> = (0..32).collect();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(text.as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    format!(
        r#"{{"NotificationRequestItem":{{"additionalData":{{"hmacSignature":"{signature}"}},"amount":{{"currency":"EUR","value":1000}},"eventCode":"{event}","merchantAccountCode":"Shop","merchantReference":"order:1","pspReference":"{reference}","success":"true"}}}}"#
    )
}

#[test]
fn a_batch_passes_whole_or_not_at_all() {
    let upstream = Upstream::start();
    let key = hex::encode((0..32).collect::<Vec<u8>>());
    let route = format!("provider = \"adyen\"\nsecrets = [{{ value = \"{key}\" }}]\n");
    let gateway = gateway(&upstream, &route);
    let post = |items: &str| {
        let body = format!(r#"{{"live":"false","notificationItems":[{items}]}}"#);
        gateway.post("/r", &[("Content-Type", "application/json")], body.as_bytes())
    };
    let (one, two) = (item("1", "AUTHORISATION"), item("2", "CAPTURE"));
    assert_eq!(post(&format!("{one},{two}")).status, 200);
    assert_eq!(upstream.last().header("hookward-event-type"), Some("AUTHORISATION"));
    let again = post(&format!("{one},{two}"));
    assert_eq!((again.status, &*again.text()), (200, "[accepted]"));
    let forged = two.replace("1000", "9000");
    assert_eq!(told(&post(&format!("{one},{forged}"))), (401, "signature_mismatch".to_owned()));
    let bare = two.replace("hmacSignature", "other");
    assert_eq!(told(&post(&format!("{one},{bare}"))), (401, "signature_missing".to_owned()));
    assert_eq!(told(&post("")).0, 401, "an empty list proves nothing");
    assert_eq!(upstream.count(), 1);
}

fn soap(owner: &str, ids: &[&str]) -> String {
    let notifications: String =
        ids.iter().map(|id| format!("<Notification><Id>{id}</Id></Notification>")).collect();
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body><notifications xmlns="http://soap.sforce.com/2005/09/outbound"><OrganizationId>{owner}</OrganizationId><ActionId>04k1</ActionId>{notifications}</notifications></soapenv:Body></soapenv:Envelope>"#
    )
}

#[test]
fn outbound_messages_are_acknowledged_in_their_own_words() {
    let upstream = Upstream::start();
    let route = "provider = \"salesforce-outbound\"\nexpect = { organization_id = \"00D000000000001EAA\" }\n";
    let gateway = gateway(&upstream, route);
    let post = |body: &str| {
        gateway.post("/r", &[("Content-Type", "text/xml; charset=utf-8")], body.as_bytes())
    };
    let ours = "00D000000000001EAA";
    upstream.next([Act::Answer(503, "")]);
    assert_eq!(post(&soap(ours, &["04l1"])).status, 503);
    assert_eq!(post(&soap(ours, &["04l1"])).status, 200, "it comes again until it is acknowledged");
    let again = post(&soap(ours, &["04l1"]));
    assert_eq!(again.status, 200);
    assert!(again.text().contains("<Ack>true</Ack>"), "{}", again.text());
    assert_eq!(again.header("content-type"), Some("text/xml; charset=utf-8"));
    assert_eq!(post(&soap(ours, &["04l1", "04l2"])).status, 200, "a batch put together anew");
    assert_eq!(upstream.count(), 3);
    assert_eq!(upstream.last().header("hookward-event-type"), Some("04k1"));
    assert_eq!(upstream.last().header("hookward-verified"), None, "nobody proved anything");
    for bad in [
        soap("00D000000000002EAA", &["04l3"]),
        soap("00D000000000001<!-- -->EAA", &["04l3"]),
        soap(ours, &["04l3"]).replace("<soapenv:Envelope", "<!DOCTYPE x><soapenv:Envelope"),
        soap(ours, &["04l3"]).replace("</notifications>", "</notifications><notifications/>"),
        soap("&org;", &["04l3"]),
        "{}".to_owned(),
        String::new(),
    ] {
        assert_eq!(post(&bad).status, 401, "{bad}");
    }
    assert_eq!(upstream.count(), 3);
}

#[test]
fn a_document_in_base64_has_a_type_and_a_time() {
    let upstream = Upstream::start();
    let route = "provider = \"braintree\"\nevents = [\"subscription_*\"]\n";
    let gateway = gateway(&upstream, &format!("{route}{}", secrets()));
    let post = |kind: &str, at: i64| {
        let at = jiff::Timestamp::from_second(at).unwrap();
        let payload = STANDARD.encode(format!(
            "<notification><timestamp type=\"datetime\">{at}</timestamp><kind>{kind}</kind></notification>"
        ));
        let signature = hex::encode(sha1_mac(&Sha1::digest(SECRET), &payload));
        let payload = payload.replace('+', "%2B").replace('=', "%3D");
        let body = format!("bt_signature=k%7C{signature}&bt_payload={payload}");
        told(&gateway.post("/r", &[FORM], body.as_bytes()))
    };
    let now = gateway.clock.unix().secs();
    assert_eq!(post("subscription_canceled", now), (200, String::new()));
    assert_eq!(upstream.last().header("hookward-verified"), Some("signature, timestamp, replay"));
    assert_eq!(post("dispute_opened", now).0, 204);
    assert_eq!(
        post("subscription_canceled", now - 26 * 3600),
        (401, "timestamp_expired".to_owned())
    );
    assert_eq!(upstream.count(), 1);
}

#[test]
fn a_field_that_is_named_is_covered() {
    let upstream = Upstream::start();
    let route = "provider = \"mandrill\"\nexpect = { url = \"https://hooks.example/r\" }\nevents = [\"send\"]\n";
    let gateway = gateway(&upstream, &format!("{route}{}", secrets()));
    let post = |events: &str, more: &str| {
        let text = format!("https://hooks.example/rmandrill_events{events}");
        let signature = STANDARD.encode(sha1_mac(SECRET.as_bytes(), &text));
        let field: String = events.bytes().map(|b| format!("%{b:02X}")).collect();
        let body = format!("mandrill_events={field}{more}");
        told(&gateway.post("/r", &[FORM, ("X-Mandrill-Signature", &signature)], body.as_bytes()))
    };
    assert_eq!(post(r#"[{"event":"send","_id":"a"}]"#, ""), (200, String::new()));
    assert_eq!(post(r#"[{"event":"click","_id":"a"}]"#, "").0, 204);
    assert_eq!(post(r#"[{"event":"send","_id":"b"}]"#, "&mandrill_events=x").0, 400);
    assert_eq!(upstream.count(), 1);
}
