//! The keys of a case.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Deserialize;

use crate::verify::{
    Credentials, NamedKey, Origin, PublicKey, PublicKeys, RemoteKeys, Secret, read_public_keys,
};

/// `public_key`.
#[derive(Deserialize)]
pub(super) struct RawPublicKey {
    value: serde_json::Value,
    kid: Option<String>,
    /// The URL under which a message may name it.
    served_at: Option<String>,
}

/// What a case is judged with.
///
/// # Errors
///
/// That its public key is none.
pub(super) fn credentials<'c>(
    secrets: impl Iterator<Item = &'c String>,
    public_key: Option<&RawPublicKey>,
    key_id: Option<&str>,
) -> Result<Credentials, String> {
    let secrets = secrets.enumerate();
    let secrets = secrets.map(|(n, text)| {
        // Bytes that are no text are marked as such.
        let bytes = text.strip_prefix("base64:").and_then(|text| BASE64_STANDARD.decode(text).ok());
        Secret::new(&format!("secret-{}", n + 1), bytes.as_deref().unwrap_or(text.as_bytes()))
    });
    let mut credentials = Credentials { secrets: secrets.collect(), ..Credentials::default() };
    if let (Some(id), Some(first)) = (key_id, credentials.secrets.first_mut()) {
        first.id = id.into();
        first.id_is_explicit = true;
    }
    let Some(raw) = public_key else { return Ok(credentials) };
    // A JWK may stand there as an object, or as its text.
    let text = raw.value.as_str().map_or_else(|| raw.value.to_string(), str::to_owned);
    let keys = read_public_keys(text.as_bytes()).map_err(|why| format!("public_key {why}"))?;
    let keys = keys.into_iter().map(|key| NamedKey {
        kid: raw.served_at.as_deref().or(raw.kid.as_deref()).map(Into::into).or(key.kid),
        ..key
    });
    if raw.served_at.is_some() {
        let fetched = RemoteKeys::new(Origin::Certificates);
        fetched.replace(keys.collect());
        credentials.certificates = Some(fetched);
        return Ok(credentials);
    }
    credentials.public_keys.push(PublicKey {
        id: key_id.unwrap_or("public-key").into(),
        id_is_explicit: key_id.is_some(),
        expires: None,
        keys: PublicKeys::Known(keys.collect()),
    });
    Ok(credentials)
}
