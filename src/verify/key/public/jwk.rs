//! JSON Web Keys and sets of them (RFC 7517; RFC 8037 for Ed25519).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::{
    NamedKey,
    verifying::{Curve, VerifyingKey},
};
use crate::verify::{algorithm::Algorithm, json::parse_strict};

/// The members of one key.
pub(super) type Members = Map<String, Value>;

/// Most keys of a set.
const MAX_KEYS: usize = 256;

/// Why a key is not taken.
enum Not {
    /// It is for something else, or damaged: the others of its set may still be good.
    Usable(String),
    /// It must not be where it is.
    Public(String),
}

/// Reads one key or a set.
pub(super) fn public_keys(json: &[u8]) -> Result<Vec<NamedKey>, String> {
    let value = object(json)?;
    let Some(keys) = value.get("keys") else {
        let key = public_key(&value).map_err(|(Not::Usable(text) | Not::Public(text))| text)?;
        return Ok(vec![key]);
    };
    let keys = keys.as_array().ok_or_else(|| "is a JWKS whose `keys` is no array".to_owned())?;
    if keys.len() > MAX_KEYS {
        return Err(format!("is a JWKS of {} keys; at most {MAX_KEYS} are taken", keys.len()));
    }
    let mut taken = Vec::new();
    let mut first_not = None;
    for key in keys {
        let read = key.as_object().ok_or_else(|| Not::Usable("is no object".to_owned()));
        match read.and_then(public_key) {
            Ok(key) => taken.push(key),
            Err(Not::Public(text)) => return Err(format!("is a JWKS with a key that {text}")),
            Err(Not::Usable(text)) => first_not = first_not.or(Some(text)),
        }
    }
    match (taken.is_empty(), first_not) {
        (false, _) => Ok(taken),
        (true, None) => Err("is a JWKS without keys".to_owned()),
        (true, Some(why)) => Err(format!("is a JWKS without a usable key: the first {why}")),
    }
}

/// Reads the members of a JSON object; no member twice.
pub(super) fn object(json: &[u8]) -> Result<Members, String> {
    match parse_strict(json) {
        Ok(Value::Object(members)) => Ok(members),
        // What the parser says could show a piece of a private key.
        _ => Err("is no JSON object, as JWK and JWKS are".to_owned()),
    }
}

/// A member that is text.
pub(super) fn text<'m>(members: &'m Members, name: &str) -> Option<&'m str> {
    members.get(name).and_then(Value::as_str)
}

/// A member that is base64url without padding.
pub(super) fn bytes(members: &Members, name: &str) -> Result<Zeroizing<Vec<u8>>, String> {
    text(members, name)
        .and_then(|value| URL_SAFE_NO_PAD.decode(value).ok())
        .map(Zeroizing::new)
        .ok_or_else(|| format!("is a JWK whose `{name}` is missing or no base64url"))
}

fn public_key(members: &Members) -> Result<NamedKey, Not> {
    let usable = |text: &str| Not::Usable(text.to_owned());
    let kind = text(members, "kty").ok_or_else(|| usable("is a JWK without `kty`"))?;
    if members.contains_key("d") || members.contains_key("k") {
        return Err(Not::Public("is a private key; only its public part belongs here".to_owned()));
    }
    match members.get("use") {
        None => {}
        Some(Value::String(name)) if name == "sig" => {}
        Some(_) => return Err(usable("is a JWK whose `use` is not \"sig\"")),
    }
    match members.get("key_ops") {
        None => {}
        Some(Value::Array(all)) if all.iter().any(|op| op == "verify") => {}
        Some(_) => return Err(usable("is a JWK whose `key_ops` does not name \"verify\"")),
    }
    let key = key(kind, members).map_err(Not::Usable)?;
    let algorithm = match members.get("alg") {
        None => None,
        Some(alg) => {
            let known = alg.as_str().and_then(algorithm_of).filter(|a| key.fits(*a));
            let known = known.ok_or_else(|| usable("is a JWK whose `alg` does not fit it"))?;
            Some(known)
        }
    };
    let kid = match members.get("kid") {
        None => None,
        Some(Value::String(kid)) => Some(kid.as_str().into()),
        Some(_) => return Err(usable("is a JWK whose `kid` is no text")),
    };
    Ok(NamedKey { kid, algorithm, not_after: None, key })
}

fn key(kind: &str, members: &Members) -> Result<VerifyingKey, String> {
    match (kind, text(members, "crv")) {
        ("OKP", Some("Ed25519")) => VerifyingKey::ed25519(&bytes(members, "x")?),
        ("EC", Some("P-256")) => VerifyingKey::ec(Curve::P256, &point(members, 32)?),
        ("EC", Some("P-384")) => VerifyingKey::ec(Curve::P384, &point(members, 48)?),
        ("RSA", _) => VerifyingKey::rsa_numbers(&bytes(members, "n")?, &bytes(members, "e")?),
        _ => Err("is a JWK of another type than Ed25519, P-256, P-384 and RSA".to_owned()),
    }
}

/// The uncompressed point; both coordinates at full width (RFC 7518, section 6.2.1.2).
pub(super) fn point(members: &Members, width: usize) -> Result<Vec<u8>, String> {
    let mut point = vec![4];
    for name in ["x", "y"] {
        let coordinate = bytes(members, name)?;
        if coordinate.len() != width {
            return Err(format!("is a JWK whose `{name}` does not have {width} bytes"));
        }
        point.extend_from_slice(&coordinate);
    }
    Ok(point)
}

/// The algorithm of a name in JOSE (RFC 7518, section 3.1; RFC 8037; RFC 9864).
fn algorithm_of(name: &str) -> Option<Algorithm> {
    Some(match name {
        "ES256" => Algorithm::EcdsaP256Sha256,
        "ES384" => Algorithm::EcdsaP384Sha384,
        "EdDSA" | "Ed25519" => Algorithm::Ed25519,
        "PS256" => Algorithm::RsaPssSha256,
        "PS384" => Algorithm::RsaPssSha384,
        "PS512" => Algorithm::RsaPssSha512,
        "RS256" => Algorithm::RsaSha256,
        "RS384" => Algorithm::RsaSha384,
        "RS512" => Algorithm::RsaSha512,
        _ => return None,
    })
}
