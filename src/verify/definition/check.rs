//! From the raw tables to a definition that is known to work.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use http::{HeaderName, HeaderValue, Method};

use super::{
    Acknowledgement, Definition, DefinitionProblem, Document, Evidence, Expectation, Published,
    PublishedAs, Retries, Sample, Written, quantity,
    raw::{RawAcknowledgement, RawDefinition, RawDocument, RawExpect, RawPublicKey, RawSample},
};
use crate::{
    config::model::StatusSet,
    verify::{Coverage, handshake, read_public_keys, scheme, source::nearest},
};

/// What a timestamp may be away from now where neither definition nor route says it.
const DEFAULT_TOLERANCE: Duration = Duration::from_secs(300);

/// Methods of which none begins or ends with another, so that a template may name the method.
pub(crate) const METHODS: &[&str] = &["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

impl Definition {
    /// Checks a definition whole, by compiling it for a route that says all it has to.
    ///
    /// # Errors
    ///
    /// Every problem there is.
    pub fn check(name: &str, raw: RawDefinition) -> Result<Self, Vec<DefinitionProblem>> {
        let mut checker = Checker::default();
        let written = Written {
            signature: raw.signature.map(|many| many.0).unwrap_or_default(),
            timestamp: raw.timestamp,
            event: raw.event.unwrap_or_default(),
            repeats: raw.repeats,
            handshakes: raw.handshake.map(|many| many.0).unwrap_or_default(),
            document: raw.document.clone(),
        };
        let tolerance = written.timestamp.as_ref().and_then(|t| t.tolerance.as_deref());
        let tolerance = checker.duration("timestamp.tolerance", tolerance);
        let expect = checker.expect(raw.expect.unwrap_or_default());
        let methods = checker.methods(raw.methods);
        let coverage = checker.compiles(&written, &methods, &expect);
        let definition = Self {
            name: Arc::from(name),
            title: raw.title.unwrap_or_else(|| name.to_owned()),
            docs: raw.docs,
            evidence: checker.evidence(raw.evidence.as_deref()),
            open: raw.open.unwrap_or_default(),
            aliases: raw.aliases.unwrap_or_default(),
            methods,
            content_types: checker.content_types(raw.content_types.unwrap_or_default()),
            max_size: checker.size("max_size", raw.max_size.as_deref()),
            deadline: checker.duration("deadline", raw.deadline.as_deref()),
            retries: checker.retries(raw.retries.as_deref()),
            final_statuses: checker.statuses("final", &raw.final_statuses.unwrap_or_default()),
            destructive: checker.statuses("destructive", &raw.destructive.unwrap_or_default()),
            acknowledgement: raw.acknowledgement.and_then(|a| checker.acknowledgement(a)),
            expect,
            sample: checker.sample(raw.sample.unwrap_or_default()),
            tolerance: tolerance.unwrap_or(DEFAULT_TOLERANCE),
            coverage,
            public_keys: checker.public_keys(raw.public_keys.unwrap_or_default()),
            document: raw.document.and_then(|document| checker.document(document)),
            written,
        };
        if checker.problems.is_empty() { Ok(definition) } else { Err(checker.problems) }
    }
}

/// What a route could say, so that everything that depends on it can be compiled.
fn stand_ins<'e>(
    expect: impl Iterator<Item = (&'e String, &'e Expectation)>,
) -> BTreeMap<String, String> {
    expect
        .map(|(key, expectation)| {
            let stand_in = match key.as_str() {
                "url" => "https://example.com/hook",
                _ => "stand-in",
            };
            let value = expectation.default.clone().unwrap_or_else(|| stand_in.to_owned());
            (key.clone(), value)
        })
        .collect()
}

#[derive(Default)]
struct Checker {
    problems: Vec<DefinitionProblem>,
}

impl Checker {
    /// Compiles everything for a route that says all it can; what the proofs cover.
    fn compiles(
        &mut self,
        written: &Written,
        methods: &[Method],
        expect: &BTreeMap<String, Expectation>,
    ) -> Coverage {
        // No signature can rest on what a route may leave out.
        let certain = stand_ins(expect.iter().filter(|(_, known)| !known.is_optional));
        let compiled =
            scheme::compile(written, &certain).map_err(|found| self.problems.extend(found));
        let setting = handshake::Setting {
            written,
            methods,
            expect: &stand_ins(expect.iter()),
            unset: &BTreeSet::new(),
        };
        self.problems.extend(handshake::compile(&setting).err().unwrap_or_default());
        compiled.map(|compiled| compiled.coverage()).unwrap_or_default()
    }

    fn problem(&mut self, path: &str, message: impl Into<String>, suggestion: Option<String>) {
        let (path, message) = (path.to_owned(), message.into());
        self.problems.push(DefinitionProblem { path, message, suggestion });
    }

    fn duration(&mut self, path: &str, text: Option<&str>) -> Option<Duration> {
        let text = text?;
        let parsed = quantity::duration(text);
        if parsed.is_none() {
            self.problem(path, format!("`{text}` is no duration, such as \"5m\" or \"10s\""), None);
        }
        parsed
    }

    fn size(&mut self, path: &str, text: Option<&str>) -> Option<usize> {
        let text = text?;
        let parsed = quantity::size(text);
        if parsed.is_none() {
            self.problem(path, format!("`{text}` is no size, such as \"25MiB\""), None);
        }
        parsed
    }

    fn word<T>(&mut self, path: &str, word: Option<&str>, known: &[(&str, T)]) -> Option<T>
    where
        T: Copy,
    {
        let word = word?;
        let found = known.iter().find(|(name, _)| *name == word).map(|(_, value)| *value);
        if found.is_none() {
            let names: Vec<_> = known.iter().map(|(name, _)| *name).collect();
            let meant = nearest(word, names.iter().copied());
            self.problem(path, format!("`{word}` is none of {}", names.join(", ")), meant);
        }
        found
    }

    fn evidence(&mut self, word: Option<&str>) -> Option<Evidence> {
        let known = [Evidence::Sdk, Evidence::Docs, Evidence::ThirdParty];
        self.word("evidence", word, &known.map(|e| (e.as_str(), e)))
    }

    fn retries(&mut self, word: Option<&str>) -> Option<Retries> {
        let known = [Retries::Fresh, Retries::Identical, Retries::None];
        self.word("retries", word, &known.map(|r| (r.as_str(), r)))
    }

    fn methods(&mut self, names: Option<Vec<String>>) -> Vec<Method> {
        let Some(names) = names else { return vec![Method::POST] };
        if names.is_empty() {
            self.problem("methods", "is empty", None);
        }
        let known: Vec<_> = METHODS.iter().map(|name| (*name, *name)).collect();
        names
            .iter()
            .filter_map(|name| self.word("methods", Some(name), &known))
            .filter_map(|name| name.parse().ok())
            .collect()
    }

    fn content_types(&mut self, types: Vec<String>) -> Vec<String> {
        for text in &types {
            let is_type = text.split_once('/').is_some_and(|(a, b)| !a.is_empty() && !b.is_empty());
            if !is_type || text.contains([';', ' ']) || text.to_ascii_lowercase() != *text {
                let message = format!("`{text}` is no media type in lower case without parameters");
                self.problem("content_types", message, None);
            }
        }
        types
    }

    fn statuses(&mut self, path: &str, patterns: &[String]) -> StatusSet {
        match StatusSet::parse(patterns.iter().map(String::as_str)) {
            Some(set) => set,
            None => {
                self.problem(path, "holds statuses such as \"4xx\" or \"410\"", None);
                StatusSet::parse([]).expect("where there is no pattern, none is wrong")
            }
        }
    }

    fn acknowledgement(&mut self, raw: RawAcknowledgement) -> Option<Acknowledgement> {
        let status = raw.status.unwrap_or(200);
        if !(200..300).contains(&status) {
            self.problem("acknowledgement.status", "acknowledges nothing: use 200 to 299", None);
            return None;
        }
        if raw.content_type.as_deref().is_some_and(|t| HeaderValue::from_str(t).is_err()) {
            self.problem("acknowledgement.content_type", "is no header value", None);
            return None;
        }
        let (content_type, body) = (raw.content_type, raw.body.unwrap_or_default());
        if matches!(status, 204 | 205) && !body.is_empty() {
            let what = format!("HTTP allows no body with status {status}");
            self.problem("acknowledgement.body", what, None);
            return None;
        }
        Some(Acknowledgement { status, content_type, body, replace: raw.replace.unwrap_or(false) })
    }

    fn public_keys(&mut self, raw: Vec<RawPublicKey>) -> Vec<Published> {
        let mut all = Vec::new();
        for (number, raw) in raw.into_iter().enumerate() {
            let id = raw.id.unwrap_or_else(|| format!("published-{}", number + 1));
            let keys = match (raw.value, raw.jwks_url) {
                (Some(value), None) => {
                    if let Err(why) = read_public_keys(value.as_bytes()) {
                        self.problem("public_keys.value", format!("the key {why}"), None);
                        continue;
                    }
                    PublishedAs::Value(value)
                }
                (None, Some(url)) if url.starts_with("https://") => PublishedAs::Jwks(url),
                (None, Some(_)) => {
                    self.problem("public_keys.jwks_url", "is no https:// URL", None);
                    continue;
                }
                _ => {
                    self.problem("public_keys", "has one of `value`, `jwks_url`", None);
                    continue;
                }
            };
            all.push(Published { id, keys });
        }
        all
    }

    fn document(&mut self, raw: RawDocument) -> Option<Document> {
        let encoding = raw.encoding.as_deref();
        let is_base64 = match encoding {
            None => false,
            Some(_) => self.word("document.encoding", encoding, &[("base64", true)])?,
        };
        let field = raw.form.filter(|name| !name.is_empty());
        if field.is_none() {
            self.problem("document.form", "is missing", None);
        }
        Some(Document { field: field?, is_base64 })
    }

    fn expect(&mut self, raw: BTreeMap<String, RawExpect>) -> BTreeMap<String, Expectation> {
        raw.into_iter()
            .map(|(key, raw)| {
                let path = format!("expect.{key}");
                if raw.default.as_deref() == Some("") {
                    self.problem(&format!("{path}.default"), "is empty", None);
                }
                let about = raw.about.unwrap_or_default();
                if about.is_empty() {
                    self.problem(&format!("{path}.about"), "is missing", None);
                }
                let is_optional = raw.optional.unwrap_or(false);
                if is_optional && raw.default.is_some() {
                    let what = "with a default it is never missing";
                    self.problem(&format!("{path}.optional"), what, None);
                }
                (key, Expectation { about, default: raw.default, is_optional })
            })
            .collect()
    }

    fn sample(&mut self, raw: RawSample) -> Sample {
        let headers = raw.headers.unwrap_or_default();
        for (name, value) in &headers {
            let name = HeaderName::try_from(name.as_str());
            if name.is_err() || HeaderValue::from_str(value).is_err() {
                self.problem("sample.headers", "holds what is no header", None);
            }
        }
        Sample { body: raw.body, headers, query: raw.query.unwrap_or_default() }
    }
}
