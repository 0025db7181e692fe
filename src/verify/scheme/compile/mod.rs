//! From the tables of a definition to candidates that can judge.

mod cover;
mod signed;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use super::{Candidate, Form, Group, Repeats};
use crate::verify::{
    algorithm::Algorithm,
    definition::{
        DefinitionProblem, Written,
        raw::{RawRepeats, RawSignature},
    },
    json::Pointer,
    pairs::Split,
    source::{BadText, Context, Source},
    template::Template,
};

/// What a definition's tables come to.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) groups: Vec<Group>,
    pub(crate) pointers: Vec<Pointer>,
    pub(crate) repeats: Repeats,
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
        pointers: Vec::new(),
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
        let Some((mut candidate, group)) = compiler.candidate(&path, raw) else { continue };
        candidate.group = groups.iter().position(|g| *g == group).unwrap_or_else(|| {
            groups.push(group);
            groups.len() - 1
        });
        candidates.push(candidate);
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
    let Compiler { pointers, problems, .. } = compiler;
    if problems.is_empty() {
        return Ok(Compiled { candidates, groups, pointers, repeats });
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
    pointers: Vec<Pointer>,
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
        let in_pairs = |raw: &RawSignature| raw.format.as_deref() == Some("pairs");
        if self.written.signature.iter().any(in_pairs) {
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
        let mut context = Context { expect: self.expect, pairs, pointers: &mut self.pointers };
        let parsed = Source::parse(text, &mut context);
        self.keep(path, parsed)
    }

    /// One element of `signature`, or `None` after at least one problem.
    fn candidate(&mut self, path: &str, raw: &RawSignature) -> Option<(Candidate, Group)> {
        let before = self.problems.len();
        self.refuse_later(path, raw);
        let at = |key: &str| format!("{path}.{key}");
        let algorithm = self.algorithm(&at("algorithm"), raw.algorithm.as_deref());
        let form = self.form(path, raw);
        let from = match &raw.from {
            None => {
                self.problem(&at("from"), "is missing".to_owned());
                None
            }
            Some(text) => self.source(&at("from"), text, None),
        };
        let (algorithm, form, from) = (algorithm?, form?, from?);
        let pairs = match (&from, &form) {
            (Source::Header(name), Form::Pairs { split, .. }) => Some((name, split)),
            _ => None,
        };
        let token = algorithm == Algorithm::Token;
        self.check_from(path, &from, &form, token);
        let (signed, mut group) = self.signed(path, raw, algorithm, pairs);
        let uses_url = signed.as_ref().is_some_and(Template::uses_url);
        let key_id = raw.key_id.as_deref().and_then(|t| self.source(&at("key_id"), t, pairs));
        let when = raw.when.as_ref().and_then(|c| self.condition(&at("when"), c, pairs));
        let encoding = self.encoding(&at("encoding"), raw.encoding.as_deref(), token);
        let key = self.key(&at("key"), raw.key.as_ref());
        let key_slot = self.key_slot(&at("key_slot"), raw.key_slot);
        if self.problems.len() > before {
            return None;
        }
        let in_json = |source: &Source| matches!(source, Source::Json(..));
        let uses_json = in_json(&from)
            || key_id.as_ref().is_some_and(in_json)
            || when.as_ref().is_some_and(|w| in_json(&w.source))
            || signed.as_ref().is_some_and(|s| s.values().any(|v| in_json(&v.source)))
            || group.timestamp.as_ref().is_some_and(|(source, _)| in_json(source));
        group.is_token = token;
        let candidate = Candidate {
            algorithm,
            from,
            form,
            encoding: encoding?,
            key: key?,
            key_slot,
            key_id,
            signed,
            uses_url,
            uses_json,
            when,
            group: 0,
        };
        Some((candidate, group))
    }
}

type Pairs<'c> = Option<(&'c http::HeaderName, &'c Split)>;
