//! Makes tokens as a provider would.

use serde_json::{Map, Value};

use super::{SignError, key, place::Placer, proof::with_message};
use crate::verify::{
    Scheme, Secret,
    json::Pointer,
    jws::{self, JoseAlgorithm},
    scheme::{Candidate, Jws},
    source::{Message, Source},
};

/// How long a token holds, in seconds.
const LIFETIME_SECS: i64 = 300;

/// Where the value of an id stands that is a claim: in what the claim must be equal to.
pub(super) fn behind(candidate: &Candidate, source: &Source) -> Vec<Source> {
    let bound = candidate.bindings.iter().filter(|binding| binding.source == *source);
    let values = bound.flat_map(|binding| binding.templates()).flat_map(|t| t.values());
    let mut sources: Vec<_> = values.map(|value| value.source.clone()).collect();
    if sources.is_empty() {
        sources.push(source.clone());
    }
    sources
}

/// A token for the message as it is so far.
pub(super) fn make(
    scheme: &Scheme,
    candidate: &Candidate,
    rules: &Jws,
    secret: &Secret,
    placer: &mut Placer<'_>,
) -> Result<String, SignError> {
    let fresh = placer.claims(scheme.ids_of(candidate), scheme.kinds_of(candidate));
    let at = placer.at();
    let payload = with_message(scheme, &placer.draft, |message| {
        if let Some(template) = &candidate.signed {
            let chunks = template.chunks(message).map_err(SignError::Unsignable)?;
            return Ok(chunks.concat());
        }
        let mut claims = Claims::default();
        claims.times(rules, at.secs());
        if let Some((Source::Claim(pointer, _), unit)) = scheme.timestamp_of(candidate) {
            let text = unit.write(at);
            claims.put(pointer, serde_json::from_str(&text).unwrap_or(Value::String(text)));
        }
        for (pointer, text) in fresh {
            claims.put(&pointer, Value::String(text));
        }
        claims.bound(candidate, message)?;
        Ok(Value::Object(claims.0).to_string().into_bytes())
    })?;
    let algorithm = key::algorithm(candidate, secret);
    let named = rules.algorithms.iter().copied().find(|own| own.algorithm() == algorithm);
    let draft = jws::Draft {
        algorithm: named.unwrap_or(JoseAlgorithm::Hs256),
        kid: secret.id_is_explicit.then_some(&*secret.id),
        payload: &payload,
        detached: candidate.signed.is_some(),
    };
    let mut failed = None;
    let token = jws::build(&draft, |input| {
        key::sign_bytes(candidate, secret, input).map_err(|error| failed = Some(error)).ok()
    });
    token.ok_or_else(|| failed.unwrap_or(SignError::NoSecret))
}

/// What a token says.
#[derive(Default)]
struct Claims(Map<String, Value>);

impl Claims {
    /// The times that the rules demand, and when it was made.
    fn times(&mut self, rules: &Jws, now: i64) {
        self.0.insert("iat".to_owned(), now.into());
        for (name, _) in &rules.required {
            match &**name {
                "exp" => drop(self.0.insert("exp".to_owned(), (now + LIFETIME_SECS).into())),
                "nbf" => drop(self.0.insert("nbf".to_owned(), now.into())),
                _ => {}
            }
        }
    }

    /// What must be equal to something of the message.
    fn bound(&mut self, candidate: &Candidate, message: &Message<'_>) -> Result<(), SignError> {
        for binding in &candidate.bindings {
            let (Source::Claim(pointer, _), Some(expected)) =
                (&binding.source, binding.any_of.first())
            else {
                continue;
            };
            let bytes = expected.bytes(message).map_err(SignError::Unsignable)?;
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let value = match &*text {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                _ => Value::String(text),
            };
            self.put(pointer, value);
        }
        Ok(())
    }

    fn put(&mut self, pointer: &Pointer, value: Value) {
        let mut names: Vec<_> = pointer.names().flatten().collect();
        let Some(last) = names.pop() else { return };
        let mut map = &mut self.0;
        for name in names {
            let inner = map.entry(name).or_insert_with(|| Value::Object(Map::new()));
            let Value::Object(inner) = inner else { return };
            map = inner;
        }
        map.insert(last.to_owned(), value);
    }
}
