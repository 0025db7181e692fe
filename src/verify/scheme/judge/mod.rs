//! Whether a proof holds.

mod content;
mod each;
mod jws;
mod message;
mod signed;
mod token;

use std::sync::Arc;

use subtle::{Choice, ConditionallySelectable};

pub use self::content::fingerprint;
use super::{Candidate, Claim, Means, Scheme, candidate::Givens, claim::read_time};
use crate::{
    clock::UnixMs,
    decision::{Code, Refusal},
    verify::{
        Head,
        head::Read,
        json::Found,
        key::{Key, KeyRing, Ring},
        source::{Looked, Message},
    },
};

/// Exists only after a proof held; nothing outside the engine can make one.
#[derive(Debug)]
#[expect(clippy::manual_non_exhaustive, reason = "not even the rest of this crate may make one")]
pub struct Verified {
    /// Which key.
    pub key_id: Arc<str>,
    /// A digest of the exact signed bytes, the same whichever key, candidate or spelling verified
    /// them, and different in each process; `None` for tokens, which sign nothing.
    pub content_key: Option<u128>,
    /// A digest of the body where a signature leaves it uncovered; `None` for tokens.
    pub body_key: Option<u128>,
    /// The covered (for tokens: vouched) timestamp, not yet judged.
    pub signed_at: Option<UnixMs>,
    /// From when on the proof holds by its own word, not yet judged; the latest of several.
    pub not_before: Option<UnixMs>,
    /// Until when the proof holds by its own word, not yet judged.
    pub expires_at: Option<UnixMs>,
    _sealed: (),
}

/// What a candidate that held came to.
pub(super) struct Held {
    key_id: Arc<str>,
    content_key: Option<u128>,
    /// What the proof itself carries.
    carried: Option<Box<Carried>>,
}

/// What a proof carries besides holding.
#[derive(Debug, Default)]
pub(super) struct Carried {
    pub(super) claims: Vec<Found>,
    pub(super) params: Vec<(Box<str>, Box<str>)>,
    pub(super) not_before: Option<UnixMs>,
    pub(super) expires_at: Option<UnixMs>,
}

/// The number of the key that matched, found without a branch on secret bytes.
struct Matched(u32);

impl Matched {
    const NONE: u32 = u32::MAX;

    fn note(&mut self, key: usize, matches: Choice) {
        let key = u32::try_from(key).unwrap_or(Self::NONE);
        self.0.conditional_assign(&key, matches);
    }

    fn key<'k>(&self, keys: &'k [Key]) -> Option<&'k Key> {
        keys.get(usize::try_from(self.0).ok()?)
    }
}

/// One candidate, the keys it may use, and the time.
#[derive(Clone, Copy)]
pub(super) struct Trial<'t> {
    scheme: &'t Scheme,
    candidate: &'t Candidate,
    number: usize,
    ring: &'t Ring,
    now: UnixMs,
}

impl Scheme {
    /// Judges the signature: every signature of the message against every active key.
    ///
    /// # Errors
    ///
    /// No candidate matches an active key, or a signed part is missing or malformed.
    pub fn verify(
        &self,
        keys: &KeyRing,
        claim: &Claim,
        head: Head<'_>,
        body: &[u8],
        now: UnixMs,
    ) -> Result<Verified, Refusal> {
        let looks = self.candidates_of(claim.group).any(|(_, c)| c.uses_document);
        let looked = if looks { self.look_into(head, body) } else { Looked::default() };
        let message = Message::new(head, body).with(&looked);
        let mut problem = None;
        let mut matched = None;
        // Every candidate is judged, even after a match: where each has a key of its own, the
        // time must not tell which it was.
        for (number, candidate) in self.candidates_of(claim.group) {
            if !candidate.applies_to(&message) {
                continue;
            }
            let ring = keys.of(number);
            let trial = Trial { scheme: self, candidate, number, ring, now };
            match trial.judge(&claim.givens, &message) {
                Ok(found) => matched = matched.or(Some(found)),
                Err(refusal) => problem = Some(first(problem, refusal)),
            }
        }
        if let Some(held) = matched {
            return Ok(self.verified(claim, &message, held));
        }
        Err(problem.unwrap_or_else(|| {
            Refusal::new(Code::SignatureMissing, "no signature applies to this message")
        }))
    }

    fn verified(&self, claim: &Claim, message: &Message<'_>, held: Held) -> Verified {
        let group = self.groups.get(claim.group);
        let open_body = held.content_key.is_some() && !group.is_some_and(|g| g.covers_body);
        let carried = held.carried.as_deref();
        let in_message = || {
            let (source, unit) = group?.timestamp.as_ref()?;
            let message = carried.map_or(*message, |carried| carried.beside(message));
            read_time(source, *unit, &message).ok()
        };
        Verified {
            content_key: held.content_key,
            body_key: open_body.then(|| content::body_digest(message.body)),
            signed_at: claim.at.or_else(in_message),
            not_before: carried.and_then(|carried| carried.not_before),
            expires_at: carried.and_then(|carried| carried.expires_at),
            key_id: held.key_id,
            _sealed: (),
        }
    }
}

impl Trial<'_> {
    /// Whether the definition reads its timestamp there.
    fn is_timestamp(&self, text: &str) -> bool {
        let timestamp = self.scheme.timestamp_of(self.candidate);
        timestamp.is_some_and(|(source, _)| source.to_string() == text)
    }

    /// Judges the proof, and what must be equal for it to be about this message.
    fn judge(&self, givens: &Givens, message: &Message<'_>) -> Result<Held, Refusal> {
        let held = match &self.candidate.means {
            Means::Jws(rules) => self.jws(rules, message)?,
            Means::Message(rules) => self.message(rules, message)?,
            // What proves nothing holds always; what must be equal is judged all the same.
            Means::Nothing => Held { key_id: "none".into(), content_key: None, carried: None },
            Means::Signed if self.candidate.each.is_some() => self.each(message)?,
            Means::Signed => self.signed(givens, message)?,
            Means::Token => self.token(message)?,
        };
        let message = held.carried.as_ref().map_or(*message, |carried| carried.beside(message));
        for binding in &self.candidate.bindings {
            binding.judge(&message)?;
        }
        Ok(held)
    }
}

impl Carried {
    /// The message together with what its proof carries.
    pub(super) fn beside<'a>(&'a self, message: &Message<'a>) -> Message<'a> {
        Message { claims: Some(&self.claims), params: Some(&self.params), ..*message }
    }
}

impl Candidate {
    /// The key id that the message names outside of the signature's elements.
    pub(in crate::verify::scheme) fn named_key<'a>(
        &self,
        message: &Message<'a>,
    ) -> Result<Option<super::claim::Token<'a>>, Refusal> {
        let Some(source) = &self.key_id else { return Ok(None) };
        match source.read(message) {
            Read::Value(name) => Ok(Some(name)),
            Read::Repeated if source.is_header() => {
                let role = crate::verify::template::Role::Signature;
                Err(crate::verify::template::refuse(source, role, &Read::Repeated))
            }
            _ => Err(Refusal::new(Code::SignatureMismatch, "the message names no key")),
        }
    }
}

/// Of two refusals the one that says more: what is wrong with a message rather than that a
/// signature matches no key.
fn first(before: Option<Refusal>, now: Refusal) -> Refusal {
    match before {
        Some(before) if now.code == Code::SignatureMissing => before,
        Some(before) if before.code != Code::SignatureMissing => before,
        _ => now,
    }
}

fn mismatch() -> Refusal {
    Refusal::new(Code::SignatureMismatch, "no key matches")
}
