//! The template, and what goes with a message that is signed by it.

use super::{Compiler, Pairs, cover::Cover};
use crate::verify::{
    algorithm::Algorithm,
    definition::raw::{RawCondition, RawRepeats, RawSignature},
    scheme::{
        Group,
        candidate::{Condition, Test},
    },
    source::{Context, Source},
    template::{Role, Template},
    time::Unit,
};

impl Compiler<'_> {
    /// The template, and what goes with a message signed by it.
    pub(super) fn signed(
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

    pub(super) fn times(&mut self, pairs: Pairs<'_>) -> (Vec<Source>, Unit) {
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

    pub(super) fn all(
        &mut self,
        path: &str,
        texts: Option<&Vec<String>>,
        pairs: Pairs<'_>,
    ) -> Vec<Source> {
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
    pub(super) fn covered_time(
        &mut self,
        times: &[Source],
        unit: Unit,
        cover: &Cover<'_>,
        token: bool,
    ) -> Option<(Source, Unit)> {
        let is_open = !token && cover.template.is_none();
        if is_open || (times.is_empty() && self.written.timestamp.is_none()) {
            return None;
        }
        if times.is_empty() {
            self.problem("timestamp.from", "none of these goes with every signature".to_owned());
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
    pub(super) fn covered_ids(
        &mut self,
        ids: Vec<Source>,
        cover: &Cover<'_>,
        token: bool,
    ) -> Vec<Source> {
        if ids.is_empty() || token || cover.template.is_none() {
            return ids;
        }
        let (covered, open): (Vec<_>, Vec<_>) = ids.into_iter().partition(|i| cover.covers(i));
        if covered.is_empty() {
            // A copy that keeps this signature alone would be a delivery without an id.
            open.iter().for_each(|id| self.uncovered_id(&id.to_string()));
        }
        self.covered.extend(covered.iter().map(ToString::to_string));
        self.open.extend(open.iter().map(ToString::to_string));
        covered
    }

    pub(super) fn condition(
        &mut self,
        path: &str,
        raw: &RawCondition,
        pairs: Pairs<'_>,
    ) -> Option<Condition> {
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
