//! The search: each likely change alone, against every reading of the signature.

use std::{borrow::Cow, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderValue};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{
    KeyChange, MAX_MISSES, MAX_RESHAPED, MAX_SECRETS, NearMiss, Reshaped, Tried,
    spelling::{Reading, readings},
};
use crate::{
    clock::UnixMs,
    verify::{
        Algorithm, Definition, Head, Scheme, SchemeOptions, Secret,
        head::Read,
        key::Keyed,
        scheme::{Candidate, Means},
        source::{Message, Source},
        template::Template,
        time::Unit,
    },
};

pub(super) struct Search<'s> {
    definition: &'s Arc<Definition>,
    options: &'s SchemeOptions,
    pub(super) scheme: Scheme,
    pub(super) tried: Tried<'s>,
    head: Head<'s>,
    body: &'s [u8],
    pub(super) now: UnixMs,
    pub(super) misses: Vec<NearMiss>,
}

/// A secret's bytes after one change, or after none.
type Variant = (Option<KeyChange>, Zeroizing<Vec<u8>>);

/// What is computed over one variant of a message.
pub(super) struct Trial<'t> {
    pub(super) template: &'t Template,
    pub(super) head: Head<'t>,
    pub(super) body: &'t [u8],
}

impl<'s> Search<'s> {
    pub(super) fn new(
        definition: &'s Arc<Definition>,
        options: &'s SchemeOptions,
        mut tried: Tried<'s>,
        head: Head<'s>,
        body: &'s [u8],
        now: UnixMs,
    ) -> Option<Self> {
        let scheme = Scheme::compile(definition, options).ok()?;
        tried.secrets = tried.secrets.get(..tried.secrets.len().min(MAX_SECRETS))?;
        let misses = Vec::new();
        Some(Self { definition, options, scheme, tried, head, body, now, misses })
    }

    pub(super) fn run(&mut self) {
        let candidates = self.scheme.candidates().to_vec();
        for (number, candidate) in candidates.iter().enumerate() {
            match (&candidate.means, &candidate.signed) {
                (Means::Token, _) => self.tokens(candidate),
                (Means::Signed, Some(template)) => self.signatures(number, candidate, template),
                _ => {}
            }
            if self.misses.len() >= MAX_MISSES {
                break;
            }
        }
    }

    pub(super) fn note(&mut self, miss: NearMiss) {
        if !self.misses.contains(&miss) {
            self.misses.push(miss);
        }
    }

    fn signatures(&mut self, number: usize, candidate: &Candidate, template: &Template) {
        let found = self.scheme.look_into(self.head, self.body);
        let message = Message::new(self.head, self.body).with(&found);
        let readings = readings(candidate, &message);
        if readings.is_empty() {
            return;
        }
        let plain = Trial { template, head: self.head, body: self.body };
        if candidate.is_asymmetric() {
            self.public_keys(candidate, &plain, &readings, &message);
        } else {
            self.keys(candidate, &plain, &readings, &message);
        }
        self.bodies(candidate, template, &readings);
        self.times(candidate, template, &readings);
        if candidate.uses_url {
            self.urls(number, candidate, &readings);
        }
    }

    /// Every secret, as it is and changed, over the message as it is.
    fn keys(
        &mut self,
        candidate: &Candidate,
        plain: &Trial<'_>,
        readings: &[Reading],
        message: &Message<'_>,
    ) {
        let secrets = self.tried.secrets;
        for (index, secret) in secrets.iter().enumerate() {
            for (change, key) in variants(candidate, secret) {
                let Some((reading, algorithm)) = self.hit(plain, &key, readings) else { continue };
                let id = Arc::clone(&secret.id);
                match change {
                    Some(change) => self.note(NearMiss::Key(id, change)),
                    None => self.unchanged(candidate, index, reading, algorithm, message),
                }
                self.spelling(candidate, reading, algorithm);
            }
        }
    }

    /// The secret matches as it is: why was it not taken?
    fn unchanged(
        &mut self,
        candidate: &Candidate,
        index: usize,
        reading: &Reading,
        algorithm: Algorithm,
        message: &Message<'_>,
    ) {
        let Some(secret) = self.tried.secrets.get(index) else { return };
        let id = Arc::clone(&secret.id);
        let named = candidate.key_id.as_ref().map(|source| source.read(message));
        let as_it_should_be = algorithm == candidate.algorithm()
            && reading.encoding == candidate.encoding
            && reading.prefixed;
        if !secret.is_active(self.now) {
            self.note(NearMiss::Expired(id));
        } else if candidate.key_slot.is_some_and(|slot| slot != index) {
            self.note(NearMiss::Slot(id));
        } else if secret.id_is_explicit
            && named.is_some_and(|read| read != Read::Value(id.as_bytes().into()))
        {
            self.note(NearMiss::KeyId(id));
        } else if as_it_should_be
            && candidate.uses_url
            && self.scheme.target().is_some_and(|target| target != self.head.target())
        {
            self.note(NearMiss::OtherPath);
        }
    }

    /// What is wrong with the signature's own text, beside what else is.
    pub(super) fn spelling(
        &mut self,
        candidate: &Candidate,
        reading: &Reading,
        algorithm: Algorithm,
    ) {
        if algorithm != candidate.algorithm() {
            self.note(NearMiss::Algorithm { is: algorithm, wanted: candidate.algorithm() });
        } else if reading.encoding != candidate.encoding {
            let (is, wanted) = (reading.encoding.name(), candidate.encoding.name());
            self.note(NearMiss::Spelling { is, wanted });
        } else if !reading.prefixed {
            self.note(NearMiss::Unprefixed);
        }
    }

    /// The body as something on the way may have found it.
    fn bodies(&mut self, candidate: &Candidate, template: &Template, readings: &[Reading]) {
        if self.body.len() > MAX_RESHAPED || !template.covers(&Source::Body) {
            return;
        }
        for how in Reshaped::ALL {
            let Some(body) = how.apply(self.body) else { continue };
            let trial = Trial { template, head: self.head, body: &body };
            if self.any_key(candidate, &trial, readings) {
                // Other changes that come to the same bytes say nothing more.
                return self.note(NearMiss::Body(*how));
            }
        }
    }

    /// The timestamp in another unit than the one that was sent.
    fn times(&mut self, candidate: &Candidate, template: &Template, readings: &[Reading]) {
        let Some((source, unit)) = self.scheme.timestamp_of(candidate).cloned() else { return };
        let name = match &source {
            Source::Header(name) | Source::Pair(name, ..) => name.clone(),
            _ => return,
        };
        let Read::Value(value) = source.read(&Message::new(self.head, self.body)) else { return };
        let Some(at) = unit.read(&value) else { return };
        let Ok(value) = String::from_utf8(value.into_owned()) else { return };
        for (other, signed) in [
            (Unit::Seconds, "seconds"),
            (Unit::Milliseconds, "milliseconds"),
            (Unit::Rfc3339, "RFC 3339"),
        ] {
            let Some(headers) = replaced(self.head.headers, &name, &value, &other.write(at)) else {
                continue;
            };
            let relaxed = template.with_unit(&source, other);
            let head = Head { headers: &headers, ..self.head };
            let trial = Trial { template: &relaxed, head, body: self.body };
            if other != unit && self.any_key(candidate, &trial, readings) {
                self.note(NearMiss::TimestampUnit { signed });
            }
        }
    }

    /// Other URLs that may have been registered.
    fn urls(&mut self, number: usize, candidate: &Candidate, readings: &[Reading]) {
        let Some(url) = self.options.expect.get("url") else { return };
        for other in other_urls(url, self.head) {
            let mut options = self.options.clone();
            options.expect.insert("url".to_owned(), other.clone());
            let Ok(scheme) = Scheme::compile(self.definition, &options) else { continue };
            let template = scheme.candidates().get(number).and_then(|c| c.signed.as_ref());
            let Some(template) = template else { continue };
            let trial = Trial { template, head: self.head, body: self.body };
            if self.any_key(candidate, &trial, readings) {
                let shown = match other.split_once('?') {
                    Some((bare, _)) => format!("{bare}?…"),
                    None => other,
                };
                self.note(NearMiss::Url { shown });
            }
        }
    }

    fn any_key(&self, candidate: &Candidate, trial: &Trial<'_>, readings: &[Reading]) -> bool {
        if candidate.is_asymmetric() {
            return self.any_public_key(candidate, trial, readings);
        }
        self.tried.secrets.iter().any(|secret| {
            let key = candidate.key.decode(&secret.bytes);
            key.is_ok_and(|key| self.hit(trial, &key, readings).is_some())
        })
    }

    /// The reading that one key makes of one variant of the message.
    fn hit<'r>(
        &self,
        trial: &Trial<'_>,
        key: &[u8],
        readings: &'r [Reading],
    ) -> Option<(&'r Reading, Algorithm)> {
        let found = self.scheme.look_into(trial.head, trial.body);
        let message = Message::new(trial.head, trial.body).with(&found);
        let chunks = trial.template.chunks(&message).ok()?;
        for reading in readings {
            for algorithm in reading.algorithms() {
                let mac = Keyed::new(algorithm, key)?.mac(&chunks);
                if mac.matches(&reading.bytes).into() {
                    return Some((reading, algorithm));
                }
            }
        }
        None
    }

    /// Tokens: the secret changed, expired, or spelled in another case.
    fn tokens(&mut self, candidate: &Candidate) {
        let found = self.scheme.look_into(self.head, self.body);
        let message = Message::new(self.head, self.body).with(&found);
        let Ok(token) = candidate.token(&message) else { return };
        let is_it = |key: &[u8]| bool::from(key.ct_eq(&token));
        for secret in self.tried.secrets {
            let id = || Arc::clone(&secret.id);
            for (change, key) in variants(candidate, secret) {
                match change {
                    _ if !is_it(&key) => {}
                    Some(change) => self.misses.push(NearMiss::Key(id(), change)),
                    None if !secret.is_active(self.now) => {
                        self.misses.push(NearMiss::Expired(id()));
                    }
                    None => {}
                }
            }
            let lower = Zeroizing::new(secret.bytes.to_ascii_lowercase());
            if !is_it(&secret.bytes) && bool::from(lower.ct_eq(&token.to_ascii_lowercase())) {
                self.misses.push(NearMiss::LetterCase(id()));
            }
        }
    }
}

/// The key as the definition decodes it, and what people make of secrets by mistake.
fn variants(candidate: &Candidate, secret: &Secret) -> Vec<Variant> {
    let text = &secret.bytes;
    let trimmed = text.trim_ascii();
    let bare = trimmed.iter().position(|b| *b == b'_').and_then(|at| trimmed.get(at + 1..));
    let copy = |bytes: &[u8]| Zeroizing::new(bytes.to_vec());
    let mut all: Vec<Variant> = Vec::new();
    let mut add = |change: Option<KeyChange>, key: Option<Zeroizing<Vec<u8>>>| match key {
        Some(key) if !key.is_empty() && all.iter().all(|(_, other)| *other != key) => {
            all.push((change, key));
        }
        _ => {}
    };
    add(None, candidate.key.decode(text).ok());
    add(Some(KeyChange::Trimmed), candidate.key.decode(trimmed).ok());
    add(Some(KeyChange::NotDecoded), Some(copy(trimmed)));
    add(Some(KeyChange::WithNewline), Some(Zeroizing::new([text.as_slice(), b"\n"].concat())));
    add(Some(KeyChange::FromHex), hex::decode(trimmed).ok().map(Zeroizing::new));
    let base64 = |text: &[u8]| BASE64_STANDARD.decode(text).ok().map(Zeroizing::new);
    add(Some(KeyChange::FromBase64), base64(trimmed).or_else(|| base64(bare?)));
    add(Some(KeyChange::WithoutPrefix), bare.map(copy));
    all
}

/// The headers with one value, or a part of it, replaced.
fn replaced(
    headers: &HeaderMap,
    name: &http::HeaderName,
    old: &str,
    new: &str,
) -> Option<HeaderMap> {
    let text = headers.get(name)?.to_str().ok()?;
    let value = HeaderValue::try_from(text.replacen(old, new, 1)).ok()?;
    let mut headers = headers.clone();
    headers.insert(name, value);
    Some(headers)
}

/// URLs near the registered one: the request's own target, the other scheme, another slash or port.
fn other_urls(url: &str, head: Head<'_>) -> Vec<String> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    let at = rest.find(['/', '?']).unwrap_or(rest.len());
    let (host, target) = rest.split_at_checked(at).unwrap_or((rest, ""));
    let other_scheme = if scheme == "https" { "http" } else { "https" };
    let own = head.target();
    let path = |target: &str| target.split('?').next().unwrap_or_default().to_owned();
    let asked = match head.host() {
        Read::Value(host) => String::from_utf8_lossy(&host).into_owned(),
        _ => host.to_owned(),
    };
    let slashed = match path(target).strip_suffix('/') {
        Some(bare) => bare.to_owned(),
        None => format!("{}/", path(target)),
    };
    let port = if scheme == "https" { 443 } else { 80 };
    let ported = match host.strip_suffix(&format!(":{port}")) {
        Some(bare) => Cow::Borrowed(bare),
        None => Cow::Owned(format!("{host}:{port}")),
    };
    let mut all = vec![
        format!("{scheme}://{host}{own}"),
        format!("{scheme}://{asked}{own}"),
        format!("{scheme}://{host}{slashed}"),
        format!("{scheme}://{host}{}", path(target)),
        format!("{scheme}://{ported}{target}"),
        format!("{other_scheme}://{host}{target}"),
        format!("{other_scheme}://{asked}{own}"),
    ];
    all.retain(|other| other != url);
    all.sort_unstable();
    all.dedup();
    all
}
