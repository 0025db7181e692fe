//! What the gateway adds to a request: who sent it, and what was proven.

use std::{
    io::{self, Write},
    net::IpAddr,
};

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header, request::Parts};

use super::{
    claims::{is_claim, reads_like},
    hop::{self, Names},
};
use crate::clock::UnixMs;

/// What is known of a request that is about to be forwarded, besides its head and body.
#[derive(Clone, Debug)]
pub struct Outgoing<'a> {
    /// `X-Request-Id`.
    pub request_id: &'a HeaderValue,
    /// `X-Forwarded-For`: the address that policy was applied to, alone.
    pub source: IpAddr,
    /// The same as a header, where somebody has it ready.
    pub forwarded_for: Option<&'a HeaderValue>,
    /// `X-Forwarded-Proto`: whether the sender came over HTTPS.
    pub secure: bool,
    /// `X-Forwarded-Host` where the head itself has neither `Host` nor `:authority`; may be empty.
    pub host: &'a str,
    /// What the route's `*` stood for, as a range of the request's path.
    pub remainder: Option<(usize, usize)>,
    /// `Hookward-Event-Id`.
    pub event_id: Option<&'a str>,
    /// The event id if the signature covers it: `webhook-id` when the request is signed anew.
    pub covered_id: Option<&'a str>,
    /// `Hookward-Event-Type`.
    pub event_type: Option<&'a str>,
    /// `Hookward-Key-Id`.
    pub key_id: Option<&'a str>,
    /// `Hookward-Verified`: what was proven, such as `signature, replay`; empty: no such header.
    pub verified: Option<&'a HeaderValue>,
    /// `Hookward-Monitored`: the checks that failed and were only monitored.
    pub monitored: Option<&'a str>,
    /// The content key: what `webhook-id` is made of where no covered event id serves.
    pub webhook_id_seed: Option<u128>,
    /// The wall clock, for `webhook-timestamp`.
    pub now: UnixMs,
}

/// The header rules of one upstream, made once.
pub(in super::super) struct Rules {
    route: HeaderValue,
    provider: HeaderValue,
    /// The route's own `headers`.
    fixed: Vec<(HeaderName, HeaderValue)>,
    /// What `Connection` cannot name away: the headers that the route's checks look at.
    protected: Vec<HeaderName>,
    /// The names whose value is the gateway's to give. A sender's `_` spelling of one is dropped.
    given: Vec<HeaderName>,
}

impl Rules {
    /// Makes the rules of a route. `signs`: whether requests are signed anew for the receiver.
    pub(in super::super) fn new(
        route: &str,
        provider: &str,
        fixed: &[(HeaderName, HeaderValue)],
        protected: Vec<HeaderName>,
        signs: bool,
    ) -> Self {
        let mut given: Vec<_> = fixed.iter().map(|(name, _)| name.clone()).collect();
        given.push(REQUEST_ID);
        if signs {
            given.extend(
                ["webhook-id", "webhook-timestamp", "webhook-signature"]
                    .map(HeaderName::from_static),
            );
        }
        let text = |text| header_text(text).unwrap_or(HeaderValue::from_static(""));
        Self {
            route: text(route),
            provider: text(provider),
            fixed: fixed.to_vec(),
            protected,
            given,
        }
    }

    /// Whether the route's own `headers` say what `Host` is.
    pub(in super::super) fn sets_host(&self) -> bool {
        self.fixed.iter().any(|(name, _)| *name == header::HOST)
    }

    /// Turns the head as it came in into the head that the receiver gets, but for `Host` and the
    /// headers of signing anew.
    pub(in super::super) fn prepare(&self, head: &mut Parts, out: &Outgoing<'_>, body: usize) {
        let headers = &mut head.headers;
        self.strip(headers);
        headers.reserve(ADDED + self.fixed.len());
        if let Some(host) = original_host(headers, &head.uri, out.host) {
            headers.insert(FORWARDED_HOST, host);
        }
        let proto = if out.secure { "https" } else { "http" };
        headers.insert(FORWARDED_PROTO, HeaderValue::from_static(proto));
        headers.insert(REQUEST_ID, out.request_id.clone());
        let forwarded_for = out.forwarded_for.cloned();
        headers.insert(FORWARDED_FOR, forwarded_for.unwrap_or_else(|| address(out.source)));
        headers.insert(ROUTE, self.route.clone());
        headers.insert(PROVIDER, self.provider.clone());
        insert_text(headers, EVENT_ID, out.event_id);
        insert_text(headers, EVENT_TYPE, out.event_type);
        insert_text(headers, KEY_ID, out.key_id);
        if let Some(verified) = out.verified {
            headers.insert(VERIFIED, verified.clone());
        }
        insert_text(headers, MONITORED, out.monitored);
        for (name, value) in &self.fixed {
            headers.insert(name.clone(), value.clone());
        }
        declare_length(headers, &head.method, body);
    }

    fn strip(&self, headers: &mut HeaderMap) {
        let mut drop = if headers.contains_key(header::CONNECTION) {
            hop::named(headers, &self.protected)
        } else {
            Names::new()
        };
        let unwanted = |name: &str| hop::in_request(name) || is_claim(name) || self.shadows(name);
        drop.extend(headers.keys().filter(|name| unwanted(name.as_str())).cloned());
        for name in drop {
            headers.remove(name);
        }
    }

    /// Whether a receiver that takes `_` for `-` would read this as a header that we give.
    fn shadows(&self, name: &str) -> bool {
        name.contains('_') && self.given.iter().any(|given| reads_like(name, given.as_str()))
    }
}

/// The host as the sender addressed it.
fn original_host(headers: &mut HeaderMap, uri: &Uri, fallback: &str) -> Option<HeaderValue> {
    if let Some(host) = headers.remove(header::HOST) {
        return Some(host);
    }
    match uri.authority() {
        Some(authority) => header_text(authority.as_str()),
        None => header_text(fallback),
    }
}

/// The body is whole by now: however it was framed on its way in, it leaves with its length.
fn declare_length(headers: &mut HeaderMap, method: &Method, body: usize) {
    let mut declared = headers.get_all(header::CONTENT_LENGTH).iter();
    let fits = match (declared.next(), declared.next()) {
        (None, None) => body > 0 || *method == Method::GET || *method == Method::HEAD,
        (Some(one), None) => one.to_str().is_ok_and(|text| text.parse() == Ok(body)),
        _ => false,
    };
    if !fits {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body));
    }
}

fn insert_text(headers: &mut HeaderMap, name: HeaderName, text: Option<&str>) {
    if let Some(value) = text.and_then(header_text) {
        headers.insert(name, value);
    }
}

/// A text of any origin as a header's value, or nothing if it is empty or unreasonably long.
///
/// Visible ASCII and inner spaces stay as they are. Every other byte, `%`, and a space at either
/// end are percent-encoded, so that decoding gives back exactly the text, and no text can end the
/// line. A text that would get longer than [`MAX_TEXT`] is left out: cut, it could equal another.
pub(in super::super) fn header_text(text: &str) -> Option<HeaderValue> {
    let bytes = text.as_bytes();
    let plain = |byte: &u8| matches!(byte, 0x20..=0x7e) && *byte != b'%';
    let padded = bytes.first() == Some(&b' ') || bytes.last() == Some(&b' ');
    if bytes.is_empty() || bytes.len() > MAX_TEXT {
        return None;
    }
    if !padded && bytes.iter().all(plain) {
        return HeaderValue::from_bytes(bytes).ok();
    }
    let mut encoded = String::with_capacity(bytes.len() * 2);
    let last = bytes.len() - 1;
    for (at, byte) in bytes.iter().enumerate() {
        if plain(byte) && !(*byte == b' ' && (at == 0 || at == last)) {
            encoded.push(char::from(*byte));
        } else {
            encoded.push('%');
            encoded.push_str(&hex::encode_upper([*byte]));
        }
    }
    (encoded.len() <= MAX_TEXT).then(|| HeaderValue::try_from(encoded).ok())?
}

/// Formats without going through a `String`.
/// An address as a header's value.
pub fn address(ip: IpAddr) -> HeaderValue {
    let mut text = io::Cursor::new([0; 48]);
    // The longest address has 45 characters, and all of them are visible ASCII.
    let written = write!(text, "{ip}").ok().and_then(|()| usize::try_from(text.position()).ok());
    let text = written.and_then(|length| text.get_ref().get(..length)).unwrap_or(b"unknown");
    HeaderValue::from_bytes(text).unwrap_or(HeaderValue::from_static("unknown"))
}

/// The longest text from a sender that is put into a header, in bytes.
const MAX_TEXT: usize = 1024;
/// How many headers are added at most, besides the route's own.
const ADDED: usize = 16;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const ROUTE: HeaderName = HeaderName::from_static("hookward-route");
const PROVIDER: HeaderName = HeaderName::from_static("hookward-provider");
const EVENT_ID: HeaderName = HeaderName::from_static("hookward-event-id");
const EVENT_TYPE: HeaderName = HeaderName::from_static("hookward-event-type");
const KEY_ID: HeaderName = HeaderName::from_static("hookward-key-id");
const VERIFIED: HeaderName = HeaderName::from_static("hookward-verified");
const MONITORED: HeaderName = HeaderName::from_static("hookward-monitored");

#[cfg(test)]
#[path = "outgoing_tests.rs"]
mod tests;
