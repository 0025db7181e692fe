//! Tokens: the secret itself.

use std::sync::Arc;

use subtle::Choice;

use super::{Held, Matched, Trial, mismatch};
use crate::{
    decision::Refusal,
    verify::{head::Read, key::Key, source::Message},
};

impl Trial<'_> {
    /// Judges the token, or the token of every element of a list.
    pub(super) fn token(&self, message: &Message<'_>) -> Result<Held, Refusal> {
        let key = self.token_key(message)?;
        Ok(Held { key_id: Arc::clone(&key.id), content_key: None, carried: None })
    }

    fn token_key(&self, message: &Message<'_>) -> Result<&Key, Refusal> {
        let candidate = self.candidate;
        let keys = &self.ring.keys;
        let named = candidate.named_key(message)?;
        let fits = |key: &&Key| key.fits(named.as_deref(), self.now);
        let one = |token: &[u8]| {
            let mut matched = Matched(Matched::NONE);
            for (index, key) in keys.iter().enumerate() {
                let fits = Choice::from(u8::from(fits(&key)));
                matched.note(index, key.is_token(token) & fits);
            }
            matched.key(keys).ok_or_else(mismatch)
        };
        if !candidate.from.is_many() {
            return one(&candidate.token(message)?);
        }
        // Every element must carry it: one that does not came from somebody else.
        let Some(found) = message.found(&candidate.from) else {
            return Err(
                candidate.refuse(&Read::Malformed("cannot be read: the body is no such document"))
            );
        };
        if found.duplicate {
            return Err(candidate.refuse(&Read::Repeated));
        }
        let mut matched = None;
        for token in &found.values {
            matched = Some(one(token.as_bytes())?);
        }
        match matched {
            Some(key) if !found.incomplete => Ok(key),
            _ => Err(candidate.refuse(&Read::Absent)),
        }
    }
}
