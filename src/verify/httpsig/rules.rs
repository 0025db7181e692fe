//! What a signature must cover to prove anything.

use super::{Component, Origin, Parameters};
use crate::{
    decision::{Code, Refusal},
    verify::Algorithm,
};

/// What a receiver demands of a signature.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rules {
    /// The algorithms that may be used.
    pub(crate) algorithms: Vec<Algorithm>,
    /// What must be covered.
    pub(crate) required: Vec<Component>,
    /// Sets of which one must be covered in whole; empty: no more than `required`.
    pub(crate) one_of: Vec<Vec<Component>>,
    /// Where requests are sent to, if the operator said so.
    pub(crate) origin: Option<Origin>,
}

impl Rules {
    /// Whether every signature that they admit covers the component.
    pub(crate) fn require(&self, component: &Component) -> bool {
        let covers = |set: &[Component]| set.iter().any(|own| own.covers(component));
        covers(&self.required)
            || (!self.one_of.is_empty() && self.one_of.iter().all(|set| covers(set)))
    }

    /// Judges what a signature says it covers, and by which algorithm.
    ///
    /// # Errors
    ///
    /// Something required is not covered, or the algorithm is none of those allowed.
    pub(super) fn admit(
        &self,
        covered: &[Component],
        parameters: &Parameters,
    ) -> Result<(), Refusal> {
        let refuse = |what: String| Err(Refusal::new(Code::SignatureMismatch, what));
        if parameters.alg.is_some_and(|alg| !self.algorithms.contains(&alg)) {
            return refuse("the signature is of an algorithm that is not allowed".to_owned());
        }
        let is_covered = |component: &Component| covered.iter().any(|own| own.covers(component));
        if let Some(missing) = self.required.iter().find(|component| !is_covered(component)) {
            return refuse(format!("the signature does not cover {missing}"));
        }
        if !self.one_of.is_empty() && !self.one_of.iter().any(|set| set.iter().all(is_covered)) {
            return refuse(
                "the signature covers none of the sets of which one is needed".to_owned(),
            );
        }
        Ok(())
    }
}
