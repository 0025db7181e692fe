//! The targets, and what their inputs look like when they are good.

use std::net::{IpAddr, Ipv4Addr};

use hookward::{
    net::{Client, Shape, Sources, proxy},
    server::{fuzz_http1, judge_head},
    upstream::fuzz_answer,
    verify::{
        Definition, RawDefinition, SigningKey, captured::Captured, certificate, fuzzing,
        parse_strict, read_public_keys,
    },
};

use crate::{engine, parsers, wire};

/// One target.
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// Handles an input or panics.
    pub run: fn(&[u8]),
    /// Good inputs to begin with.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// Every target there is.
pub const TARGETS: &[Target] = &[
    Target { name: "answer", run: fuzz_answer, seeds: wire::answers },
    Target { name: "captured", run: captured, seeds: requests },
    Target { name: "definition", run: definition, seeds: definitions },
    Target { name: "documents", run: fuzzing::documents, seeds: parsers::documents },
    Target { name: "encodings", run: fuzzing::encodings, seeds: parsers::encodings },
    Target { name: "engine", run: engine::judge, seeds: engine::seeds },
    Target { name: "forms", run: fuzzing::forms, seeds: parsers::forms },
    Target { name: "forwarded", run: forwarded, seeds: forwarding },
    Target { name: "head", run: head, seeds: requests },
    Target { name: "http1", run: fuzz_http1, seeds: wire::connections },
    Target { name: "json", run: json, seeds: documents },
    Target { name: "keys", run: keys, seeds: key_texts },
    Target { name: "list", run: list, seeds: lists },
    Target { name: "messages", run: fuzzing::messages, seeds: parsers::messages },
    Target { name: "pairs", run: fuzzing::pairs, seeds: parsers::pairs },
    Target { name: "pointers", run: fuzzing::pointers, seeds: parsers::pointers },
    Target { name: "proxy", run: proxy_header, seeds: proxy_headers },
    Target { name: "times", run: fuzzing::times, seeds: parsers::times },
    Target { name: "tokens", run: fuzzing::tokens, seeds: parsers::tokens },
    Target { name: "vectors", run: parsers::vector, seeds: parsers::vectors },
];

/// The target of this name.
pub fn named(name: &str) -> &'static Target {
    TARGETS.iter().find(|target| target.name == name).expect("a target of the list")
}

pub(crate) fn texts<const N: usize>(all: [&str; N]) -> Vec<Vec<u8>> {
    all.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// A captured request, raw or as a line of JSON.
fn captured(bytes: &[u8]) {
    let _ = Captured::from_http(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = Captured::from_json(text);
    }
}

fn requests() -> Vec<Vec<u8>> {
    texts([
        "POST /a?b=1 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc",
        "GET http://h/a HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nX-A: 2\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: [::1]:80\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        r#"{"method":"POST","url":"https://h:8/p?q","headers":{"a":"b"},"body_b64":"YQ==","now":5}"#,
    ])
}

/// A definition as a user writes it, templates and sources in it.
fn definition(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(raw) = toml::from_str::<RawDefinition>(text) {
        let _ = Definition::check("fuzzed", raw);
    }
}

fn definitions() -> Vec<Vec<u8>> {
    hookward::providers::names()
        .filter_map(hookward::providers::source)
        .map(|text| text.as_bytes().to_vec())
        .collect()
}

/// What proxies say of who sent a request, one header a line.
fn forwarded(bytes: &[u8]) {
    let mut headers = http::HeaderMap::new();
    let names = ["forwarded", "x-forwarded-for", "x-forwarded-proto"];
    for (line, name) in bytes.split(|b| *b == b'\n').zip(names.iter().cycle()).take(16) {
        if let Ok(value) = http::HeaderValue::from_bytes(line) {
            headers.append(*name, value);
        }
    }
    let trusted = Sources::new(&["0.0.0.0/0".parse().expect("a network")]);
    let _ = Client::find(IpAddr::V4(Ipv4Addr::LOCALHOST), false, &trusted, &headers);
}

fn forwarding() -> Vec<Vec<u8>> {
    texts([
        "for=192.0.2.1;proto=https;by=\"[2001:db8::1]:8080\"\n192.0.2.1, 10.0.0.1\nhttps",
        "for=\"_hidden\", for=unknown\nunknown, ::ffff:1.2.3.4",
    ])
}

/// The guard in front of the HTTP library.
fn head(bytes: &[u8]) {
    let _ = judge_head(bytes);
}

/// A whole body as JSON: what it reads is what it writes.
fn json(bytes: &[u8]) {
    if let Ok(value) = parse_strict(bytes) {
        let again = parse_strict(value.to_string().as_bytes());
        assert_eq!(again.ok().map(|v| v.to_string()), Some(value.to_string()));
    }
}

fn documents() -> Vec<Vec<u8>> {
    texts([
        r#"{"id":"evt_1","n":-0.5e3,"list":[1,{"a":null},"\u00e9\ud83d\ude00"],"t":true}"#,
        "[[[[[[[[1]]]]]]]]",
        r#"{"a":1,"a":2}"#,
    ])
}

/// Keys in every form, public and private.
fn keys(bytes: &[u8]) {
    let _ = read_public_keys(bytes);
    let _ = certificate(bytes);
    let _ = SigningKey::read(bytes);
}

fn key_texts() -> Vec<Vec<u8>> {
    let mut seeds = texts([
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
        r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
        r#"{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA","kid":"k"},{"kty":"oct","k":"AA"}]}"#,
    ]);
    seeds.extend(engine::pems().into_iter().map(String::into_bytes));
    seeds
}

/// An address list as it is fetched.
fn list(bytes: &[u8]) {
    let pointers: [&[&str]; 3] = [&[], &["/hooks"], &["/prefixes/*/ip_prefix"]];
    for pointers in pointers {
        let shape = Shape::new(pointers.iter().copied(), []).expect("a shape");
        if let Ok(networks) = shape.read(bytes) {
            assert!(networks.is_sorted());
        }
    }
}

fn lists() -> Vec<Vec<u8>> {
    texts([
        r#"{"hooks":["192.30.252.0/22","2606:50c0::/32"]}"#,
        r#"{"prefixes":[{"ip_prefix":"3.5.140.0/22","region":"r"}]}"#,
        "192.0.2.0/24\n# comment\n198.51.100.7\n",
    ])
}

/// The first bytes of a connection behind a load balancer.
fn proxy_header(bytes: &[u8]) {
    if let proxy::Parsed::Done { consumed, .. } = proxy::parse(bytes) {
        assert!(consumed <= bytes.len());
    }
}

fn proxy_headers() -> Vec<Vec<u8>> {
    let mut seeds = texts(["PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nGET", "PROXY UNKNOWN\r\n"]);
    let mut second = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".to_vec();
    second.extend_from_slice(&[192, 0, 2, 1, 192, 0, 2, 2, 0, 1, 0, 2]);
    seeds.push(second);
    seeds
}
