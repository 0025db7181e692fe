//! The tables of HTTP message signatures.

use smallvec::SmallVec;

use super::Compiler;
use crate::verify::{
    algorithm::Algorithm,
    definition::raw::RawSignature,
    httpsig::{Component, Origin, Rules, algorithm_name},
    scheme::Means,
    source::BadText,
};

impl Compiler<'_> {
    /// The rules for HTTP message signatures, and their algorithms.
    pub(super) fn message(
        &mut self,
        path: &str,
        raw: &RawSignature,
    ) -> Option<(Means, SmallVec<[Algorithm; 1]>)> {
        let algorithms = self.registered(&format!("{path}.algorithms"), raw)?;
        let (required, one_of) = self.components(&format!("{path}.components"), raw)?;
        let origin = match self.expect.get("url").map(|url| Origin::of_url(url)) {
            Some(None) => {
                let what = "must be the whole URL, as in \"https://example.com/hook\"";
                self.problem("expect.url", what.to_owned());
                return None;
            }
            origin => origin.flatten(),
        };
        let own = algorithms.iter().copied().collect();
        Some((Means::Message(Rules { algorithms, required, one_of, origin }), own))
    }

    /// The algorithms, all of them of the registry of RFC 9421.
    fn registered(&mut self, at: &str, raw: &RawSignature) -> Option<Vec<Algorithm>> {
        let names = raw.algorithms.as_deref().unwrap_or_default();
        if names.is_empty() {
            let what = "is missing: a message must not choose its algorithm by itself".to_owned();
            let suggestion = Some("algorithms = [\"ed25519\"]".to_owned());
            self.problem(at, BadText { message: what, suggestion });
            return None;
        }
        let has_name = |algorithm: &&Algorithm| algorithm_name(**algorithm).is_some();
        let known: Vec<_> = Algorithm::ALL.iter().filter(has_name).map(|a| a.as_str()).collect();
        let parse = |name: &str| Algorithm::parse(name).filter(|a| has_name(&a));
        let mut algorithms = Vec::with_capacity(names.len());
        for name in names {
            algorithms.push(self.word(at, name, parse, &known)?);
        }
        self.refuse_mixed(at, &algorithms)?;
        Some(algorithms)
    }

    /// What must be covered; an inner array is one of several sets.
    #[expect(clippy::type_complexity, reason = "one call; the two go into the same struct")]
    fn components(
        &mut self,
        at: &str,
        raw: &RawSignature,
    ) -> Option<(Vec<Component>, Vec<Vec<Component>>)> {
        let (mut required, mut one_of) = (Vec::new(), Vec::new());
        for entry in raw.components.iter().flatten() {
            let mut set = Vec::with_capacity(entry.0.len());
            for text in &entry.0 {
                let parsed = Component::parse(text).map_err(|e| format!("`{text}` {e}"));
                set.push(self.keep(at, parsed)?);
            }
            match set.as_slice() {
                [_] => required.append(&mut set),
                _ => one_of.push(set),
            }
        }
        if (required.is_empty() && one_of.is_empty()) || one_of.iter().any(Vec::is_empty) {
            let what = "is missing: a signature that covers nothing proves nothing".to_owned();
            let suggestion =
                Some("components = [\"@method\", \"@target-uri\", \"content-digest\"]");
            let suggestion = suggestion.map(ToOwned::to_owned);
            self.problem(at, BadText { message: what, suggestion });
            return None;
        }
        Some((required, one_of))
    }
}
