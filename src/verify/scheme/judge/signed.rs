//! Signatures over a template: MACs, digests with the secret in them, public keys.

use std::{borrow::Cow, sync::Arc};

use subtle::Choice;

use super::{Held, Matched, Trial, content::content_key, mismatch};
use crate::{
    decision::{Code, Refusal},
    verify::{
        head::Read,
        key::{Key, Material, NamedKey},
        scheme::candidate::{Given, Givens},
        source::Message,
        template::{Chunks, Template},
    },
};

impl Trial<'_> {
    /// Judges the signatures of the message, or of one element of it.
    pub(super) fn signed(&self, claimed: &Givens, message: &Message<'_>) -> Result<Held, Refusal> {
        let candidate = self.candidate;
        let Some(template) = &candidate.signed else { return Err(mismatch()) };
        let mut in_body = Givens::new();
        if candidate.from.is_in_body() {
            candidate.gather(self.number, message, &mut in_body)?;
        }
        let givens = if candidate.from.is_in_body() { &in_body } else { claimed };
        let is_own = |given: &&Given| given.candidate == self.number;
        if !givens.iter().any(|given| is_own(&given)) {
            return Err(candidate.refuse(&Read::Absent));
        }
        let target = self.scheme.target.as_deref().filter(|_| candidate.uses_url);
        if target.is_some_and(|target| target != message.head.target()) {
            return Err(Refusal::new(
                Code::SignatureMismatch,
                "the request's path and query are not those of expect.url",
            ));
        }
        let chunks = template.chunks(message)?;
        self.refuse_challenge(&chunks)?;
        let named = candidate.named_key(message)?;
        let mut matched = Matched(Matched::NONE);
        for (index, key) in self.ring.keys.iter().enumerate() {
            if !key.fits(named.as_deref(), self.now) {
                continue;
            }
            let own = givens.iter().filter(is_own);
            let own = own.filter(|given| {
                given.key_id.is_none() || key.fits(given.key_id.as_deref(), self.now)
            });
            matched.note(index, self.matches(key, template, &chunks, own));
        }
        let key_id = match matched.key(&self.ring.keys) {
            Some(key) => Arc::clone(&key.id),
            None => self.fetched(named.as_deref(), &chunks, givens, message)?,
        };
        let content_key = Some(content_key(template, &chunks, message.body));
        Ok(Held { key_id, content_key, carried: None })
    }

    /// What a handshake lets anybody have signed proves nothing.
    pub(super) fn refuse_challenge(&self, signed: &[Cow<'_, [u8]>]) -> Result<(), Refusal> {
        if self.scheme.handshakes.could_be_challenge(signed) {
            return Err(Refusal::new(
                Code::SignatureMismatch,
                "what is signed could be a handshake's challenge, which anybody can have signed",
            ));
        }
        Ok(())
    }

    /// Whether one of these signatures is the key's.
    fn matches<'g>(
        &self,
        key: &Key,
        template: &Template,
        chunks: &Chunks<'_>,
        givens: impl Iterator<Item = &'g Given>,
    ) -> Choice {
        let any = |fits: &dyn Fn(&Given) -> Choice| {
            givens.fold(Choice::from(0), |found, given| found | fits(given))
        };
        match &key.material {
            Material::Keyed(keyed) => {
                let mac = keyed.mac(chunks);
                any(&|given| mac.matches(&given.signature))
            }
            Material::Hashed(hashed) => {
                let digest = hashed.digest(chunks, template.secret_at());
                any(&|given| digest.matches(&given.signature))
            }
            Material::Public(key) => {
                let text = whole(chunks);
                let (algorithm, form) = (self.candidate.algorithm(), self.candidate.ecdsa);
                any(&|given| {
                    let holds = key.verifies(algorithm, form, &text, &given.signature);
                    Choice::from(u8::from(holds))
                })
            }
            Material::Token(_) => Choice::from(0),
        }
    }

    /// Judges by the key that was fetched for this message.
    fn fetched(
        &self,
        named: Option<&[u8]>,
        chunks: &Chunks<'_>,
        givens: &Givens,
        message: &Message<'_>,
    ) -> Result<Arc<str>, Refusal> {
        let certificate = match &self.candidate.certificate {
            Some(certificate) => Some(certificate.url(message)?),
            None => None,
        };
        let named = named.and_then(|name| std::str::from_utf8(name).ok());
        let name = certificate.as_deref().or(named);
        let mut is_missing = false;
        let text = whole(chunks);
        let (algorithm, form) = (self.candidate.algorithm(), self.candidate.ecdsa);
        for remote in self.ring.remotes.iter().filter(|remote| remote.is_active(self.now)) {
            let keys = remote.keys.get(name);
            // A set that is here says of every other name that there is no such key.
            is_missing |= keys.is_empty() && (certificate.is_some() || remote.keys.is_empty());
            for given in givens.iter().filter(|given| given.candidate == self.number) {
                let holds = |key: &NamedKey| key.verifies(algorithm, form, &text, &given.signature);
                if keys.iter().any(|key| holds(key)) {
                    return Ok(Arc::clone(&remote.id));
                }
            }
        }
        let unavailable = Refusal::new(Code::KeyUnavailable, "the sender's key is not here yet");
        Err(if is_missing { unavailable.retry_after(5) } else { mismatch() })
    }
}

/// The signed bytes in one piece, which public-key algorithms want.
fn whole<'a>(chunks: &'a [Cow<'_, [u8]>]) -> Cow<'a, [u8]> {
    match chunks {
        [one] => Cow::Borrowed(one),
        several => Cow::Owned(several.concat()),
    }
}
