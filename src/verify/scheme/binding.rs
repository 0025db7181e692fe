//! What must be equal for a proof to be about this message.

use sha2::{Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq;

use crate::{
    decision::{Code, Refusal},
    verify::{
        encoding::Encoding,
        head::Read,
        json::Found,
        source::{Message, Source},
        template::{Chunks, Template},
    },
};

/// A place of a message whose value must be one of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Binding {
    pub(crate) source: Source,
    /// The same place as a list, where one element that is equal is enough: the audience of a
    /// token is one text or several (RFC 7519, section 4.1.3).
    pub(crate) elements: Option<Source>,
    pub(crate) any_of: Vec<Expected>,
    /// It need not be there, and with nothing else allowed must not be.
    pub(crate) may_be_absent: bool,
}

/// What a value must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) template: Template,
    /// The value is this digest of the template.
    pub(crate) digest: Option<(Digest, Encoding)>,
}

/// A digest that keeps texts apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Digest {
    Sha256,
    Sha384,
    Sha512,
}

impl Digest {
    /// The names of the language.
    pub(crate) const NAMES: &'static [&'static str] = &["sha256", "sha384", "sha512"];

    /// Reads a name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "sha256" => Self::Sha256,
            "sha384" => Self::Sha384,
            "sha512" => Self::Sha512,
            _ => return None,
        })
    }

    fn of(self, chunks: &Chunks<'_>) -> Vec<u8> {
        match self {
            Self::Sha256 => over::<Sha256>(chunks),
            Self::Sha384 => over::<Sha384>(chunks),
            Self::Sha512 => over::<Sha512>(chunks),
        }
    }
}

fn over<D: sha2::Digest>(chunks: &Chunks<'_>) -> Vec<u8> {
    let mut hasher = D::new();
    chunks.iter().for_each(|chunk| hasher.update(chunk));
    hasher.finalize().to_vec()
}

impl Expected {
    /// The bytes that have to be there.
    ///
    /// # Errors
    ///
    /// A part of the message that is missing, there twice, or not of its grammar.
    pub(crate) fn bytes(&self, message: &Message<'_>) -> Result<Vec<u8>, Refusal> {
        let chunks = self.template.chunks(message)?;
        Ok(match self.digest {
            Some((digest, encoding)) => encoding.encode(&digest.of(&chunks)).into_bytes(),
            None => chunks.concat(),
        })
    }
}

impl Binding {
    /// Judges it; where the place is one in every element of a list, every value must be equal.
    ///
    /// # Errors
    ///
    /// Something is missing, there twice, or not equal.
    pub(crate) fn judge(&self, message: &Message<'_>) -> Result<(), Refusal> {
        let expected = self.any_of.iter().map(|one| one.bytes(message));
        let expected = expected.collect::<Result<Vec<_>, _>>()?;
        let fits = |value: &[u8]| {
            let equal = |one: &Vec<u8>| bool::from(one.as_slice().ct_eq(value));
            expected.iter().filter(|one| equal(one)).count() > 0
        };
        let held = match self.found(message) {
            Some(values) => !values.is_empty() && values.iter().all(|value| fits(value.as_bytes())),
            None => match self.source.read(message) {
                Read::Value(value) => fits(&value),
                Read::Absent if self.may_be_absent && !self.is_reached(message) => true,
                Read::Absent | Read::Malformed(_) => self.is_listed(message, fits),
                Read::Repeated if self.source.is_header() => {
                    let detail = format!("{} is there more than once", self.source);
                    return Err(Refusal::new(Code::AmbiguousHeader, detail));
                }
                Read::Repeated => false,
            },
        };
        if held {
            return Ok(());
        }
        let detail = format!("{} is not what it must be", self.source);
        Err(Refusal::new(Code::SignatureMismatch, detail))
    }

    /// The values under a pointer to several; none where one of them is missing.
    fn found<'a>(&self, message: &Message<'a>) -> Option<&'a [Box<str>]> {
        let found: &Found = message.found(&self.source).filter(|_| self.source.is_many())?;
        let whole = !found.duplicate && !found.incomplete;
        Some(if whole { &found.values } else { &[] })
    }

    /// Whether something stands there, even if it has no text.
    fn is_reached(&self, message: &Message<'_>) -> bool {
        let found = match &self.source {
            Source::Claim(_, number) => message.claims.and_then(|claims| claims.get(*number)),
            source => message.found(source),
        };
        found.is_some_and(|found| found.reached)
    }

    fn is_listed(&self, message: &Message<'_>, fits: impl Fn(&[u8]) -> bool) -> bool {
        let Some(Source::Claim(_, number)) = &self.elements else { return false };
        let found = message.claims.and_then(|claims| claims.get(*number));
        found.is_some_and(|found| {
            !found.duplicate && found.values.iter().any(|value| fits(value.as_bytes()))
        })
    }

    /// The one value that is let through, if it is the same in every message of a route.
    pub(crate) fn constant(&self) -> Option<Vec<u8>> {
        match self.any_of.as_slice() {
            [Expected { template, digest: None }] => template.constant(),
            _ => None,
        }
    }

    /// Every template that it compares with.
    pub(crate) fn templates(&self) -> impl Iterator<Item = &Template> {
        self.any_of.iter().map(|expected| &expected.template)
    }
}
