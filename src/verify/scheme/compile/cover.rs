//! What a proof covers.

use std::collections::BTreeSet;

use crate::verify::{
    scheme::{Means, binding::Binding},
    source::Source,
    template::Template,
};

/// What a proof covers: by its template, by itself, and by what must be equal to what it covers.
pub(super) struct Cover<'c> {
    pub(super) means: &'c Means,
    pub(super) template: Option<&'c Template>,
    pub(super) bindings: &'c [Binding],
    /// The form field that holds the document.
    pub(super) document: Option<&'c str>,
}

impl Cover<'_> {
    /// Whether somebody without the key could change nothing about this source's value.
    pub(super) fn covers(&self, source: &Source) -> bool {
        self.covers_itself(source)
            || match source {
                Source::Form(_) | Source::Fields => self.covers_itself(&Source::Body),
                Source::Json(..) | Source::Xml(..) => {
                    let field = self.document.map(|name| Source::Form(name.into()));
                    self.covers_itself(&Source::Body)
                        || field.is_some_and(|field| self.covers_itself(&field))
                }
                Source::Parameter(_) | Source::Query => {
                    self.covers_itself(&Source::Query)
                        || self.covers_itself(&Source::Target)
                        || self.uses_url()
                }
                Source::Path | Source::Target => {
                    self.covers_itself(&Source::Target) || self.uses_url()
                }
                _ => false,
            }
    }

    fn uses_url(&self) -> bool {
        self.template.is_some_and(Template::uses_url)
    }

    fn covers_itself(&self, source: &Source) -> bool {
        self.is_signed(source) || self.bindings.iter().any(|b| self.binds(b, source))
    }

    /// Whether the proof holds over the source's own value.
    fn is_signed(&self, source: &Source) -> bool {
        match (self.means, source) {
            (Means::Jws(_), Source::Claim(..)) => true,
            (Means::Token | Means::Nothing, _) => false,
            _ => self.template.is_some_and(|template| template.covers(source)),
        }
    }

    /// Whether the source's value must be equal to one that the proof holds over.
    fn binds(&self, binding: &Binding, source: &Source) -> bool {
        let bound = &binding.source;
        let is_covered = self.is_signed(bound)
            || matches!(bound, Source::Parameter(_))
                && (self.is_signed(&Source::Query)
                    || self.is_signed(&Source::Target)
                    || self.uses_url());
        is_covered && binding.any_of.iter().all(|expected| expected.template.covers(source))
    }

    /// The headers that are covered, in lower case.
    pub(super) fn headers(&self) -> BTreeSet<String> {
        let bound = self.bindings.iter().flat_map(Binding::templates);
        let values = self.template.into_iter().chain(bound).flat_map(Template::values);
        values
            .filter_map(|value| match &value.source {
                Source::Header(name) => Some((name, &value.source)),
                _ => None,
            })
            .filter(|(_, source)| self.covers(source))
            .map(|(name, _)| name.as_str().to_owned())
            .collect()
    }
}
