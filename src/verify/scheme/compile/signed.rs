//! The template, and what goes with a message that is signed by it.

use super::{Compiler, Pairs, cover::Cover};
use crate::verify::{
    algorithm::Algorithm,
    definition::raw::{RawCondition, RawRepeats},
    scheme::{Group, Means, binding::Binding, candidate::Condition, read_condition},
    source::{BadText, Context, Source},
    template::{Role, Template},
    time::Unit,
};

impl Compiler<'_> {
    /// The template of what is signed, where the kind of proof has one.
    pub(super) fn template(
        &mut self,
        at: &str,
        text: Option<&str>,
        (means, algorithms): (&Means, &[Algorithm]),
        pairs: Pairs<'_>,
        ids: &[Source],
    ) -> Option<Template> {
        let text = match (means, text) {
            (Means::Signed, None) => {
                self.problem(at, "is missing".to_owned());
                return None;
            }
            (Means::Signed | Means::Jws(_), Some(text)) => text,
            (_, Some(_)) => {
                self.problem(at, "this algorithm has no template".to_owned());
                return None;
            }
            (_, None) => return None,
        };
        let (times, unit) = self.times(pairs);
        let role = |source: &Source| match () {
            () if times.contains(source) => Role::Timestamp(unit),
            () if ids.contains(source) => Role::Id,
            () => Role::Plain,
        };
        let mut context = Context { expect: self.expect, pairs, lookups: &mut self.lookups };
        let compiled = Template::compile(text, &mut context, role);
        let template = self.keep(at, compiled)?;
        let is_digest =
            |a: &Algorithm| matches!(a, Algorithm::Sha1 | Algorithm::Sha256 | Algorithm::Sha512);
        let has_secret = template.secret_at().is_some();
        match algorithms.iter().any(is_digest) {
            true if !has_secret => {
                let what = "a digest without `{secret}` in it proves nothing: anybody can make it";
                self.problem(at, what.to_owned());
            }
            true if template.can_grow() => {
                let message = "a digest with the secret at its beginning can be made longer by \
                               anybody: the last value must be text";
                let suggestion = Some("{secret}{body|utf8}".to_owned());
                self.problem(at, BadText { message: message.to_owned(), suggestion });
            }
            false if has_secret => {
                let what = "`{secret}` stands only in what a plain digest is made of";
                self.problem(at, what.to_owned());
            }
            _ => {}
        }
        Some(template)
    }

    /// What goes with a message that is proven this way.
    pub(super) fn group(
        &mut self,
        (means, from): (&Means, &Source),
        template: Option<&Template>,
        bindings: &[Binding],
        pairs: Pairs<'_>,
        ids: Vec<Source>,
    ) -> Group {
        let is_identity = matches!(means, Means::Jws(jws) if jws.reusable);
        let token = is_identity || matches!(means, Means::Token | Means::Nothing);
        // A template that could not be read was complained about already.
        let is_unread = matches!(means, Means::Signed) && template.is_none();
        let (times, unit) = self.times(pairs);
        let kinds = self.all("event.type", self.written.event.kind.as_ref().map(|m| &m.0), pairs);
        let document = self.written.document.as_ref().and_then(|d| d.form.as_deref());
        let cover = Cover { means, template, bindings, document };
        let timestamp = self.covered_time(&times, unit, &cover, token, is_unread);
        let ids = self.covered_ids(ids, &cover, token || is_unread);
        let repeats = match &self.written.repeats {
            Some(RawRepeats::When(condition)) => self.condition("repeats", condition, pairs),
            _ => None,
        };
        if let Some(condition) = &repeats
            && !token
            && !is_unread
            && !cover.covers(&condition.source)
        {
            let source = condition.source.to_string();
            self.problem("repeats", format!("`{source}` is not covered by the signature"));
        }
        let covers_kind = !kinds.is_empty() && kinds.iter().all(|kind| cover.covers(kind));
        // Of two tokens in two places only the one that has held may be read.
        let is_read = matches!(means, Means::Jws(_));
        Group {
            proof: is_read.then(|| from.clone()),
            timestamp,
            ids,
            kinds,
            repeats,
            covers_body: cover.covers(&Source::Body),
            covers_kind,
            is_token: token,
            is_unproven: matches!(means, Means::Nothing),
            is_open: matches!(means, Means::Nothing) && bindings.is_empty(),
            headers: cover.headers(),
            covers_query: cover.covers(&Source::Query),
        }
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
        is_unread: bool,
    ) -> Option<(Source, Unit)> {
        if is_unread || (times.is_empty() && self.written.timestamp.is_none()) {
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
        if ids.is_empty() || token {
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
        let read = read_condition(raw);
        let (source, test) = self.keep(path, read)?;
        let source = self.source(path, &source, pairs)?;
        Some(Condition { source, test })
    }
}
