//! Signs requests by RFC 9421, as a provider would.

use super::{SignError, key, place::Placer, proof::with_message};
use crate::verify::{
    Scheme, Secret,
    httpsig::{self, Component, Parameters, Rules},
    scheme::Candidate,
};

/// The label of the one signature.
const LABEL: &str = "sig1";

/// Adds digest and signature.
pub(super) fn sign(
    placer: &mut Placer<'_>,
    scheme: &Scheme,
    candidate: &Candidate,
    rules: &Rules,
    secret: &Secret,
) -> Result<(), SignError> {
    let one_set = rules.one_of.first().into_iter().flatten();
    let components: Vec<_> = rules.required.iter().chain(one_set).cloned().collect();
    if components.contains(&Component::CONTENT_DIGEST) {
        let digest = httpsig::content_digest(&placer.draft.body);
        placer.draft.header("Content-Digest", digest);
    }
    let parameters = Parameters {
        alg: Some(key::algorithm(candidate, secret)),
        created: Some(placer.at()),
        expires: None,
        keyid: Some((&*secret.id).into()),
        nonce: Some(placer.nonce().into()),
        tag: None,
    };
    let unsigned = with_message(scheme, &placer.draft, |message| {
        let origin = rules.origin.as_ref();
        httpsig::prepare(message.head, origin, LABEL, &components, &parameters)
            .map_err(SignError::Unsignable)
    })?;
    let signature = key::sign_bytes(candidate, secret, &unsigned.base)?;
    placer.draft.header("Signature-Input", unsigned.input());
    placer.draft.header("Signature", unsigned.signature(&signature));
    Ok(())
}
