//! What a proof that has held carries, for those who read ids and types from it.

use super::{Means, Scheme, judge::Carried};
use crate::verify::{
    httpsig,
    source::{Message, Source},
};

impl Scheme {
    /// What the message's proof carries, where one of these sources is in it.
    ///
    /// Nothing is verified here: it is called with messages whose proof has held.
    pub(super) fn carried_for<'s>(
        &self,
        group: usize,
        sources: impl IntoIterator<Item = &'s Source>,
        message: &Message<'_>,
    ) -> Option<Carried> {
        if !sources.into_iter().any(Source::is_in_proof) {
            return None;
        }
        let mut candidates = self.candidates_of(group).filter(|(_, c)| c.applies_to(message));
        candidates.find_map(|(_, candidate)| match &candidate.means {
            Means::Jws(rules) => {
                let claims = candidate.claims(&rules.algorithms, &self.lookups.claims, message)?;
                Some(Carried { claims, ..Carried::default() })
            }
            // Of several signatures nobody knows here which one held.
            Means::Message(rules) => match httpsig::read(message.head, rules).ok()?.as_slice() {
                [one] => Some(Carried::of(&one.parameters)),
                _ => None,
            },
            Means::Nothing | Means::Signed | Means::Token => None,
        })
    }
}
