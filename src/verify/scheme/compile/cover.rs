//! What a template covers.

use std::collections::BTreeSet;

use crate::verify::{source::Source, template::Template};

/// What a template covers.
pub(super) struct Cover<'c> {
    pub(super) template: Option<&'c Template>,
}

impl Cover<'_> {
    pub(super) fn covers(&self, source: &Source) -> bool {
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

    pub(super) fn headers(&self) -> BTreeSet<String> {
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
