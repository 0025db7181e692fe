//! What a candidate's signature is made with.

use super::SignError;
use crate::verify::{
    Secret, SigningKey,
    algorithm::{Algorithm, EcdsaForm},
    key::{Hashed, Keyed},
    scheme::{Candidate, Means},
    template::{Chunks, Template},
};

/// What a candidate's signature is made with.
enum Signer {
    Hashed(Hashed),
    Keyed(Keyed),
    Private(SigningKey),
}

/// Whether the candidate's proof can be made with this secret.
pub(super) fn fits(candidate: &Candidate, secret: &Secret) -> bool {
    if candidate.means == Means::Nothing {
        return true;
    }
    let mut algorithms = candidate.algorithms.iter();
    algorithms.any(|algorithm| {
        fits_algorithm(secret, *algorithm)
            && (algorithm.is_asymmetric() || candidate.key.decode(&secret.bytes).is_ok())
    })
}

/// Whether a secret is one for this algorithm.
pub(super) fn fits_algorithm(secret: &Secret, algorithm: Algorithm) -> bool {
    if !algorithm.is_asymmetric() {
        return !looks_private(&secret.bytes);
    }
    let key = SigningKey::read(&secret.bytes).ok().and_then(|key| key.verifying_key());
    // The one algorithm that is verified here and never signed with.
    algorithm != Algorithm::RsaSha1 && key.is_some_and(|key| key.fits(algorithm))
}

/// Signs bytes with one of the candidate's algorithms.
pub(super) fn sign_bytes(
    candidate: &Candidate,
    secret: &Secret,
    algorithm: Algorithm,
    form: EcdsaForm,
    text: &[u8],
) -> Result<Vec<u8>, SignError> {
    Ok(match Signer::new(candidate, secret, algorithm)? {
        Signer::Private(key) => key
            .sign(algorithm, form, text)
            .ok_or_else(|| SignError::Secret(format!("cannot sign with {algorithm}")))?,
        Signer::Keyed(keyed) => keyed.mac(&[text.into()]).as_slice().to_vec(),
        Signer::Hashed(hashed) => hashed.digest(&[text.into()], None).as_slice().to_vec(),
    })
}

/// Signs what the template stands for.
pub(super) fn sign(
    candidate: &Candidate,
    secret: &Secret,
    template: &Template,
    chunks: &Chunks<'_>,
) -> Result<Vec<u8>, SignError> {
    let algorithm = candidate.algorithm();
    Ok(match Signer::new(candidate, secret, algorithm)? {
        Signer::Hashed(hashed) => hashed.digest(chunks, template.secret_at()).as_slice().to_vec(),
        Signer::Keyed(keyed) => keyed.mac(chunks).as_slice().to_vec(),
        Signer::Private(key) => key
            .sign(algorithm, candidate.ecdsa, &chunks.concat())
            .ok_or_else(|| SignError::Secret(format!("cannot sign with {algorithm}")))?,
    })
}

impl Signer {
    fn new(
        candidate: &Candidate,
        secret: &Secret,
        algorithm: Algorithm,
    ) -> Result<Self, SignError> {
        if algorithm.is_asymmetric() {
            let key = SigningKey::read(&secret.bytes).map_err(SignError::Secret)?;
            return Ok(Self::Private(key));
        }
        let key = candidate.key.decode(&secret.bytes).map_err(SignError::Secret)?;
        let keyed = Keyed::new(algorithm, &key).map(Self::Keyed);
        let made = keyed.or_else(|| Hashed::new(algorithm, &key).map(Self::Hashed));
        made.ok_or_else(|| SignError::Secret(format!("cannot sign with {algorithm}")))
    }
}

/// Whether a secret is written as private keys are.
fn looks_private(secret: &[u8]) -> bool {
    let text = secret.trim_ascii_start();
    [&b"-----BEGIN "[..], b"whsk_"].iter().any(|start| text.starts_with(start))
}
