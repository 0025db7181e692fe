//! JSON Web Signatures.

use std::{borrow::Cow, sync::Arc};

use super::{Carried, Held, Matched, Trial, content, mismatch};
use crate::{
    decision::{Code, Refusal},
    verify::{
        Algorithm, json,
        jws::{self, JoseAlgorithm},
        key::{Key, Material, NamedKey},
        scheme::{Candidate, candidate::Jws},
        source::Message,
    },
};

impl Trial<'_> {
    /// Judges the token: first that its signature holds, only then what it says.
    pub(super) fn jws(&self, rules: &Jws, message: &Message<'_>) -> Result<Held, Refusal> {
        let token = self.candidate.token(message)?;
        let payload = self.candidate.payload(message)?;
        let jws = jws::parse(&token, &rules.algorithms, payload.as_deref())?;
        self.refuse_challenge(&[Cow::Borrowed(&*jws.signing_input)])?;
        let key_id = self.key_of(&jws)?;
        let content = content::fingerprint(&jws.signing_input);
        let content_key = (!rules.reusable).then_some(content);
        // A detached payload is the message itself, and says nothing about the token.
        let carried = match payload {
            Some(_) => None,
            None => Some(Box::new(self.carried(rules, &jws.payload)?)),
        };
        Ok(Held { key_id, content_key, carried })
    }

    fn key_of(&self, jws: &jws::Jws<'_>) -> Result<Arc<str>, Refusal> {
        let algorithm = jws.algorithm.algorithm();
        let named = jws.kid.as_deref();
        let mut matched = Matched(Matched::NONE);
        for (index, key) in self.ring.keys.iter().enumerate() {
            let is_own = key.algorithm == algorithm || key.is_public();
            if is_own && key.fits(named.map(str::as_bytes), self.now) {
                matched.note(index, key.signed(algorithm, jws));
            }
        }
        if let Some(key) = matched.key(&self.ring.keys) {
            return Ok(Arc::clone(&key.id));
        }
        let holds = |key: &NamedKey| {
            key.verifies(algorithm, JoseAlgorithm::ECDSA, &jws.signing_input, &jws.signature)
        };
        let mut is_missing = false;
        for remote in self.ring.remotes.iter().filter(|remote| remote.is_active(self.now)) {
            is_missing |= remote.keys.is_empty();
            if remote.keys.get(named).iter().any(|key| holds(key)) {
                return Ok(Arc::clone(&remote.id));
            }
        }
        let unavailable = Refusal::new(Code::KeyUnavailable, "the sender's keys are not here yet");
        Err(if is_missing { unavailable.retry_after(5) } else { mismatch() })
    }

    fn carried(&self, rules: &Jws, payload: &[u8]) -> Result<Carried, Refusal> {
        let times = jws::times(payload)?;
        let pointers = &self.scheme.lookups.claims;
        let unread = || Refusal::new(Code::SignatureMalformed, "the token's payload is no JSON");
        let claims = json::extract(payload, pointers).map_err(|_| unread())?;
        for (name, number) in &rules.required {
            if !claims.get(*number).is_some_and(|found| found.reached) {
                let detail = format!("the token has no `{name}`");
                return Err(Refusal::new(Code::SignatureMismatch, detail));
            }
        }
        // Where the definition takes it for the timestamp, the tolerance judges it.
        let iat = times.iat.filter(|_| !self.is_timestamp("claim:/iat"));
        let not_before = times.nbf.max(iat);
        Ok(Carried { claims, not_before, expires_at: times.exp, ..Carried::default() })
    }
}

impl Key {
    fn is_public(&self) -> bool {
        matches!(self.material, Material::Public(_))
    }

    fn signed(&self, algorithm: Algorithm, jws: &jws::Jws<'_>) -> subtle::Choice {
        match &self.material {
            Material::Keyed(keyed) => {
                keyed.mac(&[jws.signing_input.as_ref().into()]).matches(&jws.signature)
            }
            Material::Public(key) => {
                let form = JoseAlgorithm::ECDSA;
                let holds = key.verifies(algorithm, form, &jws.signing_input, &jws.signature);
                u8::from(holds).into()
            }
            Material::Hashed(_) | Material::Token(_) => 0.into(),
        }
    }
}

impl Candidate {
    /// The payload that a token leaves out.
    pub(in crate::verify) fn payload(
        &self,
        message: &Message<'_>,
    ) -> Result<Option<Vec<u8>>, Refusal> {
        let Some(template) = &self.signed else { return Ok(None) };
        template.chunks(message).map(|chunks| Some(chunks.concat()))
    }

    /// The claims of a token whose signature has held.
    pub(in crate::verify::scheme) fn claims(
        &self,
        algorithms: &[JoseAlgorithm],
        pointers: &[json::Pointer],
        message: &Message<'_>,
    ) -> Option<Vec<json::Found>> {
        let token = self.token(message).ok()?;
        let jws = jws::parse(&token, algorithms, None).ok()?;
        json::extract(&jws.payload, pointers).ok()
    }
}
