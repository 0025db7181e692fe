//! HTTP message signatures.

use std::sync::Arc;

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
    /// Judges every signature that the rules admit: first that one holds, then that the body is the
    /// one whose digest it covers.
    pub(super) fn message(&self, rules: &Rules, message: &Message<'_>) -> Result<Held, Refusal> {
        let inputs = httpsig::read(message.head, rules)?;
        let mut problem = None;
        let mut held = None;
        for input in &inputs {
            match self.key_of_input(rules, input) {
                Ok(key_id) => held = held.or(Some((input, key_id))),
                Err(refusal) if refusal.code == Code::KeyUnavailable => problem = Some(refusal),
                Err(_) => {}
            }
        }
        let Some((input, key_id)) = held else { return Err(problem.unwrap_or_else(mismatch)) };
        if input.covers_digest() {
            httpsig::digests_hold(message.head, message.body)?;
        }
        let content_key = Some(content::fingerprint(&input.base));
        let carried = Some(Box::new(Carried::of(&input.parameters)));
        Ok(Held { key_id, content_key, carried })
    }

    fn key_of_input(&self, rules: &Rules, input: &Input) -> Result<Arc<str>, Refusal> {
        let named = input.parameters.keyid.as_deref();
        let algorithms = match &input.parameters.alg {
            Some(alg) => std::slice::from_ref(alg),
            None => &rules.algorithms,
        };
        let mut matched = Matched(Matched::NONE);
        for (index, key) in self.ring.keys.iter().enumerate() {
            if key.fits(named.map(str::as_bytes), self.now) {
                matched.note(index, key.signed_input(algorithms, input));
            }
        }
        if let Some(key) = matched.key(&self.ring.keys) {
            return Ok(Arc::clone(&key.id));
        }
        for remote in self.ring.remotes.iter().filter(|remote| remote.is_active(self.now)) {
            let keys = remote.keys.get(named);
            if remote.keys.is_empty() {
                let what = "the sender's keys are not here yet";
                return Err(Refusal::new(Code::KeyUnavailable, what).retry_after(5));
            }
            if keys.iter().any(|key| holds(key, algorithms, input)) {
                return Ok(Arc::clone(&remote.id));
            }
        }
        Err(mismatch())
    }
}

impl Key {
    fn signed_input(&self, algorithms: &[Algorithm], input: &Input) -> subtle::Choice {
        match &self.material {
            Material::Keyed(keyed) if algorithms.contains(&self.algorithm) => {
                keyed.mac(&[input.base.as_slice().into()]).matches(&input.signature)
            }
            Material::Public(key) => u8::from(holds(key, algorithms, input)).into(),
            Material::Hashed(_) | Material::Keyed(_) | Material::Token(_) => 0.into(),
        }
    }
}

fn holds(key: &NamedKey, algorithms: &[Algorithm], input: &Input) -> bool {
    // ECDSA signatures are two numbers at full width (RFC 9421, section 3.3.4).
    let form = EcdsaForm::Raw;
    algorithms.iter().any(|alg| key.verifies(*alg, form, &input.base, &input.signature))
}

impl Carried {
    fn of(parameters: &Parameters) -> Self {
        Self {
            params: parameters.texts(),
            not_before: parameters.created,
            expires_at: parameters.expires,
            ..Self::default()
        }
    }
}
