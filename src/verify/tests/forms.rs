//! Signatures over rearranged fields, over elements of batches, and with documents in forms.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha1::{Digest as _, Sha1};
use sha2::Sha256;

use super::*;

const URL: &str = "https://h.example/hook?x=1";
const FIELDS: &str = r#"
    signature = { algorithm = "hmac-sha256", from = "header:x-sig", signed = ["{url|without-port}{form|sorted-distinct}", "{url|with-port}{form|sorted-distinct}"] }
    expect.url.about = "the registered URL"
"#;
const EACH: &str = r#"
    signature = { algorithm = "hmac-sha256", each = "json:/items/*/item", from = "item:/sig", signed = "{item:/a}:{item:/b|or-empty|free}:{item:/c}" }
"#;
const DOCUMENT: &str = r#"
    document = { form = "doc", encoding = "base64" }
    signature = { algorithm = "hmac-sha1", from = "form:sig", format = "list", separator = "&", element = "{key_id}|{value}", key = { derive = "sha1" }, signed = ["{form:doc}", "{form:doc}\n"] }
    timestamp = { from = "xml:/n/at", unit = "rfc3339" }
    event = { id = "xml:/n/id", type = "xml:/n/kind" }
"#;
const OWNER: &str = r#"
    signature = { algorithm = "none", match = { "xml:/E/B/N/Owner" = "{expect:owner}" } }
    event = { id = "xml:/E/B/N/X/Id" }
    expect.owner.about = "the owner's id"
"#;

fn options(key: &str, value: &str) -> SchemeOptions {
    let expect = [(key.to_owned(), value.to_owned())].into();
    SchemeOptions { expect, ..SchemeOptions::default() }
}

fn form(body: &str) -> Message {
    Message::new(body.as_bytes()).with("content-type", "application/x-www-form-urlencoded")
}

#[test]
fn fields_are_signed_in_order_and_with_either_port() {
    let bench = Bench::with(FIELDS, &secret(b"k"), &options("url", URL));
    for url in [URL, "https://h.example:443/hook?x=1"] {
        let signed = form("b=2&a=%31").with("x-sig", hex(b"k", format!("{url}a1b2").as_bytes()));
        assert_eq!(bench.code(&signed), None, "{url}");
        assert_eq!(bench.code(&Message { body: b"a=1&b=2&a=1".to_vec(), ..signed.clone() }), None);
        for other in ["a=1&b=3", "a=1", "a=1&b=2&c", "", "a=1&b=2&a=2"] {
            let other = Message { body: other.as_bytes().to_vec(), ..signed.clone() };
            assert_eq!(bench.code(&other), Some(Code::SignatureMismatch));
        }
        let elsewhere = Message { uri: Uri::from_static("/hook?x=2"), ..signed };
        assert_eq!(bench.code(&elsewhere), Some(Code::SignatureMismatch));
    }
    assert!(!bench.scheme.coverage().body && bench.scheme.coverage().event_id.is_none());
}

#[test]
fn a_form_divided_otherwise_is_the_same_content_with_another_body() {
    let bench = Bench::with(FIELDS, &secret(b"k"), &options("url", URL));
    let sig = hex(b"k", format!("{URL}amount12id7").as_bytes());
    let judge = |body: &str| bench.judge(&form(body).with("x-sig", &sig)).unwrap();
    let (first, other) = (judge("id=7&amount=12"), judge("amoun=t12&id=7"));
    assert_eq!(first.content_key, other.content_key, "the same signature");
    assert!(first.body_key.is_some() && first.body_key != other.body_key, "so it is bound");
}

#[test]
fn what_is_no_form_or_too_much_of_one_is_refused() {
    let bench = Bench::with(FIELDS, &secret(b"k"), &options("url", URL));
    let sig = hex(b"k", format!("{URL}a1").as_bytes());
    let json = Message::new(b"a=1").with("content-type", "text/plain").with("x-sig", &sig);
    assert_eq!(bench.code(&json), Some(Code::PayloadMalformed));
    let multipart = Message::new(b"a=1").with("content-type", "multipart/form-data; boundary=b");
    assert_eq!(bench.code(&multipart.with("x-sig", &sig)), Some(Code::PayloadMalformed));
    let twice = form("a=1").with("content-type", "application/x-www-form-urlencoded");
    assert_eq!(bench.code(&twice.with("x-sig", &sig)), Some(Code::PayloadMalformed));
    let many = |n: usize| form(&vec!["a=1"; n].join("&")).with("x-sig", &sig);
    assert_eq!(bench.code(&many(10_000)), None, "one distinct value");
    assert_eq!(bench.code(&many(10_001)), Some(Code::PayloadMalformed));
}

#[test]
fn a_body_is_bound_by_a_digest_in_the_signed_query() {
    let definition = r#"
        signature = { algorithm = "hmac-sha256", from = "header:x-sig", signed = "{url|origin}{target}", match = { "query:digest" = "{body|sha256|hex}" } }
        expect.url.about = "the registered URL"
    "#;
    let bench = Bench::with(definition, &secret(b"k"), &options("url", URL));
    assert!(bench.scheme.coverage().body);
    let digest = |body: &[u8]| ::hex::encode(Sha256::digest(body));
    let send = |target: String, body: &[u8]| {
        let sig = hex(b"k", format!("https://h.example{target}").as_bytes());
        let message = Message::new(body).with("x-sig", sig);
        bench.code(&Message { uri: target.parse().unwrap(), ..message })
    };
    let refused = Some(Code::SignatureMismatch);
    assert_eq!(send(format!("/any?a=b&digest={}", digest(b"x")), b"x"), None);
    assert_eq!(send(format!("/any?digest={}", digest(b"x")), b"y"), refused);
    assert_eq!(send("/any".to_owned(), b"x"), refused);
    assert_eq!(send(format!("/any?digest={}", digest(b"x").to_uppercase()), b"x"), refused);
    let twice = format!("/any?digest={}&digest={}", digest(b"y"), digest(b"x"));
    assert_eq!(send(twice, b"x"), refused);
}

#[test]
fn a_body_that_must_be_empty_is_covered() {
    let definition = r#"signature = { algorithm = "hmac-sha256", from = "header:x-sig", signed = "{target}", match = { body = "" } }"#;
    let bench = Bench::new(definition, &secret(b"k"));
    assert!(bench.scheme.coverage().body);
    let sig = hex(b"k", b"/hook?x=1");
    assert_eq!(bench.code(&Message::new(b"").with("x-sig", &sig)), None);
    let refused = bench.code(&Message::new(b"x").with("x-sig", &sig));
    assert_eq!(refused, Some(Code::SignatureMismatch));
}

fn item(a: &str, b: &str, c: &str) -> String {
    let sig = hex(b"k", format!("{a}:{b}:{c}").as_bytes());
    format!(r#"{{"item":{{"a":"{a}","b":"{b}","c":"{c}","sig":"{sig}"}}}}"#)
}

#[test]
fn every_element_must_verify_and_there_must_be_one() {
    let bench = Bench::new(EACH, &secret(b"k"));
    let batch = |items: &[String]| {
        Message::new(format!(r#"{{"live":true,"items":[{}]}}"#, items.join(",")).as_bytes())
    };
    let (one, two) = (item("1", "x:y", "2"), item("3", "", "4"));
    let both = bench.judge(&batch(&[one.clone(), two.clone()])).unwrap();
    let turned = bench.judge(&batch(&[two.clone(), one.clone()])).unwrap();
    assert_eq!(both.content_key, turned.content_key, "the order is nobody's");
    let alone = bench.judge(&batch(std::slice::from_ref(&one))).unwrap();
    assert_ne!(both.content_key, alone.content_key);
    assert!(both.body_key.is_some(), "what else is in it is not covered");
    let absent = two.replace(r#""b":"","#, "");
    assert_eq!(bench.code(&batch(&[absent])), None, "absent is empty where that is allowed");

    let swapped = one.replace(r#""a":"1""#, r#""a":"3""#);
    let unsigned = two.replace("\"sig\"", "\"other\"");
    let twice = one.replace(r#""c":"2""#, r#""c":"2","c":"2""#);
    let slid = one.replace(r#""a":"1""#, r#""a":"1:x""#).replace("x:y", "y");
    for bad in [swapped, unsigned, twice, slid, "{}".into(), r#"{"item":null}"#.into()] {
        assert!(bench.code(&batch(&[one.clone(), bad.clone()])).is_some(), "{bad}");
        assert!(bench.code(&batch(&[bad.clone(), one.clone()])).is_some(), "{bad}");
    }
    for body in ["", "{}", r#"{"items":[]}"#, r#"{"items":{}}"#, r#"{"items":null}"#, "[]"] {
        assert!(bench.code(&Message::new(body.as_bytes())).is_some(), "{body}");
    }
    let doubled = format!(r#"{{"items":[{one}],"items":[{one}]}}"#);
    assert!(bench.code(&Message::new(doubled.as_bytes())).is_some());
    assert_eq!(bench.code(&batch(&vec![one.clone(); 1024])), None);
    assert!(bench.code(&batch(&vec![one; 1025])).is_some());
}

#[test]
fn a_digest_behind_the_secret_cannot_be_made_longer() {
    let problems = |signed: &str| {
        let text = format!(
            r#"signature = {{ algorithm = "sha256", from = "header:x-sig", signed = "{signed}" }}"#
        );
        check(&text).err().map(|problems| problems.join("; "))
    };
    assert!(problems("{secret}{body}").unwrap().contains("made longer"));
    assert!(problems("{secret}{method}{form|sorted}").unwrap().contains("made longer"));
    assert!(problems("{body}").unwrap().contains("anybody can make it"));
    for good in ["{secret}{body|utf8}", "{body}{secret}", "{secret}{body}."] {
        assert_eq!(problems(good), None, "{good}");
    }

    let definition = r#"signature = { algorithm = "sha256", from = "header:x-sig", signed = "{secret}{body|utf8}" }"#;
    let bench = Bench::new(definition, &secret(b"key"));
    let signed = |body: &[u8]| {
        let digest = ::hex::encode(Sha256::digest([b"key", body].concat()));
        bench.code(&Message::new(body).with("x-sig", digest))
    };
    assert_eq!(signed("é".as_bytes()), None);
    // What the digest's own padding would make of `{}`, which an attacker knows the digest of.
    let padded = [&b"{}\x80"[..], &[0; 57], b"\x28,\"evil\":1}"].concat();
    assert_eq!(signed(&padded), Some(Code::PayloadMalformed));
}

fn document(xml: &str, key: &[u8], with_break: bool) -> Message {
    let text = STANDARD.encode(xml);
    let signed = if with_break { format!("{text}\n") } else { text.clone() };
    let sig = mac(Algorithm::HmacSha1, Encoding::Hex, &Sha1::digest(key), signed.as_bytes());
    let text = text.replace('+', "%2B").replace('=', "%3D");
    form(&format!("sig=other%7C00%26a%7C{sig}&doc={text}&more=1"))
}

const XML: &str = "<n><at>2025-10-09T08:53:20Z</at><id>7</id><kind>paid</kind></n>";

#[test]
fn a_document_in_a_form_is_covered_by_the_field() {
    let named = Secret { id_is_explicit: true, ..Secret::new("a", b"private") };
    let bench = Bench::new(DOCUMENT, &[named]);
    assert_eq!(bench.scheme.coverage().event_id, Some(true));
    assert_eq!(bench.scheme.coverage().timestamp, Some(true));
    for with_break in [false, true] {
        let message = document(XML, b"private", with_break);
        assert_eq!(bench.code(&message), None);
        let event = bench.scheme.event(message.head(), &message.body);
        assert_eq!((&*event.ids[0], event.kind.as_deref()), ("7", Some("paid")));
    }
    let at = |text: &str| {
        bench.code(&document(&XML.replace("2025-10-09T08:53:20Z", text), b"private", false))
    };
    assert_eq!(at("2025-10-09T08:00:00Z"), Some(Code::TimestampExpired));
    assert_eq!(at("yesterday"), Some(Code::TimestampMalformed));
    assert_eq!(at("2025-10-09T08:5<!-- -->3:20Z"), Some(Code::TimestampMalformed));
    assert!(at("</at><at>2025-10-09T08:53:20Z").is_some());
    assert!(at("</at><id/></n><n><at>2025-10-09T08:53:20Z").is_some());
    assert_eq!(bench.code(&document(XML, b"other", false)), Some(Code::SignatureMismatch));
    let mut twice = document(XML, b"private", false);
    twice.body.extend_from_slice(b"&doc=x");
    assert!(bench.code(&twice).is_some());
    let not_form = Message { headers: HeaderMap::new(), ..document(XML, b"private", false) };
    assert!(bench.code(&not_form).is_some());
}

#[test]
fn what_must_be_equal_stands_there_once_and_whole() {
    let bench = Bench::with(OWNER, &[], &options("owner", "00D1"));
    let xml = "<E><B><N><Owner>00D1</Owner><X><Id>1</Id></X><X><Id>2</Id></X></N></B></E>";
    let message = Message::new(xml.as_bytes()).with("content-type", "text/xml");
    let judged = bench.judge(&message);
    assert!(judged.is_ok(), "{judged:?}");
    let event = bench.scheme.event(message.head(), &message.body);
    assert_eq!(event.ids.as_slice(), [Box::from("1"), Box::from("2")]);
    assert!(!event.covered);
    for (from, to) in [
        ("00D1", "00D2"),
        ("00D1", "00D1 "),
        ("00D1", ""),
        ("00D1", "00D<!-- -->1"),
        ("00D1", "<a>00D1</a>"),
        ("<Owner>00D1</Owner>", ""),
        ("<Owner>00D1</Owner>", "<Owner>00D1</Owner><y:Owner>00D2</y:Owner>"),
        ("</N>", "</N><N><X><Id>evil</Id></X></N>"),
        ("<E>", "<!DOCTYPE E [<!ENTITY o '00D1'>]><E>"),
        ("00D1", "&o;"),
        ("</E>", ""),
        ("<E>", "<?xml version='1.0' encoding='UTF-16'?><E>"),
    ] {
        let other = Message { body: xml.replacen(from, to, 1).into(), ..message.clone() };
        assert!(bench.code(&other).is_some(), "{from} -> {to}");
    }
    for body in ["", "{}", "<E/>"] {
        let other = Message { body: body.into(), ..message.clone() };
        assert!(bench.code(&other).is_some(), "{body}");
    }
}

#[test]
fn an_element_without_an_id_leaves_the_whole_batch_without() {
    let bench = Bench::with(OWNER, &[], &options("owner", "00D1"));
    for bad in ["<X/>", "<X><Id><!-- -->2</Id></X>", "<X><Id></Id></X>"] {
        let xml = format!("<E><B><N><Owner>00D1</Owner><X><Id>1</Id></X>{bad}</N></B></E>");
        let message = Message::new(xml.as_bytes());
        assert_eq!(bench.code(&message), None, "{bad}");
        assert!(bench.scheme.event(message.head(), &message.body).ids.is_empty(), "{bad}");
    }
}

#[test]
fn a_structured_header_chooses_the_algorithm() {
    let definition = r#"
        [[signature]]
        algorithm = "hmac-sha1"
        from      = "header:x-sig"
        signed    = "{body}"
        when      = { header = "x-settings", exists = false }
        [[signature]]
        algorithm = "hmac-sha256"
        from      = "header:x-sig"
        key_id    = "pair:x-settings/key"
        signed    = "{body}"
        when      = { pair = "x-settings/algorithm", equals = "SHA256" }
    "#;
    let named = Secret { id_is_explicit: true, ..Secret::new("a", b"k") };
    let bench = Bench::new(definition, &[named]);
    let sha1 = mac(Algorithm::HmacSha1, Encoding::Hex, b"k", b"x");
    let send = |sig: &str, settings: Option<&str>| {
        let message = Message::new(b"x").with("x-sig", sig);
        bench.code(&match settings {
            Some(settings) => message.with("x-settings", settings),
            None => message,
        })
    };
    let sha256 = hex(b"k", b"x");
    assert_eq!(send(&sha1, None), None);
    assert_eq!(send(&sha256, Some("key=a,algorithm=SHA256")), None);
    for (sig, settings) in [
        (&sha1, Some("key=a,algorithm=SHA256")),
        (&sha1, Some("")),
        (&sha1, Some("key=a")),
        (&sha1, Some("key=a,algorithm=SHA1")),
        (&sha256, None),
        (&sha256, Some("key=b,algorithm=SHA256")),
        (&sha256, Some("algorithm=SHA256")),
        (&sha256, Some("key=a,algorithm=SHA256,algorithm=SHA256")),
        (&sha256, Some("key=a,algorithm=MD5")),
    ] {
        assert!(send(sig, settings).is_some(), "{settings:?}");
    }
    let twice =
        Message::new(b"x").with("x-sig", &sha1).with("x-settings", "").with("x-settings", "");
    assert!(bench.code(&twice).is_some());
}

#[test]
fn listed_headers_are_covered_if_they_must_be_listed() {
    let definition = r#"
        signature = { algorithm = "hmac-sha256", from = "header:x-sig", signed = "{method}\n{target|encode-target}\n{listed:x-names,x-time}\n{body}" }
        timestamp = { from = "header:x-time" }
    "#;
    let bench = Bench::new(definition, &secret(b"k"));
    assert_eq!(bench.scheme.coverage().timestamp, Some(true));
    assert!(bench.scheme.coverage().headers.contains("x-time"));
    assert!(bench.scheme.headers().iter().any(|name| name == "x-time"));
    let text = "POST\n/hook?x%253D1\nx-a:1;x-names:x-a,x-names,x-time;x-time:1760000000\nx";
    let signed = |names: &str, a: &str| {
        let message = Message::new(b"x").with("x-names", names).with("x-a", a);
        message.with("x-time", "1760000000").with("x-sig", hex(b"k", text.as_bytes()))
    };
    assert_eq!(bench.code(&signed("x-a,x-names,x-time", "1")), None);
    assert_eq!(bench.code(&signed("x-a,x-names,x-time", "2")), Some(Code::SignatureMismatch));
    assert!(bench.code(&signed("x-names,x-time", "1")).is_some());
    assert!(bench.code(&signed("x-a,x-names", "1")).is_some());
    let open = definition.replace("x-names,x-time", "x-names");
    assert!(check(&open).unwrap_err()[0].contains("not covered"), "the time must be listed");
}
