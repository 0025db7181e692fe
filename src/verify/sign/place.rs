//! Puts values where a scheme wants them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::HeaderName;

use super::{
    SignError, SignRequest,
    draft::Draft,
    similar::{similar, uuid},
};
use crate::{
    clock::UnixMs,
    verify::{
        Definition,
        definition::raw::RawSignature,
        json::Pointer,
        pairs::Split,
        scheme::{Binding, Condition, Test},
        source::Source,
    },
};

/// A request while it is being made, and what it is made from.
pub(super) struct Placer<'a> {
    pub(super) draft: Draft,
    request: &'a SignRequest<'a>,
    definition: &'a Definition,
    random: fastrand::Rng,
}

impl<'a> Placer<'a> {
    pub(super) fn new(
        definition: &'a Definition,
        request: &'a SignRequest<'a>,
    ) -> Result<Self, SignError> {
        let method = definition.methods.first().cloned().unwrap_or(http::Method::POST);
        let mut draft = Draft::new(method, request.url).map_err(SignError::Request)?;
        // What the caller says comes first, and nothing is put over it.
        draft.document = definition.document.clone();
        draft.headers = request.headers.to_vec();
        draft.body = match (request.body, &definition.sample.body) {
            (Some(body), _) => body.to_vec(),
            (None, Some(body)) => body.clone().into_bytes(),
            (None, None) => Vec::new(),
        };
        if let (false, Some(kind)) = (draft.body.is_empty(), definition.content_types.first()) {
            draft.header("Content-Type", kind.as_str());
        }
        let random = fastrand::Rng::with_seed(request.seed);
        Ok(Self { draft, request, definition, random })
    }

    /// Puts a text where a source reads it.
    pub(super) fn put(
        &mut self,
        what: &'static str,
        source: &Source,
        text: &str,
    ) -> Result<(), SignError> {
        let fail = |why: String| SignError::Place { what, place: source.to_string(), why };
        match source {
            Source::Basic => {
                let credentials = STANDARD.encode(text);
                self.draft.header("Authorization", format!("Basic {credentials}"));
            }
            Source::Bearer => self.draft.header("Authorization", format!("Bearer {text}")),
            Source::Form(name) => self.draft.field(name, text),
            Source::Header(name) => {
                let name = self.spelled(name.as_str());
                self.draft.header(&name, text);
            }
            Source::Headers(prefix) => {
                let prefix = self.spelled(prefix);
                self.draft.header(&format!("{prefix}1"), text);
            }
            Source::Json(pointer, _) => {
                let path: Vec<_> = pointer.names().collect();
                self.draft.member(&path, true, &mut |_| text.to_owned()).map_err(fail)?;
            }
            Source::Pair(header, key, split) => self.element(header, key, text, split),
            Source::Parameter(name) => self.draft.parameter(name, text),
            Source::Xml(path, _) => {
                self.draft.element(path, &mut |_| text.to_owned()).map_err(fail)?;
            }
            _ => return Err(fail("a sender has no say in it".to_owned())),
        }
        Ok(())
    }

    /// Adds a pair to a structured header, unless the caller has said what it holds.
    pub(super) fn element(&mut self, header: &HeaderName, key: &str, value: &str, split: &Split) {
        let given = |(name, _): &(String, String)| name.eq_ignore_ascii_case(header.as_str());
        if self.request.headers.iter().any(given) {
            return;
        }
        let key = if split.is_list() { "" } else { key };
        let pair = format!("{key}{}{value}", split.assign);
        match self.draft.headers.iter_mut().find(|header| given(header)) {
            Some((_, text)) => {
                text.push_str(&split.separator);
                text.push_str(&pair);
            }
            None => {
                let name = self.spelled(header.as_str());
                self.draft.header(&name, pair);
            }
        }
    }

    /// Puts what decides that the message is signed this way.
    pub(super) fn conditions(&mut self, conditions: &[Condition]) -> Result<(), SignError> {
        for condition in conditions {
            match (&condition.source, &condition.test) {
                (Source::Method, Test::Equals(name)) => {
                    let method = http::Method::from_bytes(name.as_bytes());
                    self.draft.method = method.unwrap_or(http::Method::POST);
                }
                (source, Test::Equals(text)) => self.put("what it depends on", source, text)?,
                (_, Test::Exists(_)) => {}
            }
        }
        Ok(())
    }

    /// Puts what must be equal to something that the route knows. A body that was given keeps its own.
    pub(super) fn bindings(&mut self, bindings: &[Binding]) {
        let may_change_body = self.request.body.is_none();
        for binding in bindings.iter().filter(|b| may_change_body || !b.source.is_in_body()) {
            let text = binding.constant().and_then(|bytes| String::from_utf8(bytes).ok());
            if let Some(text) = text {
                // What has no place for it is judged as it is.
                let _unplaced = self.put("what it must be", &binding.source, &text);
            }
        }
    }

    /// Puts fresh ids, or the one that was asked for. A body that was given keeps its own.
    pub(super) fn ids(&mut self, sources: &[Source]) -> Result<(), SignError> {
        let wanted = self.request.id;
        let may_change_body = wanted.is_some() || self.request.body.is_none();
        for source in sources {
            match source {
                Source::Json(pointer, _) if may_change_body => {
                    let path: Vec<_> = pointer.names().collect();
                    let random = &mut self.random;
                    let mut fresh = |old: Option<&str>| match wanted {
                        Some(id) => id.to_owned(),
                        None => similar(old.unwrap_or("1"), random),
                    };
                    // One of several places; the others need not be there.
                    let _absent = self.draft.member(&path, false, &mut fresh);
                }
                Source::Xml(path, _) if may_change_body => {
                    let random = &mut self.random;
                    let mut fresh = |old: &str| match wanted {
                        Some(id) => id.to_owned(),
                        None => similar(old, random),
                    };
                    let _absent = self.draft.element(path, &mut fresh);
                }
                Source::Form(name) if may_change_body => {
                    if let Some(old) = self.draft.field_text(name) {
                        let id = wanted
                            .map_or_else(|| similar(&old, &mut self.random), ToOwned::to_owned);
                        self.draft.field(name, &id);
                    }
                }
                Source::Header(name) => {
                    let id = match wanted {
                        Some(id) => id.to_owned(),
                        None => self.fresh_header(name),
                    };
                    self.put("the id", source, &id)?;
                }
                Source::Parameter(_) => {
                    let id = wanted.map_or_else(|| uuid(&mut self.random), ToOwned::to_owned);
                    self.put("the id", source, &id)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The time at which it claims to be signed.
    pub(super) const fn at(&self) -> UnixMs {
        self.request.at
    }

    /// A value used once: the id that was asked for, or a fresh one.
    pub(super) fn nonce(&mut self) -> String {
        self.request.id.map_or_else(|| uuid(&mut self.random), ToOwned::to_owned)
    }

    /// Texts for ids and types that are claims.
    pub(super) fn claims(&mut self, ids: &[Source], kinds: &[Source]) -> Vec<(Pointer, String)> {
        let mut claims = Vec::new();
        for source in kinds {
            if let Source::Claim(pointer, _) = source {
                claims.push((pointer.clone(), self.request.kind.unwrap_or("sample").to_owned()));
            }
        }
        for source in ids {
            if let Source::Claim(pointer, _) = source {
                let id = self.nonce();
                claims.push((pointer.clone(), id));
            }
        }
        claims
    }

    fn fresh_header(&mut self, name: &HeaderName) -> String {
        let is_name = |sample: &&String| sample.eq_ignore_ascii_case(name.as_str());
        if let Some((_, sample)) =
            self.definition.sample.headers.iter().find(|(sample, _)| is_name(sample))
        {
            return similar(sample, &mut self.random);
        }
        // A UUID satisfies every grammar that an id in a template may have to.
        uuid(&mut self.random)
    }

    /// Puts the event type that was asked for in the first place that there is for it.
    pub(super) fn kind(&mut self, sources: &[Source]) {
        let Some(kind) = self.request.kind else { return };
        for source in sources {
            let put = match source {
                Source::Json(pointer, _) => {
                    let path: Vec<_> = pointer.names().collect();
                    self.draft.member(&path, false, &mut |_| kind.to_owned()).is_ok()
                }
                Source::Form(name) if self.draft.field_text(name).is_none() => false,
                source => self.put("the type", source, kind).is_ok(),
            };
            if put {
                return;
            }
        }
    }

    /// Adds what the sample has besides its body.
    pub(super) fn sample_parts(&mut self) {
        for (name, value) in &self.definition.sample.headers {
            self.draft.header(name, value.as_str());
        }
        for (name, value) in &self.definition.sample.query {
            self.draft.parameter(name, value);
        }
    }

    /// A header's name as the definition writes it.
    fn spelled(&self, name: &str) -> String {
        let from = |signature: &RawSignature| {
            let signed = signature.signed.iter().flat_map(|many| &many.0);
            let texts = signature.from.iter().chain(&signature.key_id).chain(signed);
            texts.cloned().collect::<Vec<_>>()
        };
        let texts = self.definition.written().signature.iter().flat_map(from);
        let found = texts.filter_map(|text| {
            let at = text.to_ascii_lowercase().find(&format!(":{name}"))?;
            text.get(at + 1..at + 1 + name.len()).map(ToOwned::to_owned)
        });
        let mut found = found.chain(self.named());
        let spelled = found.find(|spelled| spelled.eq_ignore_ascii_case(name));
        spelled.unwrap_or_else(|| title_case(name))
    }

    /// The sources that the definition names outside of its signatures.
    fn named(&self) -> impl Iterator<Item = String> {
        let written = self.definition.written();
        let timestamp = written.timestamp.iter().filter_map(|t| t.from.as_ref());
        let event = written.event.id.iter().chain(&written.event.kind);
        let names = timestamp.chain(event).flat_map(|many| &many.0);
        names.filter_map(|text| text.strip_prefix("header:").map(ToOwned::to_owned))
    }
}

/// `x-token` as `X-Token`.
fn title_case(name: &str) -> String {
    let mut start = true;
    let upper = |c: char| {
        let out = if start { c.to_ascii_uppercase() } else { c };
        start = c == '-';
        out
    };
    name.chars().map(upper).collect()
}
