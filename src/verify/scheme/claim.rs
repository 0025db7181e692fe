//! What the head claims, judged before the body is read.

use smallvec::SmallVec;

use super::{Candidate, Means, Scheme, candidate::Givens};
use crate::{
    clock::UnixMs,
    decision::{Code, Refusal},
    verify::{
        Head,
        head::Read,
        httpsig,
        source::{Message, Source},
        template::{Role, ValuePart, refuse},
        time::Unit,
    },
};

/// What the head claims: signatures, timestamp and id, each there once and well formed.
///
/// What stands in the body is claimed by nothing yet and judged with the signature.
#[derive(Debug)]
pub struct Claim {
    /// The group of candidates that the message belongs to.
    pub(super) group: usize,
    /// Signatures that stand in the head, decoded.
    pub(super) givens: Givens,
    /// The timestamp, where it stands in the head.
    pub(super) at: Option<UnixMs>,
}

impl Scheme {
    /// Judges what the head claims, before the body is read.
    ///
    /// # Errors
    ///
    /// Missing, malformed or repeated parts, in this order of precedence: an ambiguous header, the
    /// signature, the timestamp, an id or other part of what is signed.
    pub fn claim(&self, head: Head<'_>) -> Result<Claim, Refusal> {
        let group = self.group_of(head);
        let message = Message::new(head, &[]);
        let givens = self.claim_signatures(group, &message)?;
        let mut claim = Claim { group, givens, at: None };
        let Some(parts) = self.groups.get(group) else { return Ok(claim) };
        if let Some((source, unit)) = &parts.timestamp
            && !source.is_in_body()
            && !source.is_in_proof()
        {
            claim.at = Some(read_time(source, *unit, &message)?);
        }
        for source in parts.ids.iter().chain(&parts.kinds) {
            // Where the id is signed too, the template below demands that it is there.
            if source.is_header() && source.read(&message) == Read::Repeated {
                return Err(refuse(source, Role::Id, &Read::Repeated));
            }
        }
        for (number, candidate) in self.candidates_of(group) {
            let is_given = candidate.from.is_in_body()
                || candidate.means != Means::Signed
                || claim.givens.iter().any(|given| given.candidate == number);
            if !is_given {
                continue;
            }
            let values = candidate.signed.iter().flat_map(|template| template.values());
            let in_head = |value: &&ValuePart| !value.optional && !value.source.is_in_body();
            for value in values.filter(in_head) {
                value.read(&message)?;
            }
        }
        Ok(claim)
    }

    /// The signatures of all candidates that stand in the head; with tokens, that one is there.
    fn claim_signatures(&self, group: usize, message: &Message<'_>) -> Result<Givens, Refusal> {
        let mut givens = Givens::new();
        let mut found = false;
        let mut problems = SmallVec::<[Refusal; 1]>::new();
        for (number, candidate) in self.candidates_of(group) {
            if !candidate.applies_to_head(message.head) {
                continue;
            }
            if candidate.from.is_in_body() {
                found = true;
                continue;
            }
            let result = match &candidate.means {
                Means::Signed => candidate.gather(number, message, &mut givens),
                Means::Message(rules) => httpsig::read(message.head, rules).map(drop),
                _ => candidate.token(message).map(drop),
            };
            match result {
                Ok(()) => found = true,
                Err(problem) if problem.code == Code::AmbiguousHeader => return Err(problem),
                Err(problem) => problems.push(problem),
            }
        }
        if found {
            return Ok(givens);
        }
        // That one is malformed says more than that another is missing.
        let malformed = problems.iter().position(|p| p.code != Code::SignatureMissing);
        match malformed.or_else(|| (!problems.is_empty()).then_some(0)) {
            Some(at) => Err(problems.swap_remove(at)),
            None => Err(Refusal::new(
                Code::SignatureMissing,
                "no way of signing that the definition knows applies to this message",
            )),
        }
    }
}

impl Candidate {
    /// The one token of a message, its prefix gone; `json:` sources are read elsewhere.
    ///
    /// # Errors
    ///
    /// It is missing, there twice, or not of its form.
    pub(crate) fn token<'a>(&self, message: &Message<'a>) -> Result<Token<'a>, Refusal> {
        let value = match self.from.read(message) {
            Read::Value(value) if value.is_empty() => return Err(self.refuse(&Read::Absent)),
            Read::Value(value) => value,
            other => return Err(self.refuse(&other)),
        };
        let malformed = |what| self.refuse(&Read::Malformed(what));
        if self.from == Source::Basic {
            let decoded = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, &value);
            return decoded.map(Token::Owned).map_err(|_| malformed("is not base64"));
        }
        let super::Form::Bare { prefix } = &self.form else { return Ok(value) };
        if prefix.is_empty() {
            return Ok(value);
        }
        let bare = value.strip_prefix(prefix.as_bytes()).map(<[u8]>::to_vec);
        bare.filter(|bare| !bare.is_empty())
            .map(Token::Owned)
            .ok_or_else(|| malformed("does not begin as the provider's do"))
    }
}

/// A token as a message brings it.
pub(crate) type Token<'a> = std::borrow::Cow<'a, [u8]>;

/// Reads the timestamp.
///
/// # Errors
///
/// It is missing, there twice, or not exactly of the provider's form.
pub(super) fn read_time(
    source: &Source,
    unit: Unit,
    message: &Message<'_>,
) -> Result<UnixMs, Refusal> {
    let role = Role::Timestamp(unit);
    match source.read(message) {
        Read::Value(text) if text.is_empty() => Err(refuse(source, role, &Read::Absent)),
        Read::Value(text) => unit.read(&text).ok_or_else(|| {
            refuse(source, role, &Read::Malformed("is no timestamp of the provider's form"))
        }),
        other => Err(refuse(source, role, &other)),
    }
}
