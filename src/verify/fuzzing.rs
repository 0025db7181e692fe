//! The engine's own parsers for the fuzz targets, each with the law that it keeps.
//!
//! Each function returns if the bytes were handled, and panics if a law does not hold.

use std::str::from_utf8;

use serde_json::Value;

use super::{
    Algorithm,
    captured::Captured,
    encoding::Encoding,
    form, httpsig,
    json::{self, Pointer},
    jws::{self, JoseAlgorithm},
    pairs::Split,
    time::Unit,
    xml,
};

/// Signatures as text: what is decoded is found again, and the strict spellings have no other one.
pub fn encodings(bytes: &[u8]) {
    for encoding in Encoding::NAMES.iter().filter_map(|name| Encoding::parse(name)) {
        let _ = encoding.decode(bytes, 32);
        let Some(decoded) = encoding.decode_any(bytes) else { continue };
        let again = encoding.encode(&decoded);
        assert_eq!(encoding.decode_any(again.as_bytes()).as_ref(), Some(&decoded), "{encoding:?}");
        if matches!(encoding, Encoding::Base64 | Encoding::Base64Hex | Encoding::Hex) {
            assert_eq!(again.as_bytes(), bytes, "{encoding:?}: spelled in two ways");
        }
    }
}

/// Forms, queries and URLs in every canonical form: the order of fields makes no difference.
pub fn forms(bytes: &[u8]) {
    let backwards: Vec<&[u8]> = bytes.rsplit(|b| *b == b'&').collect();
    assert_eq!(form::sorted(bytes), form::sorted(&backwards.join(&b'&')));
    let distinct = form::sorted_distinct(bytes);
    assert_eq!(distinct, form::sorted_distinct(&[bytes, b"&", bytes].concat()));
    let _ = (form::sorted_query(bytes), form::open_query(bytes), form::encode_target(bytes));
    let _ = (form::field(bytes, "a"), form::origin(bytes));
    if let Some(with) = form::with_port(bytes) {
        assert_eq!(form::with_port(&with).as_ref(), Some(&with));
        assert_eq!(form::without_port(&with), form::without_port(bytes));
    }
    if let Ok(text) = from_utf8(bytes) {
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        let _ = form::canonical_request("POST", path, query);
    }
}

/// Values under pointers, and the elements of arrays: those that the strict parser sees.
pub fn pointers(bytes: &[u8]) {
    let texts = ["/id", "/data/object/id", "/list/*", "/items/*/id"];
    let pointers: Vec<_> = texts.iter().filter_map(|text| Pointer::parse(text).ok()).collect();
    let found = json::extract(bytes, &pointers);
    let elements = pointers.get(2).and_then(|list| json::elements(bytes, list));
    let Ok(whole) = json::parse_strict(bytes) else { return };
    let found = found.expect("what is strictly JSON is JSON");
    for (text, found) in texts.iter().zip(&found).take(2) {
        if let Some(Value::String(value)) = whole.pointer(text) {
            assert!(!found.duplicate && !found.incomplete, "{text}: {found:?}");
            let values: Vec<&str> = found.values.iter().map(AsRef::as_ref).collect();
            assert_eq!(values, [value.as_str()], "{text}");
        }
    }
    if let Some(elements) = elements {
        let read = elements.iter().map(|element| serde_json::from_slice::<Value>(element).ok());
        let all: Option<Vec<_>> = read.collect();
        assert_eq!(whole.pointer("/list").and_then(Value::as_array), all.as_ref());
    }
}

/// Tokens, attached and detached, and their times: a token's signing input is its own beginning.
pub fn tokens(bytes: &[u8]) {
    let allowed: Vec<_> = JoseAlgorithm::names().filter_map(JoseAlgorithm::parse).collect();
    let _ = jws::parse(bytes, &allowed, Some(b"payload"));
    let _ = jws::times(bytes);
    if let Ok(token) = jws::parse(bytes, &allowed, None) {
        assert!(bytes.starts_with(&token.signing_input) && !token.signature.is_empty());
        assert!(jws::parse(bytes, &[], None).is_err(), "an algorithm that nobody listed");
        let _ = jws::times(&token.payload);
    }
}

/// HTTP message signatures and digests of a captured request: no value adds a line to the base.
pub fn messages(bytes: &[u8]) {
    let Ok(request) = Captured::from_http(bytes) else { return };
    let _ = httpsig::digests_hold(request.head(), &request.body);
    let required = vec![httpsig::Component::Method];
    let algorithms = vec![Algorithm::Ed25519, Algorithm::HmacSha256];
    let rules = httpsig::Rules { algorithms, required, ..Default::default() };
    for input in httpsig::read(request.head(), &rules).into_iter().flatten() {
        let lines = input.base.split(|b| *b == b'\n').count();
        assert_eq!(lines, input.components.len() + 1, "{input:?}");
        assert!(input.components.contains(&httpsig::Component::Method), "{input:?}");
    }
}

/// Structured headers: their elements are the header.
pub fn pairs(bytes: &[u8]) {
    for separator in [",", "; ", "&"] {
        let split = Split { separator: separator.into(), ..Split::default() };
        let elements: Vec<&[u8]> = split.elements(bytes).collect();
        assert_eq!(elements.join(separator.as_bytes()), bytes);
        for (key, value) in elements.iter().filter_map(|element| split.key_value(element)) {
            assert!(key.len() + value.len() < bytes.len());
        }
    }
}

/// Times in every unit: those that are read are written the same, to the second, within the years
/// that anybody signs in.
pub fn times(bytes: &[u8]) {
    for unit in [Unit::Seconds, Unit::Milliseconds, Unit::Rfc3339, Unit::Rfc3339Utc] {
        let Some(at) = unit.read(bytes) else { continue };
        let written = unit.write(at);
        match unit {
            Unit::Seconds | Unit::Milliseconds => assert_eq!(written.as_bytes(), bytes),
            _ if !YEARS.contains(&at.secs()) => {}
            _ => {
                let again = unit.read(written.as_bytes()).expect("what it writes it reads");
                assert_eq!(again.secs(), at.secs(), "{written}");
            }
        }
    }
}

/// From 1970 to 9998, in seconds.
const YEARS: std::ops::Range<i64> = 0..253_370_764_800;

/// XML: what is found is found again, and a document type is refused.
pub fn documents(bytes: &[u8]) {
    let texts = ["/a/b", "/a/b/@c", "/Envelope/Body/notifications/OrganizationId"];
    let paths: Vec<_> = texts.iter().filter_map(|text| xml::Path::parse(text).ok()).collect();
    let found = xml::extract(bytes, &paths);
    if found.is_ok() {
        assert!(!bytes.starts_with(b"<!DOCTYPE"), "a document type");
        assert!(from_utf8(bytes).is_ok(), "not UTF-8");
    }
    if let (Ok(text), Some(path)) = (from_utf8(bytes), paths.first()) {
        let _ = xml::replace(text, path, &mut |old| old.to_owned());
    }
}
