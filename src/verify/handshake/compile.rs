//! From `[[handshake]]` tables to handshakes that can be answered.

use std::collections::{BTreeMap, BTreeSet};

use http::{HeaderName, HeaderValue, Method};

use super::{
    Handshake, Handshakes, MAX_ANSWER,
    call::Call,
    grammar::{Class, Grammar},
    reply::{Text, Value},
    terms::Terms,
};
use crate::verify::{
    algorithm::Algorithm,
    definition::{
        DefinitionProblem, METHODS, Written,
        raw::{Many, RawCall, RawChallenge, RawCondition, RawHandshake, RawMac, RawReply},
    },
    encoding::Encoding,
    scheme::{Condition, is_host_pattern, read_condition},
    source::{BadText, Context, Lookups, Source},
};

/// What the tables are read in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting<'c> {
    /// The definition's other tables.
    pub(crate) written: &'c Written,
    /// The methods of deliveries.
    pub(crate) methods: &'c [Method],
    /// What the route expects, defaults filled in.
    pub(crate) expect: &'c BTreeMap<String, String>,
    /// Optional keys of which the route says nothing.
    pub(crate) unset: &'c BTreeSet<String>,
}

/// Compiles all tables.
///
/// # Errors
///
/// Every problem there is.
pub(crate) fn compile(setting: &Setting<'_>) -> Result<Handshakes, Vec<DefinitionProblem>> {
    let mut compiler = Compiler {
        setting: *setting,
        path: String::new(),
        lookups: Lookups::default(),
        problems: Vec::new(),
    };
    let tables = setting.written.handshakes.iter().enumerate();
    let all: Vec<_> = tables.filter_map(|(number, raw)| compiler.handshake(number, raw)).collect();
    let Compiler { lookups, problems, .. } = compiler;
    if problems.is_empty() { Ok(Handshakes { all, lookups }) } else { Err(problems) }
}

struct Compiler<'c> {
    setting: Setting<'c>,
    /// Of the table that is read.
    path: String,
    lookups: Lookups,
    problems: Vec<DefinitionProblem>,
}

impl Compiler<'_> {
    fn problem(&mut self, key: &str, problem: impl Into<BadText>) {
        let BadText { message, suggestion } = problem.into();
        let path = format!("{}.{key}", self.path);
        self.problems.push(DefinitionProblem { path, message, suggestion });
    }

    fn says(&mut self, key: &str, message: &str) {
        self.problem(key, message.to_owned());
    }

    fn keep<T>(&mut self, key: &str, result: Result<T, BadText>) -> Option<T> {
        result.map_err(|problem| self.problem(key, problem)).ok()
    }

    fn word<T>(
        &mut self,
        key: &str,
        word: &str,
        parse: impl Fn(&str) -> Option<T>,
        names: &[&str],
    ) -> Option<T> {
        let parsed = parse(word).ok_or_else(|| BadText::none_of(word, names));
        self.keep(key, parsed)
    }

    /// One table, or `None` after at least one problem.
    fn handshake(&mut self, number: usize, raw: &RawHandshake) -> Option<Handshake> {
        self.path = format!("handshake[{number}]");
        let before = self.problems.len();
        let is_signed = raw.signed.unwrap_or(false);
        let name = raw.name.as_deref().unwrap_or_default();
        if name.is_empty() {
            self.says("name", "is missing");
        }
        let methods = self.methods(raw.methods.as_deref());
        let when = raw.when.as_ref().map(|when| when.0.as_slice()).unwrap_or_default();
        let when: Vec<_> = when.iter().filter_map(|one| self.condition(one, is_signed)).collect();
        if when.is_empty() && methods.iter().any(|method| self.setting.methods.contains(method)) {
            self.says("when", "is missing: every delivery would be taken for the handshake");
        }
        let mut lacks = BTreeSet::new();
        let mut matches = self.matches("match", raw.matches.as_ref(), is_signed, Some(&mut lacks));
        matches.extend(self.matches("narrow", raw.narrow.as_ref(), is_signed, None));
        let challenge = raw.challenge.as_ref().and_then(|c| self.challenge(c, is_signed));
        let mac = raw.mac.as_ref().and_then(|mac| self.mac(mac));
        let call = raw.call.as_ref().and_then(|call| self.call(call, is_signed));
        let mut terms = Terms { when, matches, challenge, mac, call, ..Terms::default() };
        self.reply(raw.reply.as_ref(), &mut lacks, &mut terms);
        self.uses(raw, &mut terms);
        (self.problems.len() == before).then(|| Handshake {
            name: name.into(),
            methods,
            is_signed,
            lacks,
            terms,
        })
    }

    fn methods(&mut self, names: Option<&[String]>) -> Vec<Method> {
        let Some(names) = names else { return self.setting.methods.to_vec() };
        if names.is_empty() {
            self.says("methods", "is empty");
        }
        let known = |word: &str| METHODS.contains(&word).then(|| word.parse().ok()).flatten();
        names.iter().filter_map(|name| self.word("methods", name, known, METHODS)).collect()
    }

    /// A source of the request, of its head alone where nothing is known of the sender yet.
    fn source(&mut self, key: &str, text: &str, is_signed: bool) -> Option<Source> {
        let mut context =
            Context { expect: self.setting.expect, pairs: None, lookups: &mut self.lookups };
        let parsed = Source::parse(text, &mut context);
        let source = self.keep(key, parsed)?;
        if source.is_in_body() && !is_signed {
            let what = "before the signature holds, only the head is looked at";
            let suggestion = Some("signed = true".to_owned());
            self.problem(key, BadText { message: what.to_owned(), suggestion });
            return None;
        }
        let is_none = matches!(
            source,
            Source::Expect(_)
                | Source::Headers(_)
                | Source::Item(..)
                | Source::Secret
                | Source::Url
        );
        if is_none || source.is_in_proof() {
            self.problem(key, format!("`{source}` is no value of a request"));
            return None;
        }
        Some(source)
    }

    fn condition(&mut self, raw: &RawCondition, is_signed: bool) -> Option<Condition> {
        let read = read_condition(raw).map_err(BadText::from);
        let (source, test) = self.keep("when", read)?;
        let source = self.source("when", &source, is_signed)?;
        Some(Condition { source, test })
    }

    /// Sources and the texts of which each must be one. Without `lacks` those are left out that the
    /// route says nothing of.
    fn matches(
        &mut self,
        key: &str,
        raw: Option<&BTreeMap<String, Many<String>>>,
        is_signed: bool,
        mut lacks: Option<&mut BTreeSet<Box<str>>>,
    ) -> Vec<(Source, Vec<Box<str>>)> {
        let mut out = Vec::new();
        for (source, texts) in raw.into_iter().flatten() {
            let unset: Vec<_> = texts.0.iter().filter_map(|text| self.unset(text)).collect();
            if !unset.is_empty() {
                if let Some(lacks) = lacks.as_deref_mut() {
                    lacks.extend(unset);
                }
                continue;
            }
            let source = self.source(key, source, is_signed);
            let texts: Vec<_> =
                texts.0.iter().filter_map(|text| self.constant(key, text)).collect();
            if texts.is_empty() {
                self.says(key, "compares with nothing");
            }
            out.extend(source.map(|source| (source, texts)));
        }
        out
    }

    /// The optional key that a text needs and the route does not say.
    fn unset(&self, text: &str) -> Option<Box<str>> {
        let mut unset = self.setting.unset.iter();
        let uses = |key: &&String| {
            ['}', '|'].iter().any(|end| text.contains(&format!("{{expect:{key}{end}")))
        };
        unset.find(uses).map(|key| key.as_str().into())
    }

    /// A text in which nothing of a request stands.
    fn constant(&mut self, key: &str, text: &str) -> Option<Box<str>> {
        let parsed = Text::parse(text, self.setting.expect, false);
        let parsed = self.keep(key, parsed)?;
        let is_open = [Value::Challenge, Value::KeyId, Value::Mac].iter().any(|v| parsed.uses(*v));
        if is_open || parsed.is_empty() {
            self.says(key, "compares with a text or `{expect:KEY}`");
            return None;
        }
        let filled = parsed.fill(&super::reply::Values::default()).unwrap_or_default();
        String::from_utf8(filled).ok().map(Into::into)
    }

    fn challenge(&mut self, raw: &RawChallenge, is_signed: bool) -> Option<(Source, Grammar)> {
        let Some(from) = raw.from.as_deref() else {
            self.says("challenge.from", "is missing");
            return None;
        };
        let source = self.source("challenge.from", from, is_signed)?;
        let class = match raw.grammar.as_deref() {
            None => Class::Any,
            Some(name) => self.word("challenge.grammar", name, Class::parse, Class::NAMES)?,
        };
        let usual = Grammar::default();
        let (min, max) = (raw.min.unwrap_or(usual.min), raw.max.unwrap_or(usual.max));
        if min == 0 || min > max || max > MAX_ANSWER {
            let what = format!("1 ≤ min ≤ max ≤ {MAX_ANSWER} does not hold");
            self.problem("challenge.max", what);
        }
        Some((source, Grammar { class, min, max }))
    }

    fn call(&mut self, raw: &RawCall, is_signed: bool) -> Option<Call> {
        if !is_signed {
            let what = "nobody's URL is called before the signature holds";
            let suggestion = Some("signed = true".to_owned());
            self.problem("call", BadText { message: what.to_owned(), suggestion });
        }
        let hosts = raw.hosts.as_deref().unwrap_or_default();
        if hosts.is_empty() || raw.url.is_none() {
            self.says("call", "needs `url` and `hosts`");
        }
        for host in hosts.iter().filter(|host| !is_host_pattern(host)) {
            self.problem("call.hosts", format!("`{host}` is no host such as \"api.example.com\""));
        }
        let from = self.source("call.url", raw.url.as_deref()?, is_signed)?;
        Some(Call { from, hosts: hosts.iter().map(|host| host.as_str().into()).collect() })
    }

    fn mac(&mut self, raw: &RawMac) -> Option<(Algorithm, Encoding)> {
        let signatures = &self.setting.written.signature;
        let mut own =
            signatures.iter().filter_map(|one| Algorithm::parse(one.algorithm.as_deref()?));
        let algorithm = match &raw.algorithm {
            None => own.next(),
            Some(name) => own.find(|algorithm| algorithm.as_str() == name),
        };
        let algorithm = algorithm.filter(|a| a.as_str().starts_with("hmac-"));
        if algorithm.is_none() {
            self.says("mac.algorithm", "is no HMAC that a signature of the definition uses");
        }
        let encoding = match raw.encoding.as_deref() {
            None => Encoding::default(),
            Some(name) => self.word("mac.encoding", name, Encoding::parse, Encoding::NAMES)?,
        };
        Some((algorithm?, encoding))
    }

    fn reply(&mut self, raw: Option<&RawReply>, lacks: &mut BTreeSet<Box<str>>, terms: &mut Terms) {
        let none = RawReply::default();
        let raw = raw.unwrap_or(&none);
        terms.status = raw.status.unwrap_or(200);
        if !matches!(terms.status, 200 | 204) {
            self.says("reply.status", "is neither 200 nor 204");
        }
        let content_type = raw.content_type.as_deref().unwrap_or("text/plain");
        // Anything else might be shown by a browser, with what a stranger wrote into it.
        if !matches!(content_type, "text/plain" | "application/json") {
            let what = "is neither \"text/plain\" nor \"application/json\"";
            self.says("reply.content_type", what);
        }
        let is_json = content_type == "application/json";
        if let Some(text) = &raw.body {
            if terms.status == 204 {
                self.says("reply.body", "HTTP allows no body with status 204");
            }
            lacks.extend(self.unset(text));
            terms.body = self.text("reply.body", text, is_json);
            terms.content_type = HeaderValue::from_str(content_type).ok();
        }
        for (name, text) in raw.headers.iter().flatten() {
            lacks.extend(self.unset(text));
            match HeaderName::try_from(name.as_str()) {
                Ok(header) if may_be_sent(&header) => {
                    let text = self.text("reply.headers", text, false);
                    terms.headers.push((header, text));
                }
                _ => self.problem("reply.headers", format!("`{name}` is not for answers")),
            }
        }
    }

    fn text(&mut self, key: &str, text: &str, is_json: bool) -> Text {
        let unset = self.setting.unset.iter().map(|unset| (unset.clone(), String::new()));
        let expect = self.setting.expect.clone().into_iter().chain(unset).collect();
        let parsed = Text::parse(text, &expect, is_json);
        self.keep(key, parsed).unwrap_or_default()
    }

    /// Whether the parts go together.
    fn uses(&mut self, raw: &RawHandshake, terms: &mut Terms) {
        let uses =
            |value| terms.body.uses(value) || terms.headers.iter().any(|(_, t)| t.uses(value));
        let (challenge, mac) = (uses(Value::Challenge), uses(Value::Mac));
        let key_id = uses(Value::KeyId);
        terms.is_capture = raw.capture.unwrap_or(false);
        if (challenge || raw.mac.is_some() || terms.is_capture) && raw.challenge.is_none() {
            self.says("challenge", "is missing");
        }
        if mac != raw.mac.is_some() {
            self.says("mac", "goes with a `{mac}` in the answer");
        }
        if key_id && raw.mac.is_none() {
            self.says("reply", "`{key_id}` is the key of `mac`, and there is none");
        }
        if raw.challenge.is_some() && !challenge && !mac && !terms.is_capture {
            self.says("challenge", "is neither repeated nor authenticated by the answer");
        }
        if raw.mac.is_some() && raw.challenge.as_ref().is_some_and(|c| c.grammar.is_none()) {
            let what = "is missing: whoever chooses freely what a key signs can sign deliveries";
            let suggestion = Some("grammar = \"word\"".to_owned());
            self.problem("challenge.grammar", BadText { message: what.to_owned(), suggestion });
        }
        if terms.is_capture && raw.signed == Some(true) {
            self.says("capture", "has no place where the signature already holds");
        }
    }
}

/// Answers carry headers of providers, and none that mean something to browsers or proxies.
fn may_be_sent(name: &HeaderName) -> bool {
    let text = name.as_str();
    let own = text.starts_with("x-") || text.starts_with("webhook-") || name == http::header::ALLOW;
    own && !text.starts_with("x-content-type")
        && !text.starts_with("x-forwarded")
        && text != "x-request-id"
}
