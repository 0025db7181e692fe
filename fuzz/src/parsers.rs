//! Good inputs of the engine's own parsers, and the cases of vector files.

use std::{fs, path::Path, sync::Arc};

use hookward::{providers, verify::vectors::Case};

use crate::{engine, targets::texts};

/// A case of a vector file, judged by the definition that it names.
pub(crate) fn vector(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(case) = Case::read(text) {
        let lookup = |provider: &str, variant: Option<&str>| {
            providers::by_case(provider, variant).map(Arc::clone)
        };
        let outcome = case.judge(&lookup);
        assert_eq!(case.judge(&lookup), outcome, "judged twice, and not alike");
    }
}

/// The cases that this repository has.
pub(crate) fn vectors() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors");
    let files = fs::read_dir(folder).expect("the repository's vectors").flatten();
    let files = files.map(|file| file.path());
    let mut files: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|end| end == "jsonl")).collect();
    files.sort();
    let texts = files.iter().filter_map(|path| fs::read_to_string(path).ok());
    texts
        .flat_map(|text| text.lines().map(|line| line.as_bytes().to_vec()).collect::<Vec<_>>())
        .collect()
}

pub(crate) fn documents() -> Vec<Vec<u8>> {
    texts([
        r#"<?xml version="1.0" encoding="UTF-8"?><a><b c="1">x &amp; y</b><b/><!-- z --></a>"#,
        "<s:Envelope xmlns:s=\"u\"><s:Body><notifications xmlns=\"v\"><OrganizationId>00D</OrganizationId></notifications></s:Body></s:Envelope>",
        "<a><b><![CDATA[<x>]]></b>&#x41;</a>",
        "<!DOCTYPE a [<!ENTITY b \"c\">]><a><b>&b;</b></a>",
    ])
}

pub(crate) fn encodings() -> Vec<Vec<u8>> {
    texts([
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
        "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        "11qYAYKxCrfVS%2F7TyWQHOg7hcvPapiMlrwIaaPcHURo%3D",
        "ZDc1YTk4MDE=",
    ])
}

pub(crate) fn forms() -> Vec<Vec<u8>> {
    texts([
        "a=1&b=%C3%A9+x&a=2&&c&=d",
        "https://user:pass@h.example:8443/a%20b?z=1&a=2#x",
        "http://[::1]/in?x=1&x=1",
        "/a/../b//c?q=%zz&r=a%2Bb",
    ])
}

/// Requests with message signatures, among others.
pub(crate) fn messages() -> Vec<Vec<u8>> {
    let mut seeds: Vec<_> =
        engine::seeds().iter().filter_map(|seed| seed.get(2..)).map(Into::into).collect();
    seeds.retain(|seed: &Vec<u8>| {
        seed.to_ascii_lowercase().windows(16).any(|part| part == b"signature-input:")
    });
    seeds.extend(texts([
        "POST /a?b=1 HTTP/1.1\r\nHost: h\r\nContent-Digest: sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:\r\nX-A: a=1, b;c=\"d\"\r\nSignature-Input: s=(\"@method\" \"@authority\" \"@query-param\";name=\"b\" \"x-a\";key=\"a\" \"x-a\";bs \"x-a\";sf \"content-digest\");created=1760000000;keyid=\"k\";alg=\"ed25519\", t=(\"@method\" \"@target-uri\" \"@scheme\" \"@path\" \"@query\" \"@request-target\");nonce=\"n\"\r\nSignature: s=:AAAA:, t=:AAAA:\r\n\r\n",
    ]));
    seeds
}

pub(crate) fn pairs() -> Vec<Vec<u8>> {
    texts(["t=1760000000,v1=00ff,v1=ff00,v0=", "ts=1; h1=ab; h1=", "a=b&c==&&d"])
}

pub(crate) fn pointers() -> Vec<Vec<u8>> {
    texts([
        r#"{"id":"evt_1","data":{"object":{"id":"\u00e9\ud83d\ude00"}},"list":[1,"a",{"b":[]}],"items":[{"id":"x"},{"id":2}]}"#,
        r#"{"id":1,"id":"2","list":[]}"#,
        r#"{"list":[[],{},null]}"#,
    ])
}

pub(crate) fn times() -> Vec<Vec<u8>> {
    texts([
        "1760000000",
        "1760000000123",
        "2025-10-09T08:53:20Z",
        "2025-10-09T08:53:20.123456789+02:00",
        "2025-10-09T08:53:20",
        "0000-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
    ])
}

/// `{"alg":"ES256","kid":"k"}` with `{"exp":1760000000,"nbf":1}`, a detached one, and claims alone.
pub(crate) fn tokens() -> Vec<Vec<u8>> {
    texts([
        "eyJhbGciOiJFUzI1NiIsImtpZCI6ImsifQ.eyJleHAiOjE3NjAwMDAwMDAsIm5iZiI6MX0.AAAA",
        "eyJhbGciOiJFUzI1NiIsImtpZCI6ImsifQ..AAAA",
        "eyJhbGciOiJub25lIn0.eyJleHAiOjE3NjAwMDAwMDB9.",
        r#"{"exp":1760000000,"nbf":1,"iat":0,"aud":["a"]}"#,
    ])
}
