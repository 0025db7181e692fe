//! Signatures that were made with a private key.

use std::sync::Arc;

use super::{
    NearMiss,
    search::{Search, Trial},
    spelling::Reading,
};
use crate::verify::{
    Algorithm, EcdsaForm, NamedKey, PublicKey, PublicKeys, head::Read, scheme::Candidate,
    source::Message,
};

/// More keys than this are not tried.
const MAX_KEYS: usize = 8;

impl Search<'_> {
    /// Every public key, with every algorithm and form that it has, over the message as it is.
    pub(super) fn public_keys(
        &mut self,
        candidate: &Candidate,
        plain: &Trial<'_>,
        readings: &[Reading],
        message: &Message<'_>,
    ) {
        let Some(text) = self.signed_text(plain) else { return };
        for (own, key) in self.tried_keys() {
            let Some((reading, algorithm, form)) = matching(&key, candidate, &text, readings)
            else {
                continue;
            };
            let named = candidate.key_id.as_ref().map(|source| source.read(message));
            let is_other = |name: &str| {
                named.as_ref().is_some_and(|read| *read != Read::Value(name.as_bytes().into()))
            };
            let ends = [own.expires, key.not_after].into_iter().flatten().min();
            if ends.is_some_and(|end| end <= self.now) {
                self.note(NearMiss::ExpiredKey(Arc::clone(&own.id)));
            } else if own.id_is_explicit && is_other(&own.id) {
                self.note(NearMiss::KeyId(Arc::clone(&own.id)));
            }
            if algorithm == candidate.algorithm() && form != candidate.ecdsa {
                let name = |form: EcdsaForm| match form {
                    EcdsaForm::Der => "DER",
                    EcdsaForm::Raw => "two bare numbers",
                };
                let (is, wanted) = (name(form), name(candidate.ecdsa));
                self.note(NearMiss::Spelling { is, wanted });
            }
            self.spelling(candidate, reading, algorithm);
        }
    }

    /// Whether any public key's signature is over one variant of the message.
    pub(super) fn any_public_key(
        &self,
        candidate: &Candidate,
        trial: &Trial<'_>,
        readings: &[Reading],
    ) -> bool {
        let Some(text) = self.signed_text(trial) else { return false };
        let (algorithm, form) = (candidate.algorithm(), candidate.ecdsa);
        self.tried_keys().iter().any(|(_, key)| {
            readings.iter().any(|reading| key.verifies(algorithm, form, &text, &reading.bytes))
        })
    }

    fn signed_text(&self, trial: &Trial<'_>) -> Option<Vec<u8>> {
        let found = self.scheme.look_into(trial.head, trial.body);
        let message = Message::new(trial.head, trial.body).with(&found);
        Some(trial.template.chunks(&message).ok()?.concat())
    }

    fn tried_keys(&self) -> Vec<(PublicKey, NamedKey)> {
        let mut all = Vec::new();
        for own in self.tried.public_keys {
            match &own.keys {
                PublicKeys::Known(keys) => {
                    all.extend(keys.iter().map(|key| (own.clone(), key.clone())));
                }
                PublicKeys::Remote(cell) => {
                    all.extend(cell.get(None).iter().map(|key| (own.clone(), (**key).clone())));
                }
            }
        }
        all.truncate(MAX_KEYS);
        all
    }
}

/// What reading of the signature is this key's, and as what; as it should be, if so.
fn matching<'r>(
    key: &NamedKey,
    candidate: &Candidate,
    text: &[u8],
    readings: &'r [Reading],
) -> Option<(&'r Reading, Algorithm, EcdsaForm)> {
    let others = Algorithm::ALL.iter().copied().filter(|a| *a != candidate.algorithm());
    let other_form = match candidate.ecdsa {
        EcdsaForm::Der => EcdsaForm::Raw,
        EcdsaForm::Raw => EcdsaForm::Der,
    };
    for reading in readings {
        for algorithm in std::iter::once(candidate.algorithm()).chain(others.clone()) {
            for form in [candidate.ecdsa, other_form] {
                if key.verifies(algorithm, form, text, &reading.bytes) {
                    return Some((reading, algorithm, form));
                }
            }
        }
    }
    None
}
