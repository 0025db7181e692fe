//! What a request must be, and what it is answered with.

use http::{
    HeaderName, HeaderValue,
    header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS},
};
use subtle::{Choice, ConstantTimeEq};

use super::{
    MAX_ANSWER, Reply,
    call::Call,
    grammar::Grammar,
    reply::{Text, Values},
};
use crate::{
    decision::{Code, Refusal},
    verify::{
        Algorithm,
        encoding::Encoding,
        head::Read,
        scheme::Condition,
        source::{Message, Source},
    },
};

/// What a request must be, and what it is answered with.
#[derive(Debug, Default)]
pub(super) struct Terms {
    /// All must hold; otherwise it is no such handshake.
    pub(super) when: Vec<Condition>,
    /// Each must be equal to one of its texts; otherwise the handshake is refused.
    pub(super) matches: Vec<(Source, Vec<Box<str>>)>,
    pub(super) challenge: Option<(Source, Grammar)>,
    pub(super) mac: Option<(Algorithm, Encoding)>,
    pub(super) call: Option<Call>,
    /// The challenge is a key that is offered.
    pub(super) is_capture: bool,
    pub(super) status: u16,
    pub(super) content_type: Option<HeaderValue>,
    pub(super) body: Text,
    pub(super) headers: Vec<(HeaderName, Text)>,
}

impl Terms {
    /// Whether the conditions on the head hold.
    pub(super) fn may_hold(&self, message: &Message<'_>) -> bool {
        let in_head = self.when.iter().filter(|condition| !condition.source.is_in_body());
        in_head.into_iter().all(|condition| condition.holds(message))
    }

    /// Whether a look at the bytes of the body leaves it possible that the others hold.
    pub(super) fn may_hold_of(&self, body: &[u8]) -> bool {
        !self.when.iter().any(|condition| condition.is_out_of_question(body))
    }

    /// Whether all conditions hold.
    pub(super) fn hold(&self, message: &Message<'_>) -> bool {
        self.when.iter().all(|condition| condition.holds(message))
    }

    /// The grammar of what is authenticated with the route's key.
    pub(super) fn oracle(&self) -> Option<&Grammar> {
        let (_, grammar) = self.challenge.as_ref().filter(|_| self.mac.is_some())?;
        Some(grammar)
    }

    pub(super) const fn captures(&self) -> bool {
        self.is_capture
    }

    /// Compares what must be equal, in time that does not depend on where it differs.
    ///
    /// # Errors
    ///
    /// `handshake_refused`.
    pub(super) fn compare(&self, message: &Message<'_>) -> Result<(), Refusal> {
        for (source, texts) in &self.matches {
            let Read::Value(value) = source.read(message) else {
                let what = format!("{source} is not there exactly once");
                return Err(Refusal::new(Code::HandshakeRefused, what));
            };
            let equal = texts
                .iter()
                .fold(Choice::from(0), |equal, text| equal | text.as_bytes().ct_eq(&value));
            if !bool::from(equal) {
                let what = format!("{source} is not what the route expects");
                return Err(Refusal::new(Code::HandshakeRefused, what));
            }
        }
        Ok(())
    }

    /// The one challenge.
    ///
    /// # Errors
    ///
    /// `bad_request`: missing, empty, there twice, too long, or not of its grammar.
    pub(super) fn read<'a>(
        &self,
        message: &Message<'a>,
    ) -> Result<Option<std::borrow::Cow<'a, [u8]>>, Refusal> {
        let Some((source, grammar)) = &self.challenge else { return Ok(None) };
        let bad = |what: &str| Refusal::new(Code::BadRequest, format!("{source} {what}"));
        match source.read(message) {
            Read::Value(value) if grammar.fits([&*value].into_iter()) => Ok(Some(value)),
            Read::Value(value) if value.is_empty() => Err(bad("is empty")),
            Read::Value(_) => Err(bad("is not of the form of a challenge")),
            Read::Absent => Err(bad("is missing")),
            Read::Repeated => Err(bad("is there more than once")),
            Read::Malformed(what) => Err(bad(what)),
        }
    }

    /// The answer, its places filled.
    ///
    /// # Errors
    ///
    /// `bad_request`: what the request brings cannot be repeated.
    pub(super) fn reply(&self, values: &Values<'_>) -> Result<Reply, Refusal> {
        let long = || Refusal::new(Code::BadRequest, "the answer would be longer than 1 KiB");
        let mut headers = vec![
            (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ];
        if let Some(content_type) = &self.content_type {
            headers.push((CONTENT_TYPE, content_type.clone()));
        }
        for (name, text) in &self.headers {
            let value = text.fill(values)?;
            if value.len() > MAX_ANSWER {
                return Err(long());
            }
            let value = HeaderValue::from_bytes(&value).map_err(|_| {
                Refusal::new(Code::BadRequest, "the challenge is nothing that a header can hold")
            })?;
            headers.push((name.clone(), value));
        }
        let body = self.body.fill(values)?;
        if body.len() > MAX_ANSWER {
            return Err(long());
        }
        Ok(Reply { status: self.status, headers, body })
    }
}
