//! Every part of every provider's message is changed: what is signed is refused, what is not goes
//! through and is reported as uncovered.
//!
//! What is signed is taken from the definition's text, not from the engine: the two must agree.

use std::{collections::BTreeSet, ops::Range};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::Value;

use super::*;
use crate::verify::definition::raw::RawComponents;

/// A part of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// A member of the JSON document, by its pointer.
    Json(String),
    /// A form field.
    Field(String),
    Method,
    Path,
    /// A query parameter.
    Parameter(String),
    /// An element's text, or an attribute, by its path.
    Xml(String),
}

/// Every source that the definition names for what is signed, for what must be equal to it, for the
/// time, and for which signature counts.
struct Named(BTreeSet<String>);

impl Named {
    fn of(route: &Route) -> Self {
        let written = raw(route.name()).unwrap();
        let mut texts: Vec<String> = Vec::new();
        for signature in &written.signature.as_ref().unwrap().0 {
            let bound = signature.matches.iter().flatten();
            for (source, expected) in bound {
                texts.push(source.clone());
                texts.extend(expected.0.iter().filter_map(|expected| match expected {
                    RawExpected::Template(text) => Some(text.clone()),
                    RawExpected::Digest(table) => table.of.clone(),
                }));
            }
            let certificate = signature.certificate.iter().flat_map(|c| &c.from);
            let signed = signature.signed.iter().flat_map(|many| &many.0);
            let alone = signature.from.iter().chain(&signature.payload).chain(certificate);
            texts.extend(signed.chain(alone).cloned());
            for condition in signature.when.iter().flat_map(|many| &many.0) {
                let at = |kind: &str, name: &Option<String>| {
                    name.as_ref().map(|name| format!("{kind}:{name}"))
                };
                texts.extend(at("json", &condition.json));
                texts.extend(at("query", &condition.query));
                texts.extend(at("form", &condition.form));
                texts.extend(condition.method.as_ref().map(|_| "method".to_owned()));
            }
            texts.extend(signature.components.iter().flatten().flat_map(|one| match one {
                RawComponents::One(name) => vec![name.clone()],
                RawComponents::Set(names) => names.clone(),
            }));
            // What is inside an element is somewhere under its array.
            if let Some(each) = &signature.each {
                let inside = |text: &String| text.replace("item:", each);
                texts = texts.iter().map(inside).collect();
            }
        }
        let timestamp = written.timestamp.iter().flat_map(|timestamp| &timestamp.from);
        texts.extend(timestamp.flat_map(|many| many.0.iter().cloned()));
        let mut sources = BTreeSet::new();
        for text in texts {
            sources.extend(
                text.split('{').skip(1).filter_map(|rest| {
                    rest.split(['}', '|']).next().map(|name| route.expected(name))
                }),
            );
            sources.insert(route.expected(&text));
        }
        Self(sources)
    }

    fn has(&self, any: &[&str]) -> bool {
        any.iter().any(|name| self.0.contains(*name))
    }

    fn names(&self, route: &Route, part: &Part) -> bool {
        let whole_body = self.has(&["body", "content-digest"]);
        match part {
            Part::Method => self.has(&["method", "request", "@method"]),
            Part::Path => self.has(&["path", "target", "request", "url", "@path", "@target-uri"]),
            Part::Parameter(name) => {
                self.has(&["query", "target", "request", "url", "@query", "@target-uri"])
                    || self.has(&[&format!("query:{name}")])
            }
            Part::Field(name) => {
                whole_body || self.has(&["form"]) || self.has(&[&format!("form:{name}")])
            }
            Part::Json(pointer) => {
                whole_body || self.in_document(route) || self.points_at("json:", pointer)
            }
            Part::Xml(path) => {
                whole_body || self.in_document(route) || self.has(&[&format!("xml:{path}")])
            }
        }
    }

    fn in_document(&self, route: &Route) -> bool {
        let document = raw(route.name()).unwrap().document.as_ref();
        let field = document.and_then(|document| document.form.as_ref());
        let is_form = route.sample_is_form();
        field.is_some_and(|field| {
            is_form && (self.has(&["form"]) || self.has(&[&format!("form:{field}")]))
        })
    }

    fn points_at(&self, kind: &str, pointer: &str) -> bool {
        let mut named = self.0.iter().filter_map(|source| source.strip_prefix(kind));
        named.any(|named| {
            let (mut named, mut at) = (named.split('/'), pointer.split('/'));
            named.all(|name| at.next().is_some_and(|at| at == name || name == "*"))
        })
    }
}

impl Route {
    /// The name of a source with what the route expects in it.
    fn expected(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (key, about) in &self.definition.expect {
            let value = about.default.clone().unwrap_or_else(|| format!("expected-{key}"));
            text = text.replace(&format!("{{expect.{key}}}"), &value);
        }
        text
    }

    fn sample_is_form(&self) -> bool {
        let (uri, headers) = parts(&self.sign(&Self::request()));
        Head { method: &http::Method::POST, uri: &uri, headers: &headers }.has_form_type()
    }
}

/// Another value, that is as good a one.
fn another(text: &str) -> String {
    let mut other = text.to_owned();
    let last = if other.pop() == Some('1') { '2' } else { '1' };
    other.push(last);
    other
}

/// Every message in which one part differs.
fn mutations(request: &SignedRequest) -> Vec<(Part, SignedRequest)> {
    let mut all = Vec::new();
    let method = if request.method == "PUT" { http::Method::PATCH } else { http::Method::PUT };
    all.push((Part::Method, SignedRequest { method, ..request.clone() }));
    let (path, query) = request.url.split_once('?').unwrap_or((&request.url, ""));
    let url = |path: &str, query: &str| format!("{path}?{query}");
    let moved = SignedRequest { url: url(&another(path), query), ..request.clone() };
    all.push((Part::Path, moved));
    for (name, query) in pairs(query) {
        all.push((
            Part::Parameter(name),
            SignedRequest { url: url(path, &query), ..request.clone() },
        ));
    }
    let body = String::from_utf8(request.body.clone()).unwrap();
    if request.headers.iter().any(|(_, value)| value.contains("x-www-form-urlencoded")) {
        for (name, form) in pairs(&body) {
            let body = form.into_bytes();
            all.push((Part::Field(name), SignedRequest { body, ..request.clone() }));
        }
    } else if let Ok(document) = serde_json::from_str::<Value>(&body) {
        for pointer in leaves(&document) {
            let mut other = document.clone();
            change(other.pointer_mut(&pointer).unwrap());
            let body = other.to_string().into_bytes();
            all.push((Part::Json(pointer), SignedRequest { body, ..request.clone() }));
        }
    } else if body.starts_with('<') {
        for (path, range) in texts(&body) {
            let mut other = body.clone();
            other.replace_range(range.clone(), &another(body.get(range).unwrap()));
            let body = other.into_bytes();
            all.push((Part::Xml(path), SignedRequest { body, ..request.clone() }));
        }
    }
    all
}

/// Each name of a query or a form, with the whole of it where that pair has another value.
fn pairs(text: &str) -> Vec<(String, String)> {
    let all: Vec<&str> = text.split('&').filter(|pair| !pair.is_empty()).collect();
    let changed = |at: usize| {
        let (name, value) = all[at].split_once('=').unwrap_or((all[at], ""));
        let pair = format!("{name}={}", another(value));
        let mut all = all.clone();
        all[at] = &pair;
        (name.to_owned(), all.join("&"))
    };
    (0..all.len()).map(changed).collect()
}

/// The pointers to everything that has no members.
fn leaves(value: &Value) -> Vec<String> {
    let under = |name: &str, value: &Value| {
        let name = name.replace('~', "~0").replace('/', "~1");
        leaves(value).into_iter().map(move |rest| format!("/{name}{rest}")).collect::<Vec<_>>()
    };
    match value {
        Value::Object(members) => members.iter().flat_map(|(n, v)| under(n, v)).collect(),
        Value::Array(all) => {
            all.iter().enumerate().flat_map(|(at, v)| under(&at.to_string(), v)).collect()
        }
        _ => vec![String::new()],
    }
}

fn change(value: &mut Value) {
    *value = match value {
        Value::Bool(is) => Value::from(!*is),
        Value::Number(n) => n.as_i64().map_or_else(|| Value::from(0.5), |n| Value::from(n + 1)),
        Value::String(text) => Value::from(another(text)),
        _ => Value::from("another"),
    };
}

/// The texts of a document's elements and attributes, with their paths, by local names.
fn texts(document: &str) -> Vec<(String, Range<usize>)> {
    let (mut found, mut path, mut at) = (Vec::new(), Vec::<&str>::new(), 0);
    let up_to = |at: usize, end: char| {
        let rest = document.split_at(at).1;
        rest.split_once(end).map(|(before, _)| (before, at + before.len() + 1))
    };
    while let Some((text, open)) = up_to(at, '<') {
        if !text.trim().is_empty() && !path.is_empty() {
            found.push((format!("/{}", path.join("/")), at..open - 1));
        }
        let (tag, close) = up_to(open, '>').unwrap();
        at = close;
        if tag.starts_with(['?', '!']) {
            continue;
        }
        if tag.starts_with('/') {
            path.pop();
            continue;
        }
        let name = tag.split([' ', '/']).next().unwrap();
        path.push(name.rsplit(':').next().unwrap());
        for (equals, _) in tag.match_indices("=\"") {
            let attribute = tag.split_at(equals).0.rsplit(' ').next().unwrap();
            let from = open + equals + 2;
            let (value, _) = up_to(from, '"').unwrap();
            // Another namespace makes other names of the same.
            if !attribute.starts_with("xmlns") {
                let path = format!("/{}/@{attribute}", path.join("/"));
                found.push((path, from..from + value.len()));
            }
        }
        if tag.ends_with('/') {
            path.pop();
        }
    }
    found
}

#[test]
fn a_changed_part_is_refused_exactly_if_it_is_signed() {
    let mut wrong = Vec::new();
    for mut route in routes() {
        // Of two signatures by two keys, one suffices.
        route.secrets.truncate(1);
        let request = route.sign(&Route::request());
        let named = Named::of(&route);
        let coverage = route.scheme.coverage();
        let event = route.judge(&request).unwrap().1;
        for (part, forged) in mutations(&request) {
            let judged = route.judge(&forged);
            let (name, is_signed) = (route.name(), named.names(&route, &part));
            if judged.is_err() != is_signed {
                wrong.push(format!("{name}: {part:?}: signed: {is_signed}, {:?}", judged.err()));
                continue;
            }
            let Ok((_, other)) = judged else { continue };
            // What somebody without the key can change is reported as such.
            let is_reported = match part {
                Part::Method | Part::Path => true,
                Part::Parameter(_) => !coverage.query,
                Part::Json(_) | Part::Field(_) | Part::Xml(_) => !coverage.body,
            };
            let ids = other.ids == event.ids || coverage.event_id == Some(false);
            let kind = other.kind == event.kind || coverage.event_type == Some(false);
            if !(is_reported && ids && kind) {
                wrong.push(format!("{name}: {part:?}: goes through and is not reported"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_changed_claim_is_refused() {
    let mut tokens = 0;
    for mut route in routes() {
        route.secrets.truncate(1);
        let request = route.sign(&Route::request());
        for (at, (header, value)) in request.headers.iter().enumerate() {
            let token = value.rsplit(' ').next().unwrap();
            let parts: Vec<&str> = token.split('.').collect();
            let [head, payload, signature] = parts[..] else { continue };
            let Ok(payload) = BASE64_URL_SAFE_NO_PAD.decode(payload) else { continue };
            let Ok(claims) = serde_json::from_slice::<Value>(&payload) else { continue };
            tokens += 1;
            for pointer in leaves(&claims) {
                let mut other = claims.clone();
                change(other.pointer_mut(&pointer).unwrap());
                let other = BASE64_URL_SAFE_NO_PAD.encode(other.to_string());
                let mut forged = request.clone();
                let whole = value.replace(token, &format!("{head}.{other}.{signature}"));
                forged.headers[at].1 = whole;
                assert!(route.judge(&forged).is_err(), "{}: {header}: {pointer}", route.name());
            }
        }
    }
    assert!(tokens >= 5, "{tokens} definitions with tokens in headers");
}

#[test]
fn the_parts_of_documents_are_found() {
    let xml = r#"<?xml version="1.0"?><s:a xmlns:s="u"><b c="1">x</b><d/></s:a>"#;
    let found: Vec<_> =
        texts(xml).into_iter().map(|(path, at)| (path, xml.get(at).unwrap())).collect();
    assert_eq!(found, [("/a/b/@c".to_owned(), "1"), ("/a/b".to_owned(), "x")]);
    let json = serde_json::json!({"a": [1, {"b/c": null}], "d": {}});
    assert_eq!(leaves(&json), ["/a/0", "/a/1/b~1c"]);
    assert_eq!(pairs("a=1&b"), [("a".into(), "a=2&b".into()), ("b".into(), "a=1&b=1".into())]);
}
