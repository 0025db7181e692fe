//! Reads a token without believing it.

use std::borrow::Cow;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::JoseAlgorithm;
use crate::{
    decision::{Code, Refusal},
    verify::json::parse_strict,
};

/// The longest token, in bytes; those of identity providers have up to about 4 KiB.
pub(crate) const MAX_TOKEN: usize = 16 * 1024;

/// The longest key id, in bytes.
const MAX_KID: usize = 256;

/// A token taken apart. Nothing in it is true before its signature holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Jws<'t> {
    /// What its header says, which is one of those allowed.
    pub(crate) algorithm: JoseAlgorithm,
    /// The key that it names.
    pub(crate) kid: Option<Box<str>>,
    /// What its signature must hold over.
    pub(crate) signing_input: Cow<'t, [u8]>,
    /// What it carries; empty where the payload is detached.
    pub(crate) payload: Vec<u8>,
    /// At least one byte.
    pub(crate) signature: Vec<u8>,
}

/// Why a token is none that could be verified; to be read after its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotJws {
    /// It is no compact JWS.
    Malformed(&'static str),
    /// It is one, and asks for something that is not allowed.
    Refused(&'static str),
}

impl From<NotJws> for Refusal {
    fn from(problem: NotJws) -> Self {
        match problem {
            NotJws::Malformed(what) => Self::new(Code::SignatureMalformed, what),
            NotJws::Refused(what) => Self::new(Code::SignatureMismatch, what),
        }
    }
}

/// Takes a token apart.
///
/// With `detached`, these bytes are the payload and the token's own must be empty (RFC 7515,
/// appendix F): one that brought its own would say nothing about the message.
///
/// # Errors
///
/// It is no compact JWS, or its header is one that is refused.
pub(crate) fn parse<'t>(
    token: &'t [u8],
    allowed: &[JoseAlgorithm],
    detached: Option<&[u8]>,
) -> Result<Jws<'t>, NotJws> {
    if token.len() > MAX_TOKEN {
        return Err(NotJws::Malformed("a token of more than 16 KiB"));
    }
    let mut parts = token.split(|byte| *byte == b'.');
    let (Some(header), Some(payload), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(NotJws::Malformed("not three parts with dots between them"));
    };
    let (algorithm, kid) = read_header(&decode(header)?, allowed)?;
    let signature = decode(signature)?;
    if signature.is_empty() {
        return Err(NotJws::Malformed("a token without a signature"));
    }
    let (signing_input, payload) = match detached {
        None if payload.is_empty() => return Err(NotJws::Malformed("a token without a payload")),
        None => {
            let signed = token.get(..header.len() + 1 + payload.len()).unwrap_or_default();
            (Cow::Borrowed(signed), decode(payload)?)
        }
        Some(_) if !payload.is_empty() => {
            return Err(NotJws::Refused("a payload where the message itself must be the payload"));
        }
        Some(bytes) => (Cow::Owned(super::build::signing_input(header, bytes)), Vec::new()),
    };
    Ok(Jws { algorithm, kid, signing_input, payload, signature })
}

/// Strict: no padding, no other alphabet, no bits left over that somebody could change.
fn decode(part: &[u8]) -> Result<Vec<u8>, NotJws> {
    BASE64_URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| NotJws::Malformed("a part that is not base64url without padding"))
}

/// Members that bring a key, name one to be fetched, or change the meaning of the rest. A verifier
/// may ignore the first four (RFC 7515, section 4.1), but no honest sender needs them where the
/// receiver's configuration says which keys there are.
const REFUSED: &[(&str, &str)] = &[
    ("jwk", "a header that brings its own key (`jwk`)"),
    ("jku", "a header that says where to fetch a key (`jku`)"),
    ("x5c", "a header that brings its own certificate (`x5c`)"),
    ("x5u", "a header that says where to fetch a certificate (`x5u`)"),
    ("crit", "a header with extensions that must be understood (`crit`)"),
    ("b64", "a header that changes how the payload is signed (`b64`)"),
    ("zip", "a header that says the payload is compressed (`zip`)"),
];

fn read_header(
    header: &[u8],
    allowed: &[JoseAlgorithm],
) -> Result<(JoseAlgorithm, Option<Box<str>>), NotJws> {
    let Ok(Value::Object(header)) = parse_strict(header) else {
        return Err(NotJws::Malformed("a header that is no JSON object, or has a member twice"));
    };
    if let Some((_, what)) = REFUSED.iter().find(|(name, _)| header.contains_key(*name)) {
        return Err(NotJws::Refused(what));
    }
    let Some(Value::String(name)) = header.get("alg") else {
        return Err(NotJws::Malformed("a header without `alg`"));
    };
    let algorithm = JoseAlgorithm::parse(name).filter(|algorithm| allowed.contains(algorithm));
    let Some(algorithm) = algorithm else {
        return Err(NotJws::Refused("an algorithm that the definition does not list"));
    };
    Ok((algorithm, read_kid(&header)?))
}

fn read_kid(header: &Map<String, Value>) -> Result<Option<Box<str>>, NotJws> {
    match header.get("kid") {
        None => Ok(None),
        Some(Value::String(kid)) if !kid.is_empty() && kid.len() <= MAX_KID => {
            Ok(Some(kid.as_str().into()))
        }
        Some(_) => Err(NotJws::Malformed("a `kid` that is no text of 1 to 256 bytes")),
    }
}
