use http::Request;
use proptest::prelude::*;

use super::*;
use crate::upstream::tests::{fields, outgoing};

fn rules() -> Rules {
    let fixed = [(HeaderName::from_static("x-team"), HeaderValue::from_static("billing"))];
    Rules::new("stripe", "Stripe", &fixed, vec![HeaderName::from_static("x-odd")], true)
}

fn prepared(request: http::request::Builder, body: usize) -> HeaderMap {
    let head = request.body(()).unwrap().into_parts().0;
    written(&head, &outgoing(), body)
}

fn written(head: &Parts, out: &Outgoing<'_>, body: usize) -> HeaderMap {
    let mut bytes = Vec::new();
    rules().write(head, out, body, &mut bytes);
    fields(&bytes)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().unwrap();
    assert!(values.next().is_none(), "{name} is there twice");
    Some(value)
}

#[test]
fn the_gateway_speaks_for_itself_alone() {
    let request = Request::post("/x")
        .header("Host", "Hooks.Example.com:8443")
        .header("X-Request-Id", "theirs")
        .header("x_request_id", "theirs")
        .header("X-Forwarded-For", "6.6.6.6")
        .header("Forwarded", "for=6.6.6.6")
        .header("Hookward-Verified", "signature, timestamp")
        .header("Hookward_Monitored", "none")
        .header("X_Team", "evil")
        .header("X-Team", "evil")
        .header("Webhook_Signature", "v1,evil")
        .header("X-Custom", "kept")
        .header("x_custom", "kept too")
        .header("X-Custom", "and this");
    let headers = prepared(request, 3);
    for (name, value) in [
        ("x-request-id", "0123"),
        ("x-forwarded-for", "192.0.2.7"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "Hooks.Example.com:8443"),
        ("hookward-route", "stripe"),
        ("hookward-provider", "Stripe"),
        ("hookward-event-id", "evt_1"),
        ("hookward-event-type", "Push Hook"),
        ("hookward-key-id", "2026"),
        ("hookward-verified", "signature, replay"),
        ("x-team", "billing"),
        ("x_custom", "kept too"),
    ] {
        assert_eq!(text(&headers, name), Some(value), "{name}");
    }
    let custom: Vec<_> = headers.get_all("x-custom").iter().collect();
    assert_eq!(custom, ["kept", "and this"]);
    let gone = ["host", "forwarded", "x_request_id", "x_team", "webhook_signature"];
    for name in gone.iter().chain(&["hookward_monitored", "hookward-monitored"]) {
        assert!(!headers.contains_key(*name), "{name}");
    }
}

#[test]
fn nothing_of_the_senders_connection_is_passed_on() {
    let request = Request::post("/")
        .header("Connection", "keep-alive, X-Hop, X-Odd, Hookward-Verified, Stripe-Signature")
        .header("Keep-Alive", "timeout=5")
        .header("Proxy-Connection", "keep-alive")
        .header("Proxy-Authorization", "Basic eA==")
        .header("TE", "trailers")
        .header("Trailer", "x-t")
        .header("Transfer-Encoding", "chunked")
        .header("Transfer_Encoding", "chunked")
        .header("Content_Length", "0")
        .header("Upgrade", "h2c")
        .header("HTTP2-Settings", "AAMAAABkAAQ")
        .header("Expect", "100-continue")
        .header("X-Hop", "1")
        .header("X-Odd", "looked at by a filter")
        .header("Stripe-Signature", "t=1,v1=aa")
        .header("Authorization", "Bearer x");
    let headers = prepared(request, 4);
    let mut left: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
    left.retain(|name| !name.starts_with("hookward-") && !name.starts_with("x-forwarded-"));
    left.sort_unstable();
    assert_eq!(
        left,
        ["authorization", "content-length", "stripe-signature", "x-odd", "x-request-id", "x-team"]
    );
    assert_eq!(text(&headers, "hookward-verified"), Some("signature, replay"));
}

#[test]
fn the_original_host_is_found_in_either_protocol() {
    let h2 = prepared(Request::post("https://hooks.example.com:8443/x"), 1);
    assert_eq!(text(&h2, "x-forwarded-host"), Some("hooks.example.com:8443"));
    assert_eq!(
        text(&prepared(Request::post("/x"), 1), "x-forwarded-host"),
        Some("fallback.example")
    );
}

#[test]
fn the_declared_length_is_the_bodys() {
    let length =
        |request, body| text(&prepared(request, body), "content-length").map(str::to_owned);
    assert_eq!(length(Request::post("/").header("Content-Length", "3"), 3).unwrap(), "3");
    assert_eq!(length(Request::post("/").header("Content-Length", "4"), 3).unwrap(), "3");
    let twice = Request::post("/").header("Content-Length", "3").header("Content-Length", "3");
    assert_eq!(length(twice, 3).unwrap(), "3");
    assert_eq!(length(Request::post("/"), 0).unwrap(), "0");
    assert_eq!(length(Request::post("/"), 3).unwrap(), "3");
    assert_eq!(length(Request::get("/"), 3).unwrap(), "3");
    assert_eq!(length(Request::get("/").header("Content-Length", "0"), 0).unwrap(), "0");
    assert_eq!(length(Request::get("/"), 0), None);
}

#[test]
fn what_is_not_known_is_not_said() {
    let head = Request::post("/").body(()).unwrap().into_parts().0;
    let out = Outgoing {
        event_id: None,
        event_type: Some(""),
        key_id: None,
        verified: None,
        monitored: Some("signature"),
        host: "",
        secure: false,
        source: "2001:db8::1".parse().unwrap(),
        ..outgoing()
    };
    let headers = written(&head, &out, 0);
    for name in ["event-id", "event-type", "key-id", "verified"] {
        assert!(!headers.contains_key(format!("hookward-{name}")), "{name}");
    }
    assert!(!headers.contains_key("x-forwarded-host"));
    assert_eq!(text(&headers, "hookward-monitored"), Some("signature"));
    assert_eq!(text(&headers, "x-forwarded-for"), Some("2001:db8::1"));
    assert_eq!(text(&headers, "x-forwarded-proto"), Some("http"));
}

#[test]
fn texts_of_senders_stay_on_their_line() {
    let shown =
        |text: &str| header_text(text).map(|value| String::from_utf8(value.into_owned()).unwrap());
    assert_eq!(shown("a, b;c=\"d\"").unwrap(), "a, b;c=\"d\"");
    assert_eq!(shown("a\r\nHookward-Verified: x").unwrap(), "a%0D%0AHookward-Verified: x");
    assert_eq!(shown(" ü% ").unwrap(), "%20%C3%BC%25%20");
    assert_eq!(shown("\0\u{7f}").unwrap(), "%00%7F");
    assert_eq!(shown(" ").unwrap(), "%20");
    assert_eq!(shown(""), None);
    assert_eq!(shown(&"a".repeat(1024)).unwrap().len(), 1024);
    assert_eq!(shown(&"a".repeat(1025)), None);
    assert_eq!(shown(&"ü".repeat(171)), None);
}

fn decoded(text: &str) -> Vec<u8> {
    let mut bytes = text.bytes();
    let mut plain = Vec::new();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let pair = [bytes.next().unwrap(), bytes.next().unwrap()];
            plain.push(hex::decode(pair).unwrap()[0]);
        } else {
            plain.push(byte);
        }
    }
    plain
}

/// Names that are, or nearly are, something that only the gateway may say.
fn claiming() -> impl Strategy<Value = Vec<String>> {
    let name = "(hookward|x|forwarded|connection|webhook)[-_](forwarded[-_])?\
                (verified|for|proto|host|route|request[-_]id|team|signature|key[-_]id|custom)";
    prop::collection::vec(name, 0..12)
}

proptest! {
    #[test]
    fn no_sender_speaks_for_the_gateway(names in claiming()) {
        let honest = prepared(Request::post("/").header("Host", "h"), 0);
        let mut request = Request::post("/").header("Host", "h").header("Connection", names.join(","));
        for name in &names {
            request = request.header(name, "forged").header(name, "forged");
        }
        let headers = prepared(request, 0);
        for (name, value) in &honest {
            prop_assert_eq!(text(&headers, name.as_str()), value.to_str().ok(), "{}", name);
        }
        for (name, value) in headers.iter().filter(|(_, value)| *value == "forged") {
            let read = HeaderName::try_from(name.as_str().replace('_', "-")).unwrap();
            prop_assert!(!honest.contains_key(&read), "{name}: {value:?}");
            prop_assert!(!read.as_str().starts_with("hookward-"), "{name}");
            prop_assert!(!read.as_str().starts_with("x-forwarded-"), "{name}");
        }
    }

    #[test]
    fn decoding_a_text_gives_it_back(text in "\\PC{1,40}|[\0-~]{1,40}") {
        let value = header_text(&text).unwrap();
        let shown = std::str::from_utf8(&value).unwrap();
        prop_assert_eq!(shown.trim(), shown);
        prop_assert_eq!(decoded(shown), text.as_bytes());
    }
}
