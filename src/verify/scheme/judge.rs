//! Whether a signature holds.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    sync::{Arc, OnceLock},
};

use sha2::{Digest, Sha256};
use subtle::{Choice, ConditionallySelectable};
use xxhash_rust::xxh3::{Xxh3, xxh3_128_with_seed};

use super::{
    Candidate, Claim, Scheme,
    candidate::{Given, Givens},
    claim::read_time,
};
use crate::{
    clock::UnixMs,
    decision::{Code, Refusal},
    verify::{
        Head,
        head::Read,
        key::{Key, KeyRing, Material},
        source::{Message, Source},
        template::{Chunks, Template},
    },
};

/// Exists only after a signature held; nothing outside the engine can make one.
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
    _sealed: (),
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
        let uses_json = self.candidates_of(claim.group).any(|(_, c)| c.uses_json);
        let json = if uses_json { self.look_into(head, body) } else { None };
        let message = Message { head, body, json: json.as_deref() };
        let mut problem = None;
        let mut matched = None;
        // Every candidate is judged, even after a match: where each has a key of its own, the
        // time must not tell which it was.
        for (number, candidate) in self.candidates_of(claim.group) {
            if !candidate.applies_to(&message) {
                continue;
            }
            let ring = keys.of(number);
            let judged = match &candidate.signed {
                None => candidate.judge_token(ring, &message, now).map(|key| (key, None)),
                Some(template) => self
                    .judge_signed(template, candidate, number, ring, claim, &message, now)
                    .map(|(key, content)| (key, Some(content))),
            };
            match judged {
                Ok(found) => matched = matched.or(Some(found)),
                Err(refusal) => problem = Some(first(problem, refusal)),
            }
        }
        if let Some((key, content_key)) = matched {
            return Ok(self.verified(claim, &message, key, content_key));
        }
        Err(problem.unwrap_or_else(|| {
            Refusal::new(Code::SignatureMissing, "no signature applies to this message")
        }))
    }

    fn verified(
        &self,
        claim: &Claim,
        message: &Message<'_>,
        key: &Key,
        content_key: Option<u128>,
    ) -> Verified {
        let group = self.groups.get(claim.group);
        let open_body = content_key.is_some() && !group.is_some_and(|g| g.covers_body);
        let in_body = || {
            let (source, unit) = group?.timestamp.as_ref()?;
            read_time(source, *unit, message).ok()
        };
        Verified {
            key_id: Arc::clone(&key.id),
            content_key,
            body_key: open_body.then(|| body_digest(message.body)),
            signed_at: claim.at.or_else(in_body),
            _sealed: (),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one call; the values share no idea")]
    fn judge_signed<'k>(
        &self,
        template: &Template,
        candidate: &Candidate,
        number: usize,
        ring: &'k [Key],
        claim: &Claim,
        message: &Message<'_>,
        now: UnixMs,
    ) -> Result<(&'k Key, u128), Refusal> {
        let mut in_body = Givens::new();
        if candidate.from.is_in_body() {
            candidate.gather(number, message, &mut in_body)?;
        }
        let givens = if candidate.from.is_in_body() { &in_body } else { &claim.givens };
        let is_own = |given: &&Given| given.candidate == number;
        if !givens.iter().any(|given| is_own(&given)) {
            return Err(candidate.refuse(&Read::Absent));
        }
        let target = self.target.as_deref().filter(|_| candidate.uses_url);
        if target.is_some_and(|target| target != message.head.target()) {
            return Err(Refusal::new(
                Code::SignatureMismatch,
                "the request's path and query are not those of expect.url",
            ));
        }
        let chunks = template.chunks(message)?;
        if self.handshakes.could_be_challenge(chunks.iter().map(|chunk| &**chunk)) {
            return Err(Refusal::new(
                Code::SignatureMismatch,
                "what is signed could be a handshake's challenge, which anybody can have signed",
            ));
        }
        let named = candidate.named_key(message)?;
        let mut matched = Matched(Matched::NONE);
        for (index, key) in ring.iter().enumerate() {
            let Material::Keyed(keyed) = &key.material else { continue };
            if !key.fits(named.as_deref(), now) {
                continue;
            }
            let mac = keyed.mac(&chunks);
            for given in givens.iter().filter(is_own) {
                let fits = given.key_id.is_none() || key.fits(given.key_id.as_deref(), now);
                let matches = mac.matches(&given.signature);
                matched.note(index, matches & Choice::from(u8::from(fits)));
            }
        }
        let key = matched.key(ring).ok_or_else(mismatch)?;
        Ok((key, content_key(template, &chunks, message.body)))
    }
}

impl Candidate {
    /// The key id that the message names outside of the signature's elements.
    fn named_key<'a>(
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

    fn judge_token<'k>(
        &self,
        ring: &'k [Key],
        message: &Message<'_>,
        now: UnixMs,
    ) -> Result<&'k Key, Refusal> {
        let named = self.named_key(message)?;
        let fits = |key: &&Key| key.fits(named.as_deref(), now);
        let one = |token: &[u8]| {
            let mut matched = Matched(Matched::NONE);
            for (index, key) in ring.iter().enumerate() {
                let fits = Choice::from(u8::from(fits(&key)));
                matched.note(index, key.is_token(token) & fits);
            }
            matched.key(ring).ok_or_else(mismatch)
        };
        let Source::Json(pointer, number) = &self.from else {
            return one(&self.token(message)?);
        };
        if !pointer.is_many() {
            return one(&self.token(message)?);
        }
        // Every element must carry it: one that does not came from somebody else.
        let Some(found) = message.found(*number) else {
            return Err(self.refuse(&Read::Malformed("cannot be read: the body is not JSON")));
        };
        if found.duplicate {
            return Err(self.refuse(&Read::Repeated));
        }
        let mut matched = None;
        for token in &found.values {
            matched = Some(one(token.as_bytes())?);
        }
        match matched {
            Some(key) if !found.incomplete => Ok(key),
            _ => Err(self.refuse(&Read::Absent)),
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

/// The signed bytes as one number. The parts need no frames: the template is one that cannot
/// slide, and what has the same signed bytes has the same signature.
fn content_key(template: &Template, chunks: &Chunks<'_>, body: &[u8]) -> u128 {
    if template.is_body() {
        return xxh3_128_with_seed(body, seed());
    }
    let mut hasher = Xxh3::with_seed(seed());
    for chunk in chunks {
        hasher.update(chunk);
    }
    hasher.digest128()
}

/// A body that the signature leaves uncovered may be anybody's, so a fast hash would not do: this
/// is SHA-256, cut.
fn body_digest(body: &[u8]) -> u128 {
    let digest = Sha256::digest(body);
    digest.iter().take(16).fold(0, |number, byte| number << 8 | u128::from(*byte))
}

/// Any bytes as one number of the same kind, for those who keep account of event ids.
pub fn fingerprint(bytes: &[u8]) -> u128 {
    xxh3_128_with_seed(bytes, seed())
}

/// Random once per process, so that nobody outside can compute keys that collide.
fn seed() -> u64 {
    static SEED: OnceLock<u64> = OnceLock::new();
    *SEED.get_or_init(|| RandomState::new().build_hasher().finish())
}
