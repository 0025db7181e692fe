//! What the gateway adds to a request: who sent it, and what was proven.

use std::{
    borrow::Cow,
    io::{self, Write},
    net::IpAddr,
};

use http::{HeaderMap, HeaderName, HeaderValue, Method, header, request::Parts};

use super::{
    super::{
        resign,
        wire::{put, put_header},
    },
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
    /// `Hookward-Route` and `-Provider`, as lines.
    named: Box<[u8]>,
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
            given.extend(resign::HEADERS.map(HeaderName::from_static));
        }
        let ours = |name: &HeaderName| signs && resign::HEADERS.contains(&name.as_str());
        let mut named = Vec::new();
        for (name, text) in [(ROUTE, route), (PROVIDER, provider)] {
            if !fixed.iter().any(|(fixed, _)| *fixed == name) {
                put(&mut named, name.as_str(), &header_text(text).unwrap_or_default());
            }
        }
        Self {
            named: named.into(),
            fixed: fixed.iter().filter(|(name, _)| !ours(name)).cloned().collect(),
            protected,
            given,
        }
    }

    /// Whether the route's own `headers` say what `Host` is.
    pub(in super::super) fn sets_host(&self) -> bool {
        self.fixed.iter().any(|(name, _)| *name == header::HOST)
    }

    /// Writes the fields that the receiver gets, but for its own `Host` and those of signing anew.
    pub(in super::super) fn write(
        &self,
        head: &Parts,
        out: &Outgoing<'_>,
        body: usize,
        bytes: &mut Vec<u8>,
    ) {
        self.pass_on(&head.headers, bytes);
        let mut say = |name: &HeaderName, value: &[u8]| {
            // What the route's own `headers` say comes last, and instead.
            if !self.fixed.iter().any(|(fixed, _)| fixed == name) {
                put(bytes, name.as_str(), value);
            }
        };
        if let Some(host) = original_host(head, out.host) {
            say(&FORWARDED_HOST, &host);
        }
        say(&FORWARDED_PROTO, if out.secure { b"https" } else { b"http" });
        say(&REQUEST_ID, out.request_id.as_bytes());
        match out.forwarded_for {
            Some(source) => say(&FORWARDED_FOR, source.as_bytes()),
            None => say(&FORWARDED_FOR, address(out.source).as_bytes()),
        }
        let texts = [
            (&EVENT_ID, out.event_id),
            (&EVENT_TYPE, out.event_type),
            (&KEY_ID, out.key_id),
            (&MONITORED, out.monitored),
        ];
        for (name, text) in texts {
            if let Some(value) = text.and_then(header_text) {
                say(name, &value);
            }
        }
        if let Some(verified) = out.verified {
            say(&VERIFIED, verified.as_bytes());
        }
        // The body is whole by now: however it was framed on its way in, it leaves with its length.
        let usual = head.method != Method::GET && head.method != Method::HEAD;
        if body > 0 || usual || head.headers.contains_key(header::CONTENT_LENGTH) {
            say(&header::CONTENT_LENGTH, itoa::Buffer::new().format(body).as_bytes());
        }
        bytes.extend_from_slice(&self.named);
        for (name, value) in &self.fixed {
            put_header(bytes, name, value);
        }
    }

    /// Writes what of the sender's fields goes on.
    fn pass_on(&self, headers: &HeaderMap, bytes: &mut Vec<u8>) {
        let named = if headers.contains_key(header::CONNECTION) {
            hop::named(headers, &self.protected)
        } else {
            Names::new()
        };
        for (name, value) in headers {
            if !self.keeps_back(name) && !named.contains(name) {
                put_header(bytes, name, value);
            }
        }
    }

    /// Whether a sender's field of this name is not passed on: one of its connection, one that the
    /// gateway gives, or one that a receiver might take for such.
    fn keeps_back(&self, name: &HeaderName) -> bool {
        *name == header::HOST
            || *name == header::CONTENT_LENGTH
            || hop::in_request(name.as_str())
            || is_claim(name.as_str())
            || self.gives(name.as_str())
    }

    /// Whether this is a header that we give, also to a receiver that takes `_` for `-`.
    fn gives(&self, name: &str) -> bool {
        self.given.iter().any(|given| reads_like(name, given.as_str()))
    }
}

/// The host as the sender addressed it.
fn original_host<'a>(head: &'a Parts, fallback: &'a str) -> Option<Cow<'a, [u8]>> {
    if let Some(host) = head.headers.get(header::HOST) {
        return Some(host.as_bytes().into());
    }
    header_text(head.uri.authority().map_or(fallback, |authority| authority.as_str()))
}

/// A text of any origin as a header's value, or nothing if it is empty or unreasonably long.
///
/// Visible ASCII and inner spaces stay as they are. Every other byte, `%`, and a space at either
/// end are percent-encoded, so that decoding gives back exactly the text, and no text can end the
/// line. A text that would get longer than [`MAX_TEXT`] is left out: cut, it could equal another.
pub(in super::super) fn header_text(text: &str) -> Option<Cow<'_, [u8]>> {
    let bytes = text.as_bytes();
    let plain = |byte: &u8| matches!(byte, 0x20..=0x7e) && *byte != b'%';
    let padded = bytes.first() == Some(&b' ') || bytes.last() == Some(&b' ');
    if bytes.is_empty() || bytes.len() > MAX_TEXT {
        return None;
    }
    if !padded && bytes.iter().all(plain) {
        return Some(bytes.into());
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
    (encoded.len() <= MAX_TEXT).then(|| encoded.into_bytes().into())
}

/// An address as a header's value, formatted without going through a `String`.
pub fn address(ip: IpAddr) -> HeaderValue {
    let mut text = io::Cursor::new([0; 48]);
    // The longest address has 45 characters, and all of them are visible ASCII.
    let written = write!(text, "{ip}").ok().and_then(|()| usize::try_from(text.position()).ok());
    let text = written.and_then(|length| text.get_ref().get(..length)).unwrap_or(b"unknown");
    HeaderValue::from_bytes(text).unwrap_or(HeaderValue::from_static("unknown"))
}

/// The longest text from a sender that is put into a header, in bytes.
const MAX_TEXT: usize = 1024;

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
