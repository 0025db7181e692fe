//! HTTP message signatures.

use std::sync::Arc;

use subtle::Choice;

use super::{Carried, Held, Matched, Trial, content, mismatch};
use crate::{
    decision::{Code, Refusal},
    verify::{
        Algorithm, EcdsaForm,
        httpsig::{self, Input, Parameters, Rules},
        key::{Key, Material, NamedKey},
        source::Message,
    },
};

impl Trial<'_> {
    /// Judges the signatures that cover what they must; one that holds suffices.
    pub(super) fn message(&self, rules: &Rules, message: &Message<'_>) -> Result<Held, Refusal> {
        let inputs = httpsig::read(message.head, rules)?;
        let mut problem = None;
        for input in &inputs {
            match self.input(rules, input) {
                Ok(key_id) => {
                    // What is signed is the digest; that it is the body's is another matter.
                    if input.covers_digest() {
                        httpsig::digests_hold(message.head, message.body)?;
                    }
                    let content_key = Some(content::fingerprint(&input.base));
                    let mut carried = Carried::of(&input.parameters);
                    if self.is_timestamp("param:created") {
                        // The tolerance judges it.
                        carried.not_before = None;
                    }
                    return Ok(Held { key_id, content_key, carried: Some(Box::new(carried)) });
                }
                Err(refusal) => problem = problem.or(Some(refusal)),
            }
        }
        Err(problem.unwrap_or_else(mismatch))
    }

    fn input(&self, rules: &Rules, input: &Input) -> Result<Arc<str>, Refusal> {
        let named = input.parameters.keyid.as_deref();
        let is_said =
            |algorithm: &Algorithm| input.parameters.alg.is_none_or(|said| said == *algorithm);
        let algorithms: Vec<_> = rules.algorithms.iter().copied().filter(is_said).collect();
        let mut matched = Matched(Matched::NONE);
        for (index, key) in self.ring.keys.iter().enumerate() {
            if key.fits(named.map(str::as_bytes), self.now) {
                matched.note(index, key.holds(&algorithms, input));
            }
        }
        if let Some(key) = matched.key(&self.ring.keys) {
            return Ok(Arc::clone(&key.id));
        }
        let mut is_missing = false;
        for remote in self.ring.remotes.iter().filter(|remote| remote.is_active(self.now)) {
            is_missing |= remote.keys.is_empty();
            if remote.keys.get(named).iter().any(|key| verifies(key, &algorithms, input)) {
                return Ok(Arc::clone(&remote.id));
            }
        }
        let unavailable = Refusal::new(Code::KeyUnavailable, "the sender's keys are not here yet");
        Err(if is_missing { unavailable.retry_after(5) } else { mismatch() })
    }
}

impl Key {
    fn holds(&self, algorithms: &[Algorithm], input: &Input) -> Choice {
        match &self.material {
            Material::Keyed(keyed) if algorithms.contains(&self.algorithm) => {
                keyed.mac(&[input.base.as_slice().into()]).matches(&input.signature)
            }
            Material::Public(key) => u8::from(verifies(key, algorithms, input)).into(),
            _ => 0.into(),
        }
    }
}

fn verifies(key: &NamedKey, algorithms: &[Algorithm], input: &Input) -> bool {
    let verifies = |algorithm: &Algorithm| {
        key.verifies(*algorithm, EcdsaForm::Raw, &input.base, &input.signature)
    };
    algorithms.iter().any(verifies)
}

impl Carried {
    /// What a message signature says of itself.
    pub(in crate::verify::scheme) fn of(parameters: &Parameters) -> Self {
        Self {
            params: parameters.texts(),
            not_before: parameters.created,
            expires_at: parameters.expires,
            ..Self::default()
        }
    }
}
