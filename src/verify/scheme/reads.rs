//! What a scheme reads, for those who must keep it intact or know where it comes from.

use http::HeaderName;

use super::{Candidate, Scheme, binding::Binding};
use crate::verify::{source::Source, template::Template};

impl Scheme {
    /// The headers that the scheme reads by name: a sender must not be able to make them vanish
    /// on the way.
    pub fn headers(&self) -> Vec<HeaderName> {
        let groups = self.groups.iter().flat_map(|group| {
            let timestamp = group.timestamp.iter().map(|(source, _)| source);
            let repeats = group.repeats.iter().map(|condition| &condition.source);
            timestamp.chain(repeats).chain(&group.ids).chain(&group.kinds)
        });
        let candidates = self.candidates.iter().flat_map(Candidate::sources);
        let mut headers: Vec<_> = groups.chain(candidates).flat_map(headers).collect();
        headers.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
        headers.dedup();
        headers
    }

    /// Whether the event type is read from the body, so that an ambiguous body makes it ambiguous.
    pub fn reads_kind_in_body(&self) -> bool {
        let in_body = |source: &Source| matches!(source, Source::Json(..) | Source::Form(_));
        self.groups.iter().any(|group| group.kinds.iter().any(in_body))
    }
}

impl Candidate {
    /// Every place that it reads.
    pub(super) fn sources(&self) -> impl Iterator<Item = &Source> {
        let bound = self.bindings.iter().flat_map(Binding::templates);
        let values = self.signed.iter().chain(bound).flat_map(Template::values);
        std::iter::once(&self.from)
            .chain(&self.key_id)
            .chain(self.certificate.iter().map(|certificate| &certificate.from))
            .chain(self.when.iter().map(|condition| &condition.source))
            .chain(self.bindings.iter().map(|binding| &binding.source))
            .chain(values.map(|value| &value.source))
    }
}

fn headers(source: &Source) -> Vec<HeaderName> {
    match source {
        Source::Basic | Source::Bearer => vec![http::header::AUTHORIZATION],
        Source::Header(name) | Source::Pair(name, ..) => vec![name.clone()],
        Source::Listed(listed) => listed.names().to_vec(),
        _ => Vec::new(),
    }
}
