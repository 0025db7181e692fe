//! Writes tokens as senders do.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use super::JoseAlgorithm;

/// What a token is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draft<'d> {
    pub(crate) algorithm: JoseAlgorithm,
    pub(crate) kid: Option<&'d str>,
    pub(crate) payload: &'d [u8],
    /// The payload is left out, because it stands elsewhere in the message.
    pub(crate) detached: bool,
}

/// Writes a token; `None` where `sign`, which is given the signing input, makes no signature.
pub(crate) fn build(
    draft: &Draft<'_>,
    sign: impl FnOnce(&[u8]) -> Option<Vec<u8>>,
) -> Option<String> {
    let mut header = serde_json::json!({ "alg": draft.algorithm.as_str() });
    if let Some(header) = header.as_object_mut() {
        if !draft.detached {
            header.insert("typ".to_owned(), "JWT".into());
        }
        if let Some(kid) = draft.kid {
            header.insert("kid".to_owned(), kid.into());
        }
    }
    let header = BASE64_URL_SAFE_NO_PAD.encode(header.to_string());
    let mut token = signing_input(header.as_bytes(), draft.payload);
    let signature = BASE64_URL_SAFE_NO_PAD.encode(sign(&token)?);
    if draft.detached {
        token.truncate(header.len() + 1);
    }
    token.push(b'.');
    token.extend_from_slice(signature.as_bytes());
    String::from_utf8(token).ok()
}

/// An encoded header and a payload as they are signed (RFC 7515, section 5.1).
pub(super) fn signing_input(header: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut input = Vec::with_capacity(header.len() + 1 + payload.len().div_ceil(3) * 4);
    input.extend_from_slice(header);
    input.push(b'.');
    input.extend_from_slice(BASE64_URL_SAFE_NO_PAD.encode(payload).as_bytes());
    input
}
