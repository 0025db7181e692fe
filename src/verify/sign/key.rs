//! What a candidate's signature is made with.

use super::SignError;
use crate::verify::{
    Secret, SigningKey,
    algorithm::{Algorithm, EcdsaForm},
    key::{Hashed, Keyed},
    scheme::Candidate,
    template::{Chunks, Template},
};

/// What a candidate's signature is made with.
enum Signer {
    Hashed(Hashed),
    Keyed(Keyed),
    Private(SigningKey),
}

/// Whether the candidate's signature can be made with this secret.
pub(super) fn fits(candidate: &Candidate, secret: &Secret) -> bool {
    if !candidate.is_asymmetric() {
        return !looks_private(&secret.bytes) && candidate.key.decode(&secret.bytes).is_ok();
    }
    SigningKey::read(&secret.bytes).is_ok_and(|key| chosen(candidate, &key).is_some())
}

/// The first of the candidate's algorithms that a private key can sign with.
fn chosen(candidate: &Candidate, key: &SigningKey) -> Option<Algorithm> {
    let public = key.verifying_key()?;
    // SHA-1 with RSA is the one algorithm that is verified here and never signed with.
    let fits = |algorithm: &Algorithm| *algorithm != Algorithm::RsaSha1 && public.fits(*algorithm);
    candidate.algorithms.iter().copied().find(fits)
}

/// The algorithm that the candidate's proof is made with under this secret.
pub(super) fn algorithm(candidate: &Candidate, secret: &Secret) -> Algorithm {
    let key = SigningKey::read(&secret.bytes).ok().filter(|_| candidate.is_asymmetric());
    key.and_then(|key| chosen(candidate, &key)).unwrap_or_else(|| candidate.algorithm())
}

/// Signs bytes by the candidate's algorithm; ECDSA signatures are two numbers at full width.
pub(super) fn sign_bytes(
    candidate: &Candidate,
    secret: &Secret,
    bytes: &[u8],
) -> Result<Vec<u8>, SignError> {
    let algorithm = algorithm(candidate, secret);
    match Signer::new(candidate, secret)? {
        Signer::Keyed(keyed) => Some(keyed.mac(&[bytes.into()]).as_slice().to_vec()),
        Signer::Private(key) => key.sign(algorithm, EcdsaForm::Raw, bytes),
        Signer::Hashed(_) => None,
    }
    .ok_or_else(|| SignError::Secret(format!("cannot sign with {algorithm}")))
}

/// Signs what the template stands for.
pub(super) fn sign(
    candidate: &Candidate,
    secret: &Secret,
    template: &Template,
    chunks: &Chunks<'_>,
) -> Result<Vec<u8>, SignError> {
    let algorithm = candidate.algorithm();
    Ok(match Signer::new(candidate, secret)? {
        Signer::Hashed(hashed) => hashed.digest(chunks, template.secret_at()).as_slice().to_vec(),
        Signer::Keyed(keyed) => keyed.mac(chunks).as_slice().to_vec(),
        Signer::Private(key) => key
            .sign(algorithm, candidate.ecdsa, &chunks.concat())
            .ok_or_else(|| SignError::Secret(format!("cannot sign with {algorithm}")))?,
    })
}

impl Signer {
    fn new(candidate: &Candidate, secret: &Secret) -> Result<Self, SignError> {
        let algorithm = candidate.algorithm();
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
