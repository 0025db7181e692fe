//! What a proof that has held carries, for those who read ids and types from it.

use super::{Means, Scheme};
use crate::verify::{
    json::Found,
    source::{Message, Source},
};

impl Scheme {
    /// The claims of the message's token where one of these sources is a claim.
    ///
    /// Nothing is verified here: it is called with messages whose proof has held.
    pub(super) fn claims_for<'s>(
        &self,
        group: usize,
        sources: impl IntoIterator<Item = &'s Source>,
        message: &Message<'_>,
    ) -> Option<Vec<Found>> {
        let mut sources = sources.into_iter();
        if !sources.any(|source| matches!(source, Source::Claim(..))) {
            return None;
        }
        self.candidates_of(group).find_map(|(_, candidate)| match &candidate.means {
            Means::Jws(rules) if candidate.applies_to(message) => {
                candidate.claims(&rules.algorithms, &self.lookups.claims, message)
            }
            _ => None,
        })
    }
}
