//! What a proof covers.

use std::collections::BTreeSet;

use crate::verify::{
    httpsig::{self, Component, ComponentForm as Form},
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
        let is_fixed = |b: &Binding| b.source == *source && b.constant().is_some();
        self.is_signed(source) || self.bindings.iter().any(|b| is_fixed(b) || self.binds(b, source))
    }

    /// Whether the proof holds over the source's own value.
    fn is_signed(&self, source: &Source) -> bool {
        match (self.means, source) {
            (Means::Jws(_), Source::Claim(..)) => true,
            (Means::Message(rules), source) => is_required(rules, source),
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
        is_covered
            && !binding.may_be_absent
            && binding.any_of.iter().all(|expected| expected.template.covers(source))
    }

    /// The headers that are covered, in lower case.
    pub(super) fn headers(&self) -> BTreeSet<String> {
        if let Means::Message(rules) = self.means {
            let required = rules.required.iter().filter_map(|component| match component {
                Component::Field(name, _) => Some(name.as_str().to_owned()),
                _ => None,
            });
            return required.collect();
        }
        let bound = self.bindings.iter().flat_map(Binding::templates);
        let values = self.template.into_iter().chain(bound).flat_map(Template::values);
        values
            .flat_map(|value| match &value.source {
                Source::Header(name) => std::slice::from_ref(name),
                Source::Listed(listed) => listed.names(),
                _ => &[],
            })
            .filter(|name| self.covers(&Source::Header((*name).clone())))
            .map(|name| name.as_str().to_owned())
            .collect()
    }
}

/// Whether every message signature that the rules admit covers the source's value.
fn is_required(rules: &httpsig::Rules, source: &Source) -> bool {
    let component = match source {
        Source::Param(_) => return true,
        Source::Body => Component::CONTENT_DIGEST,
        Source::Header(name) => Component::Field(name.clone(), Form::Raw),
        Source::Method => Component::Method,
        Source::Parameter(_) | Source::Query => Component::Query,
        Source::Path => Component::Path,
        Source::Target => {
            return rules.require(&Component::Path) && rules.require(&Component::Query);
        }
        Source::Url => Component::TargetUri,
        _ => return false,
    };
    rules.require(&component)
}
