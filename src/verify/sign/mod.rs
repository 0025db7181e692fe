//! Makes requests as a provider would: the inverse of verifying.
//!
//! Pure like the rest of the engine: time and randomness are handed in.

mod draft;
mod key;
mod place;
mod similar;
mod splice;

use http::{Method, header::HOST};

use self::{draft::Draft, place::Placer};
use super::{
    Definition, Head, Scheme, Secret,
    scheme::{Candidate, Form, Test},
    source::{Message, Source},
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
    let Some((first, secret)) = chosen.first() else { return Err(SignError::NoSecret) };
    let mut placer = Placer::new(definition, request)?;
    if let Some(source) = &first.key_id {
        placer.put("the key id", source, &secret.id)?;
    }
    if let Some((source, Test::Equals(text))) = first.when.first().map(|c| (&c.source, &c.test)) {
        placer.put("what it depends on", source, text)?;
    }
    placer.ids(scheme.ids_of(first))?;
    placer.kind(scheme.kinds_of(first));
    placer.sample_parts();
    if let Some((source, unit)) = scheme.timestamp_of(first) {
        placer.put("the timestamp", source, &unit.write(request.at))?;
    }
    for (candidate, secret) in chosen {
        let value = value_of(scheme, candidate, secret, &placer.draft)?;
        place_value(&mut placer, candidate, secret, &value)?;
    }
    let Draft { method, origin, path, query, headers, body } = placer.draft;
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

/// The signature as the provider spells it, or the token.
fn value_of(
    scheme: &Scheme,
    candidate: &Candidate,
    secret: &Secret,
    draft: &Draft,
) -> Result<String, SignError> {
    let Some(template) = &candidate.signed else {
        let key = candidate.key.decode(&secret.bytes).map_err(SignError::Secret)?;
        return String::from_utf8(key.to_vec())
            .map_err(|_| SignError::Secret("is not text".to_owned()));
    };
    let mut headers = draft.header_map().map_err(SignError::Request)?;
    if let (false, Ok(host)) = (headers.contains_key(HOST), draft.authority().parse()) {
        headers.insert(HOST, host);
    }
    let uri = draft.target().parse();
    let uri = uri.map_err(|_| SignError::Request("the path cannot be sent".to_owned()))?;
    let head = Head { method: &draft.method, uri: &uri, headers: &headers };
    let found = scheme.look_into(head, &draft.body);
    let message = Message::new(head, &draft.body).with(&found);
    let chunks = template.chunks(&message).map_err(SignError::Unsignable)?;
    Ok(candidate.encoding.encode(&key::sign(candidate, secret, template, &chunks)?))
}

fn place_value(
    placer: &mut Placer<'_>,
    candidate: &Candidate,
    secret: &Secret,
    value: &str,
) -> Result<(), SignError> {
    let text = match &candidate.form {
        Form::Bare { prefix } | Form::List { prefix, element: None, .. } => {
            format!("{prefix}{value}")
        }
        Form::List { element: Some(element), .. } => {
            let (first, second) =
                if element.key_id_first { (&*secret.id, value) } else { (value, &*secret.id) };
            format!("{}{first}{}{second}{}", element.before, element.between, element.after)
        }
        Form::Pairs { split, keys, prefix } => {
            let key = keys.first().map_or("", AsRef::as_ref);
            if let Source::Header(header) = &candidate.from {
                placer.element(header, key, &format!("{prefix}{value}"), split);
                return Ok(());
            }
            format!("{key}{}{prefix}{value}", split.assign)
        }
    };
    placer.put("the signature", &candidate.from, &text)
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
