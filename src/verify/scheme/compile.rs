//! From the tables of a definition to candidates that can judge.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Candidate, Form, Group, Repeats,
    candidate::{Condition, Element, Test},
};
use crate::verify::{
    algorithm::{self, Algorithm},
    definition::{
        DefinitionProblem, Written,
        raw::{RawCondition, RawKey, RawRepeats, RawSignature},
    },
    encoding::{Encoding, KeyCoding, KeyEncoding},
    json::Pointer,
    pairs::Split,
    source::{BadText, Context, Source, nearest},
    template::{Role, Template},
    time::Unit,
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
    for id in compiler.open.clone().difference(&compiler.covered.clone()) {
        compiler.problem(
            "event.id",
            format!(
                "`{id}` is not covered by the signature: with it anybody could pass off a copy as \
                 a new event"
            ),
        );
    }
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
        let encoding = match raw.encoding.as_deref() {
            _ if token && raw.encoding.is_some() => {
                self.problem(&at("encoding"), "a token is compared as it stands".to_owned());
                None
            }
            None => Some(Encoding::default()),
            Some(name) => self.word(&at("encoding"), name, Encoding::parse, Encoding::NAMES),
        };
        let key = self.key(&at("key"), raw.key.as_ref());
        let key_slot = match raw.key_slot {
            Some(0) => {
                self.problem(&at("key_slot"), "secrets are counted from 1".to_owned());
                None
            }
            slot => slot.map(|slot| slot as usize - 1),
        };
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

    /// Keys that only later families have.
    fn refuse_later(&mut self, path: &str, raw: &RawSignature) {
        let later = [
            ("public_keys", raw.public_keys.is_some()),
            ("certificate", raw.certificate.is_some()),
            ("claims", raw.claims.is_some()),
            ("algorithms", raw.algorithms.is_some()),
            ("components", raw.components.is_some()),
            ("each", raw.each.is_some()),
        ];
        for (key, _) in later.iter().filter(|(_, there)| *there) {
            self.problem(&format!("{path}.{key}"), format!("`{key}` is built by a later version"));
        }
    }

    fn algorithm(&mut self, path: &str, name: Option<&str>) -> Option<Algorithm> {
        let Some(name) = name else {
            self.problem(path, "is missing".to_owned());
            return None;
        };
        if algorithm::LATER.contains(&name) {
            self.problem(path, format!("the algorithm `{name}` is built by a later version"));
            return None;
        }
        let names: Vec<_> = Algorithm::ALL.iter().map(|a| a.as_str()).collect();
        self.word(path, name, Algorithm::parse, &names)
    }

    fn word<T>(
        &mut self,
        path: &str,
        word: &str,
        parse: impl Fn(&str) -> Option<T>,
        names: &[&str],
    ) -> Option<T> {
        let parsed = parse(word).ok_or_else(|| BadText {
            message: format!("`{word}` is none of {}", names.join(", ")),
            suggestion: nearest(word, names.iter().copied()),
        });
        self.keep(path, parsed)
    }

    fn form(&mut self, path: &str, raw: &RawSignature) -> Option<Form> {
        let before = self.problems.len();
        let at = |key: &str| format!("{path}.{key}");
        let format = raw.format.as_deref().unwrap_or("bare");
        let prefix: Box<str> = raw.prefix.clone().unwrap_or_default().into();
        let given = |text: &Option<String>, default: &str| -> Box<str> {
            text.as_deref().unwrap_or(default).into()
        };
        let split =
            Split { separator: given(&raw.separator, ","), assign: given(&raw.assign, "=") };
        for (key, text) in [("separator", &split.separator), ("assign", &split.assign)] {
            if text.is_empty() {
                self.problem(&at(key), "is empty".to_owned());
            }
        }
        let only = [
            ("separator", raw.separator.is_some(), format != "bare", "lists and pairs"),
            ("assign", raw.assign.is_some(), format == "pairs", "pairs"),
            ("value", raw.value.is_some(), format == "pairs", "pairs"),
            ("element", raw.element.is_some(), format == "list", "lists"),
        ];
        for (key, there, fits, of) in only {
            if there && !fits {
                self.problem(&at(key), format!("is for {of} only, and the format is `{format}`"));
            }
        }
        let form = match format {
            "bare" => Form::Bare { prefix },
            "list" => {
                let element = raw.element.as_deref().map(element);
                let element = match element.transpose() {
                    Ok(element) => element,
                    Err(text) => {
                        self.problem(&at("element"), text);
                        None
                    }
                };
                Form::List { split, prefix, element }
            }
            "pairs" => {
                let keys = raw.value.as_ref().map(|v| v.0.as_slice()).unwrap_or_default();
                if keys.is_empty() {
                    self.problem(&at("value"), "names no key that holds signatures".to_owned());
                }
                let keys = keys.iter().map(|k| k.as_str().into()).collect();
                Form::Pairs { split, keys, prefix }
            }
            other => {
                self.word::<()>(&at("format"), other, |_| None, &["bare", "list", "pairs"]);
                return None;
            }
        };
        (self.problems.len() == before).then_some(form)
    }

    /// Places that cannot hold what is looked for there.
    fn check_from(&mut self, path: &str, from: &Source, form: &Form, token: bool) {
        let at = format!("{path}.from");
        match from {
            Source::Basic | Source::Bearer if !token => {
                self.problem(&at, format!("`{from}` holds tokens, no signatures"));
            }
            Source::Header(_) | Source::Headers(_) | Source::Parameter(_) => {}
            Source::Form(_) | Source::Basic | Source::Bearer => {}
            Source::Json(pointer, _) if !pointer.is_many() || token => {}
            Source::Json(..) => self.problem(
                &at,
                "a signature for each element is built by a later version".to_owned(),
            ),
            other => self.problem(&at, format!("`{other}` holds no signature")),
        }
        if matches!(form, Form::Pairs { .. }) && !matches!(from, Source::Header(_)) {
            self.problem(&at, "pairs stand in a header".to_owned());
        }
        if token && !matches!(form, Form::Bare { .. }) {
            self.problem(&format!("{path}.format"), "a token stands alone".to_owned());
        }
    }

    fn key(&mut self, path: &str, raw: Option<&RawKey>) -> Option<KeyCoding> {
        let (name, prefix, min_bytes) = match raw {
            None => (None, None, None),
            Some(RawKey::Encoding(name)) => (Some(name), None, None),
            Some(RawKey::Table(table)) => {
                if table.derive.is_some() {
                    self.problem(path, "`derive` is built by a later version".to_owned());
                }
                (table.encoding.as_ref(), table.prefix.as_deref(), table.min_bytes)
            }
        };
        let encoding = match name {
            None => KeyEncoding::default(),
            Some(name) => self.word(path, name, KeyEncoding::parse, KeyEncoding::NAMES)?,
        };
        Some(KeyCoding { encoding, prefix: prefix.map(Into::into), min_bytes })
    }

    /// The template, and what goes with a message signed by it.
    fn signed(
        &mut self,
        path: &str,
        raw: &RawSignature,
        algorithm: Algorithm,
        pairs: Pairs<'_>,
    ) -> (Option<Template>, Group) {
        let at = format!("{path}.signed");
        let token = algorithm == Algorithm::Token;
        let (times, unit) = self.times(pairs);
        let ids = self.all("event.id", self.written.event.id.as_ref().map(|m| &m.0), pairs);
        let kinds = self.all("event.type", self.written.event.kind.as_ref().map(|m| &m.0), pairs);
        let role = |source: &Source| match () {
            () if times.contains(source) => Role::Timestamp(unit),
            () if ids.contains(source) => Role::Id,
            () => Role::Plain,
        };
        let template = match (&raw.signed, token) {
            (None, true) => None,
            (Some(_), true) => {
                self.problem(&at, "a token signs nothing".to_owned());
                None
            }
            (None, false) => {
                self.problem(&at, "is missing".to_owned());
                None
            }
            (Some(text), false) => {
                let mut context =
                    Context { expect: self.expect, pairs, pointers: &mut self.pointers };
                let compiled = Template::compile(text, &mut context, role);
                self.keep(&at, compiled)
            }
        };
        let cover = Cover { template: template.as_ref() };
        let timestamp = self.covered_time(&times, unit, &cover, token);
        let ids = self.covered_ids(ids, &cover, token);
        let repeats = match &self.written.repeats {
            Some(RawRepeats::When(condition)) => self.condition("repeats", condition, pairs),
            _ => None,
        };
        if let Some(condition) = &repeats
            && template.is_some()
            && !cover.covers(&condition.source)
        {
            let source = condition.source.to_string();
            self.problem("repeats", format!("`{source}` is not covered by the signature"));
        }
        let covers_kind = !kinds.is_empty() && kinds.iter().all(|kind| cover.covers(kind));
        let group = Group {
            timestamp,
            ids,
            kinds,
            repeats,
            covers_body: cover.covers(&Source::Body),
            covers_kind,
            is_token: token,
            headers: cover.headers(),
            covers_query: cover.covers(&Source::Query),
        };
        (template, group)
    }

    fn times(&mut self, pairs: Pairs<'_>) -> (Vec<Source>, Unit) {
        let Some(raw) = &self.written.timestamp else { return (Vec::new(), Unit::default()) };
        let unit = match raw.unit.as_deref() {
            None => Some(Unit::default()),
            Some(name) => self.word("timestamp.unit", name, Unit::parse, Unit::NAMES),
        };
        if raw.from.is_none() {
            self.problem("timestamp.from", "is missing".to_owned());
        }
        let times = self.all("timestamp.from", raw.from.as_ref().map(|m| &m.0), pairs);
        (times, unit.unwrap_or_default())
    }

    fn all(&mut self, path: &str, texts: Option<&Vec<String>>, pairs: Pairs<'_>) -> Vec<Source> {
        let texts = texts.map(Vec::as_slice).unwrap_or_default();
        // `pair:` means another header in each candidate, and none at all in some.
        let fits = |text: &&String| pairs.is_some() || !text.starts_with("pair:");
        let several = self.written.signature.len() > 1;
        texts
            .iter()
            .filter(|text| !several || fits(text))
            .filter_map(|text| self.source(path, text, pairs))
            .collect()
    }

    /// The one timestamp that a candidate covers; with a token, the one there is.
    fn covered_time(
        &mut self,
        times: &[Source],
        unit: Unit,
        cover: &Cover<'_>,
        token: bool,
    ) -> Option<(Source, Unit)> {
        if times.is_empty() || (!token && cover.template.is_none()) {
            return None;
        }
        let covered: Vec<_> = times.iter().filter(|t| token || cover.covers(t)).collect();
        match covered.as_slice() {
            [one] => Some(((*one).clone(), unit)),
            [] => {
                let names: Vec<_> = times.iter().map(|t| format!("`{t}`")).collect();
                let names = names.join(", ");
                self.problem(
                    "timestamp.from",
                    format!("{names} is not covered by the signature: anybody could change it"),
                );
                None
            }
            _ => {
                self.problem(
                    "timestamp.from",
                    "more than one of these belongs to the same signature".to_owned(),
                );
                None
            }
        }
    }

    /// The ids that a candidate covers; with a token, all of them.
    fn covered_ids(&mut self, ids: Vec<Source>, cover: &Cover<'_>, token: bool) -> Vec<Source> {
        if ids.is_empty() || token || cover.template.is_none() {
            return ids;
        }
        let (covered, open): (Vec<_>, Vec<_>) = ids.into_iter().partition(|i| cover.covers(i));
        self.covered.extend(covered.iter().map(ToString::to_string));
        self.open.extend(open.iter().map(ToString::to_string));
        covered
    }

    fn condition(&mut self, path: &str, raw: &RawCondition, pairs: Pairs<'_>) -> Option<Condition> {
        let source = match (&raw.header, &raw.json, &raw.query) {
            (Some(name), None, None) => format!("header:{name}"),
            (None, Some(pointer), None) => format!("json:{pointer}"),
            (None, None, Some(name)) => format!("query:{name}"),
            _ => {
                self.problem(path, "looks at one of `header`, `json`, `query`".to_owned());
                return None;
            }
        };
        let source = self.source(path, &source, pairs)?;
        let test = match (&raw.equals, raw.exists) {
            (Some(text), None) => Test::Equals(text.0.as_str().into()),
            (None, Some(there)) => Test::Exists(there),
            _ => {
                self.problem(path, "says one of `equals`, `exists`".to_owned());
                return None;
            }
        };
        Some(Condition { source, test })
    }
}

type Pairs<'c> = Option<(&'c http::HeaderName, &'c Split)>;

/// What a template covers.
struct Cover<'c> {
    template: Option<&'c Template>,
}

impl Cover<'_> {
    fn covers(&self, source: &Source) -> bool {
        let Some(template) = self.template else { return false };
        template.covers(source)
            || match source {
                Source::Json(..) | Source::Form(_) => template.covers(&Source::Body),
                Source::Parameter(_) | Source::Query => {
                    template.covers(&Source::Query)
                        || template.covers(&Source::Target)
                        || template.uses_url()
                }
                Source::Path | Source::Target => {
                    template.covers(&Source::Target) || template.uses_url()
                }
                _ => false,
            }
    }

    fn headers(&self) -> BTreeSet<String> {
        let values = self.template.into_iter().flat_map(Template::values);
        values
            .filter(|value| value.covers(&value.source))
            .filter_map(|value| match &value.source {
                Source::Header(name) => Some(name.as_str().to_owned()),
                _ => None,
            })
            .collect()
    }
}

/// Reads the shape of a list's elements.
fn element(text: &str) -> Result<Element, String> {
    let shape = || "needs `{key_id}` and `{value}` once each, with text between them".to_owned();
    let (key_id, value) =
        (text.find("{key_id}").ok_or_else(shape)?, text.find("{value}").ok_or_else(shape)?);
    let key_id_first = key_id < value;
    let (first, second) =
        if key_id_first { ("{key_id}", "{value}") } else { ("{value}", "{key_id}") };
    let (before, rest) = text.split_once(first).ok_or_else(shape)?;
    let (between, after) = rest.split_once(second).ok_or_else(shape)?;
    if between.is_empty() || between.contains('{') || after.contains('{') {
        return Err(shape());
    }
    Ok(Element {
        before: before.into(),
        between: between.into(),
        after: after.into(),
        key_id_first,
    })
}
