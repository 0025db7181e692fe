//! Makes requests as a provider would: the inverse of verifying.
//!
//! Pure like the rest of the engine: time and randomness are handed in.

mod document;
mod draft;
mod key;
mod message;
mod place;
mod proof;
mod similar;
mod splice;
mod token;

use http::Method;

use self::{draft::Draft, place::Placer};
use super::{
    Definition, Scheme, Secret,
    scheme::{Candidate, Means},
};
use crate::{clock::UnixMs, decision::Refusal};

/// What a request is made from.
#[derive(Clone, Copy, Debug)]
pub struct SignRequest<'a> {
    /// The time at which it claims to be signed.
    pub at: UnixMs,
    /// The body; the definition's sample if there is none.
    pub body: Option<&'a [u8]>,
    /// Headers that replace whatever would be sent under their names.
    pub headers: &'a [(String, String)],
    /// The event id; a fresh one if there is none.
    pub id: Option<&'a str>,
    /// The event type; the sample's if there is none.
    pub kind: Option<&'a str>,
    /// What fresh ids are made from.
    pub seed: u64,
    /// Where it goes.
    pub url: &'a str,
}

/// A request, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedRequest {
    /// The method that the provider uses.
    pub method: Method,
    /// Where it goes, path and query included.
    pub url: String,
    /// Every header but `Content-Length`, and `Host` only if it was asked for; in order, as the
    /// provider spells them.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Why a request could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The scheme takes a secret that is not there.
    #[error("there is no secret to sign with")]
    NoSecret,
    /// A value has no place in the request.
    #[error("{what} cannot be put into `{place}`: {why}")]
    Place {
        /// What was to be put.
        what: &'static str,
        /// Where.
        place: String,
        /// Why that is impossible.
        why: String,
    },
    /// A header cannot be sent.
    #[error("{0}")]
    Request(String),
    /// The secret cannot be decoded; the text follows its name.
    #[error("the secret {0}")]
    Secret(String),
    /// What is to be signed is not there.
    #[error("this cannot be signed: {0}")]
    Unsignable(Refusal),
}

/// Makes a request as the provider would send it to a route with this scheme.
///
/// The body is the sample unless one is given; ids and types of a given body stay as they are, while
/// a timestamp or a signature that lives in the body is put there.
///
/// # Errors
///
/// What is missing, or has no place.
pub fn sign(
    definition: &Definition,
    scheme: &Scheme,
    secrets: &[Secret],
    request: &SignRequest<'_>,
) -> Result<SignedRequest, SignError> {
    let chosen = choose(scheme, secrets, request.at);
    let first = chosen.first().map(|(first, _)| *first).or_else(|| {
        let needs_none = |candidate: &&Candidate| candidate.means == Means::Nothing;
        scheme.candidates().first().filter(needs_none)
    });
    let Some(first) = first else { return Err(SignError::NoSecret) };
    let mut placer = Placer::new(definition, request)?;
    if let (Some(source), Some((_, secret))) = (&first.key_id, chosen.first()) {
        placer.put("the key id", source, &secret.id)?;
    }
    placer.conditions(&first.when)?;
    placer.bindings(&first.bindings);
    let ids = scheme.ids_of(first).iter().flat_map(|source| token::behind(first, source));
    placer.ids(&ids.collect::<Vec<_>>())?;
    placer.kind(scheme.kinds_of(first));
    placer.sample_parts();
    if let Some((source, unit)) = scheme.timestamp_of(first)
        && !source.is_in_proof()
    {
        placer.put("the timestamp", source, &unit.write(request.at))?;
    }
    for (candidate, secret) in chosen {
        proof::put(scheme, candidate, secret, &mut placer)?;
    }
    let Draft { method, origin, path, query, headers, body, .. } = placer.draft;
    let mark = if query.is_empty() { "" } else { "?" };
    Ok(SignedRequest { method, url: format!("{origin}{path}{mark}{query}"), headers, body })
}

/// The first candidate that has a secret, and those that are sent beside it because each of them
/// has a key of its own.
fn choose<'a>(
    scheme: &'a Scheme,
    secrets: &'a [Secret],
    at: UnixMs,
) -> Vec<(&'a Candidate, &'a Secret)> {
    let mut chosen: Vec<(&Candidate, &Secret)> = Vec::new();
    let usual = secrets.iter().find(|secret| secret.is_active(at)).or(secrets.first());
    let all = scheme.candidates().iter().filter_map(|candidate| {
        Some((candidate, candidate.key_slot.map_or(usual, |slot| secrets.get(slot))?))
    });
    // Where none fits, what is wrong with the secret is said of the first.
    let any_fits = all.clone().any(|(candidate, secret)| key::fits(candidate, secret));
    for (candidate, secret) in all {
        if any_fits && !key::fits(candidate, secret) {
            continue;
        }
        let beside = chosen.first().is_none_or(|(first, _)| {
            first.key_slot.is_some()
                && candidate.key_slot.is_some()
                && first.group == candidate.group
        });
        if beside {
            chosen.push((candidate, secret));
        }
    }
    chosen
}

impl SignedRequest {
    /// Path and query.
    pub fn target(&self) -> &str {
        self.split().1
    }

    /// Host and port.
    pub fn authority(&self) -> &str {
        self.split().0
    }

    /// Whether there is such a header, in any case.
    pub fn has_header(&self, name: &str) -> bool {
        self.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name))
    }

    fn split(&self) -> (&str, &str) {
        let rest = self.url.split_once("://").map_or(self.url.as_str(), |(_, rest)| rest);
        rest.find('/').and_then(|at| rest.split_at_checked(at)).unwrap_or((rest, "/"))
    }
}
