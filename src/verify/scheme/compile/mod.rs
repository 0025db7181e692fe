//! From the tables of a definition to candidates that can judge.

mod cover;
mod proof;
mod signed;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use super::{Candidate, Coverage, Form, Group, Means, Repeats};
use crate::verify::{
    definition::{
        DefinitionProblem, Written,
        raw::{RawRepeats, RawSignature},
    },
    pairs::Split,
    source::{BadText, Context, Lookups, Source},
    template::Template,
};

/// What a definition's tables come to.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) groups: Vec<Group>,
    pub(crate) lookups: Lookups,
    pub(crate) repeats: Repeats,
}

impl Compiled {
    /// What the candidates cover.
    pub(crate) fn coverage(&self) -> Coverage {
        Coverage::of(&self.candidates, &self.groups)
    }
}

/// Compiles a definition's tables, given all that the route expects.
///
/// # Errors
///
/// Every problem there is.
pub(crate) fn compile(
    written: &Written,
    expect: &BTreeMap<String, String>,
) -> Result<Compiled, Vec<DefinitionProblem>> {
    let mut compiler = Compiler {
        written,
        expect,
        lookups: Lookups::default(),
        problems: Vec::new(),
        covered: BTreeSet::new(),
        open: BTreeSet::new(),
    };
    let mut groups: Vec<Group> = Vec::new();
    let mut candidates = Vec::new();
    for (number, raw) in written.signature.iter().enumerate() {
        let path = match written.signature.len() {
            1 => "signature".to_owned(),
            _ => format!("signature[{number}]"),
        };
        // A detached payload is what is signed.
        let texts = raw.signed.iter().flat_map(|many| &many.0).chain(&raw.payload);
        let texts: Vec<_> = texts.map(|text| Some(text.as_str())).collect();
        for text in if texts.is_empty() { vec![None] } else { texts } {
            let Some((mut candidate, group)) = compiler.candidate(&path, raw, text) else {
                continue;
            };
            candidate.group = groups.iter().position(|g| *g == group).unwrap_or_else(|| {
                groups.push(group);
                groups.len() - 1
            });
            candidates.push(candidate);
        }
    }
    if written.signature.is_empty() {
        compiler.problem("signature", "is missing".to_owned());
    }
    compiler.refuse_stray();
    let repeats = match &written.repeats {
        None | Some(RawRepeats::Always(false)) => Repeats::None,
        Some(RawRepeats::Always(true)) => Repeats::All,
        Some(RawRepeats::When(_)) => Repeats::When,
    };
    let Compiler { lookups, problems, .. } = compiler;
    if problems.is_empty() {
        return Ok(Compiled { candidates, groups, lookups, repeats });
    }
    // What belongs to all candidates was looked at with each of them.
    let mut distinct: Vec<DefinitionProblem> = Vec::new();
    for problem in problems {
        if !distinct.contains(&problem) {
            distinct.push(problem);
        }
    }
    Err(distinct)
}

struct Compiler<'c> {
    written: &'c Written,
    expect: &'c BTreeMap<String, String>,
    lookups: Lookups,
    problems: Vec<DefinitionProblem>,
    /// Event ids that some candidate covers.
    covered: BTreeSet<String>,
    /// Event ids that some candidate leaves open.
    open: BTreeSet<String>,
}

impl Compiler<'_> {
    fn problem(&mut self, path: &str, problem: impl Into<BadText>) {
        let BadText { message, suggestion } = problem.into();
        self.problems.push(DefinitionProblem { path: path.to_owned(), message, suggestion });
    }

    /// Keeps a value, or its problem.
    fn keep<T>(&mut self, path: &str, result: Result<T, impl Into<BadText>>) -> Option<T> {
        result.map_err(|problem| self.problem(path, problem)).ok()
    }

    fn uncovered_id(&mut self, id: &str) {
        let message = format!(
            "`{id}` is not covered by the signature: with it anybody could pass off a copy as a new \
             event"
        );
        self.problem("event.id", message);
    }

    /// What no signature of the definition covers, or even has.
    fn refuse_stray(&mut self) {
        let (open, covered) = (std::mem::take(&mut self.open), std::mem::take(&mut self.covered));
        for id in open.difference(&covered) {
            self.uncovered_id(id);
        }
        let event = &self.written.event;
        let timestamp = self.written.timestamp.as_ref().and_then(|t| t.from.as_ref());
        let in_parts = |raw: &RawSignature| matches!(raw.format.as_deref(), Some("pairs" | "list"));
        if self.written.signature.iter().any(in_parts) {
            return;
        }
        for (path, texts) in [
            ("event.id", event.id.as_ref()),
            ("event.type", event.kind.as_ref()),
            ("timestamp.from", timestamp),
        ] {
            let texts = texts.map(|many| many.0.as_slice()).unwrap_or_default();
            for text in texts.iter().filter(|text| text.starts_with("pair:")) {
                self.source(path, text, None);
            }
        }
    }

    fn source(&mut self, path: &str, text: &str, pairs: Pairs<'_>) -> Option<Source> {
        let mut context = Context { expect: self.expect, pairs, lookups: &mut self.lookups };
        let parsed = Source::parse(text, &mut context);
        self.keep(path, parsed)
    }

    /// One element of `signature` with one of its templates, or `None` after at least one problem.
    fn candidate(
        &mut self,
        path: &str,
        raw: &RawSignature,
        text: Option<&str>,
    ) -> Option<(Candidate, Group)> {
        let before = self.problems.len();
        let at = |key: &str| format!("{path}.{key}");
        let (means, algorithms) = self.means(path, raw)?;
        let form = self.form(path, raw);
        let from = self.from(path, raw, &means);
        let (form, from) = (form?, from?);
        let pairs = match (&from, &form) {
            (Source::Header(name), Form::Pairs { split, .. } | Form::List { split, .. }) => {
                Some((name, split))
            }
            _ => None,
        };
        self.check_from(path, &from, &form, &means);
        let each = raw.each.as_deref().and_then(|text| self.each(&at("each"), text));
        let ids = self.all("event.id", self.written.event.id.as_ref().map(|m| &m.0), pairs);
        let bindings = self.bindings(path, raw, pairs, &ids);
        let key = if raw.payload.is_some() { "payload" } else { "signed" };
        let signed = self.template(&at(key), text, (&means, &algorithms), pairs, &ids);
        let group = self.group((&means, &from), signed.as_ref(), &bindings, pairs, ids);
        let key_id = raw.key_id.as_deref().and_then(|t| self.source(&at("key_id"), t, pairs));
        let when = raw.when.iter().flat_map(|many| &many.0);
        let when = when.filter_map(|c| self.condition(&at("when"), c, pairs)).collect();
        let spelled = matches!(means, Means::Signed);
        let certificate = self.certificate(&at("certificate"), raw.certificate.as_ref(), pairs);
        let candidate = Candidate {
            encoding: self.encoding(&at("encoding"), raw.encoding.as_deref(), spelled)?,
            ecdsa: self.ecdsa(&at("ecdsa"), raw.ecdsa.as_deref())?,
            key: self.key(&at("key"), raw.key.as_ref())?,
            key_slot: self.key_slot(&at("key_slot"), raw.key_slot),
            key_id,
            certificate,
            uses_url: signed.as_ref().is_some_and(Template::uses_url),
            uses_document: false,
            signed,
            each,
            when,
            bindings,
            means,
            algorithms,
            from,
            form,
            group: 0,
        };
        if self.problems.len() > before {
            return None;
        }
        let uses_document = candidate.sources().any(Source::is_in_document)
            || group.timestamp.as_ref().is_some_and(|(source, _)| source.is_in_document());
        Some((Candidate { uses_document, ..candidate }, group))
    }
}

type Pairs<'c> = Option<(&'c http::HeaderName, &'c Split)>;
