//! What the catalogue says of one definition.

use serde_json::{Value, json};

use crate::{
    providers,
    verify::{RawDefinition, definition::raw::RawRepeats},
};

/// A row of the catalogue.
#[derive(Debug)]
pub(super) struct Summary {
    pub(super) name: &'static str,
    pub(super) title: String,
    pub(super) family: &'static str,
    pub(super) evidence: String,
    pub(super) docs: String,
    pub(super) open: Vec<String>,
    pub(super) covers_body: bool,
    algorithms: Vec<String>,
    replay_key: &'static str,
    retries: String,
    /// Where the signed time stands, and the default tolerance.
    freshness: Option<(Vec<String>, String)>,
    /// A token says itself until when it holds.
    expires: bool,
    /// The names of its handshakes.
    handshakes: Vec<String>,
    /// What a route must say in `expect`.
    expect: Vec<String>,
}

/// The families of schemes, by the names that `--family` takes.
pub(super) const FAMILIES: [&str; 10] = [
    "certificate",
    "hash",
    "hmac",
    "hmac-fields",
    "http-signature",
    "jwt",
    "jwt-body",
    "none",
    "public-key",
    "token",
];

impl Summary {
    /// All of them, sorted by name.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        providers::names().filter_map(Self::of)
    }

    /// The one of this name.
    pub(super) fn of(name: &str) -> Option<Self> {
        let name = providers::names().find(|known| *known == name)?;
        let raw = providers::raw(name)?;
        let definition = providers::builtin(name)?;
        let coverage = &definition.coverage;
        let algorithms = coverage.algorithms.iter().map(ToString::to_string).collect();
        let is_token = coverage.token;
        let freshness = raw.timestamp.as_ref().map(|timestamp| {
            let from = timestamp.from.as_ref().map(|many| many.0.clone()).unwrap_or_default();
            (from, timestamp.tolerance.clone().unwrap_or_else(|| "5m".to_owned()))
        });
        let handshakes = raw.handshake.iter().flat_map(|many| &many.0);
        let required = raw.expect.iter().flatten().filter(|(_, expect)| expect.is_required());
        Some(Self {
            name,
            title: raw.title.clone().unwrap_or_default(),
            family: family(raw, coverage.body),
            covers_body: coverage.body,
            expires: coverage.expires,
            evidence: raw.evidence.clone().unwrap_or_default(),
            algorithms,
            docs: raw.docs.clone().unwrap_or_default(),
            open: raw.open.clone().unwrap_or_default(),
            replay_key: replay_key(raw, is_token),
            retries: raw.retries.clone().unwrap_or_default(),
            freshness,
            handshakes: handshakes.filter_map(|handshake| handshake.name.clone()).collect(),
            expect: required.map(|(key, _)| key.clone()).collect(),
        })
    }

    /// Whether it has a handshake.
    pub(super) const fn greets(&self) -> bool {
        !self.handshakes.is_empty()
    }

    /// The columns of the table.
    pub(super) fn cells(&self) -> Vec<String> {
        let freshness = match &self.freshness {
            Some((_, tolerance)) => tolerance,
            None if self.expires => "exp",
            None => "none",
        };
        let algorithm = match self.algorithms.as_slice() {
            [] => String::new(),
            [one] => one.clone(),
            [first, more @ ..] => format!("{first} +{}", more.len()),
        };
        vec![
            self.name.to_owned(),
            self.title.clone(),
            self.family.to_owned(),
            algorithm,
            freshness.to_owned(),
            self.replay_key.to_owned(),
            self.retries.clone(),
            if self.handshakes.is_empty() { "none".into() } else { self.handshakes.join(", ") },
            self.evidence.clone(),
        ]
    }

    pub(super) fn to_json(&self) -> Value {
        let freshness = self.freshness.as_ref();
        json!({
            "name": self.name,
            "title": self.title,
            "docs": self.docs,
            "family": self.family,
            "algorithms": self.algorithms,
            "covers_body": self.covers_body,
            "freshness": freshness.map(|(from, t)| json!({ "from": from, "tolerance": t })),
            "replay_key": self.replay_key,
            "retries": self.retries,
            "handshakes": self.handshakes,
            "evidence": self.evidence,
            "open": self.open,
            "expect": self.expect,
        })
    }
}

/// What tells one delivery from another.
fn replay_key(raw: &RawDefinition, is_token: bool) -> &'static str {
    let has_id = raw.event.as_ref().is_some_and(|event| event.id.is_some());
    match (has_id, is_token) {
        _ if matches!(raw.repeats, Some(RawRepeats::Always(true))) => "none: they recur",
        (true, true) => "vouched event id",
        (true, false) => "event id",
        (false, true) => "the bytes",
        (false, false) => "signed bytes",
    }
}

/// The family of the scheme that a definition names first.
fn family(raw: &RawDefinition, covers_body: bool) -> &'static str {
    let first = raw.signature.as_ref().and_then(|many| many.0.first());
    let Some(first) = first else { return "none" };
    let signed = first.signed.iter().flat_map(|many| &many.0);
    let in_fields = ["{form", "{json:", "{item:", "{xml:"];
    let fields = signed.flat_map(|text| in_fields.iter().filter(|field| text.contains(**field)));
    match first.algorithm.as_deref().unwrap_or_default() {
        "jws" if covers_body => "jwt-body",
        "jws" => "jwt",
        "none" => "none",
        "rfc9421" => "http-signature",
        "sha1" | "sha256" | "sha512" => "hash",
        "token" => "token",
        _ if first.certificate.is_some() => "certificate",
        hmac if hmac.starts_with("hmac-") => match fields.count() {
            0 => "hmac",
            _ => "hmac-fields",
        },
        _ => "public-key",
    }
}
