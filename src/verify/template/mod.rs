//! Templates: what exactly is signed.

mod crc32;
mod filter;
mod lines;
mod parse;
mod part;
mod sliding;

pub(crate) use part::{Part, Role, ValuePart, refuse};

use std::borrow::Cow;

use smallvec::SmallVec;

use super::{
    source::{BadText, Context, Message, Source},
    time::Unit,
};
use crate::decision::Refusal;

/// The values of a template in order; together they are the signed bytes.
pub(crate) type Chunks<'a> = SmallVec<[Cow<'a, [u8]>; 6]>;

/// An ordered list of literals and values that no message can slide into each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    parts: Vec<Part>,
    uses_url: bool,
}

impl Template {
    /// Reads a template's text and shows that its parts cannot slide.
    ///
    /// # Errors
    ///
    /// What is wrong with the text.
    pub(crate) fn compile(
        text: &str,
        context: &mut Context<'_>,
        role: impl Fn(&Source) -> Role,
    ) -> Result<Self, BadText> {
        let template = Self::compile_constant(text, context, role)?;
        if template.values().next().is_none() {
            return Err("a template without any value signs nothing".to_owned().into());
        }
        Ok(template)
    }

    /// The same for a text that may be the same in every message.
    ///
    /// # Errors
    ///
    /// What is wrong with the text.
    pub(crate) fn compile_constant(
        text: &str,
        context: &mut Context<'_>,
        role: impl Fn(&Source) -> Role,
    ) -> Result<Self, BadText> {
        let (mut parts, uses_url) = parse::parse(text, context, role)?;
        if parts.iter().any(|part| matches!(part, Part::Optional(_))) {
            lines::settle(&parts).map_err(BadText::from)?;
        } else {
            sliding::settle(&mut parts).map_err(BadText::from)?;
        }
        Ok(Self { parts, uses_url })
    }

    /// Whether the registered URL is signed.
    pub(crate) const fn uses_url(&self) -> bool {
        self.uses_url
    }

    /// The values that are not literals.
    pub(crate) fn values(&self) -> impl Iterator<Item = &ValuePart> {
        self.parts.iter().flat_map(Part::values)
    }

    /// Which of the chunks stands for the key.
    pub(crate) fn secret_at(&self) -> Option<usize> {
        let is_secret =
            |part: &Part| matches!(part, Part::Value(value) if value.source == Source::Secret);
        self.parts.iter().position(is_secret)
    }

    /// Whether whoever knows the digest of the signed bytes could add to them and tell the digest of
    /// the longer ones, without knowing the secret in them: true of SHA-1 and SHA-2.
    pub(crate) fn can_grow(&self) -> bool {
        matches!(self.parts.last(), Some(Part::Value(last)) if last.can_grow())
    }

    /// The same template with the timestamp in another unit.
    pub(crate) fn with_unit(&self, timestamp: &Source, unit: Unit) -> Self {
        let mut other = self.clone();
        for value in other.parts.iter_mut().flat_map(Part::values_mut) {
            if value.source == *timestamp {
                value.set_unit(unit);
            }
        }
        other
    }

    /// What it comes to where that is the same in every message.
    pub(crate) fn constant(&self) -> Option<Vec<u8>> {
        let bytes = self.parts.iter().map(|part| match part {
            Part::Literal(bytes) => Some(&**bytes),
            Part::Value(_) | Part::Optional(_) => None,
        });
        bytes.collect::<Option<Vec<_>>>().map(|bytes| bytes.concat())
    }

    /// Whether it is the raw body and nothing else.
    pub(crate) fn is_body(&self) -> bool {
        matches!(self.parts.as_slice(), [Part::Value(one)] if one.is_raw(&Source::Body))
    }

    /// Whether the signed bytes fix this source's value.
    pub(crate) fn covers(&self, source: &Source) -> bool {
        self.values().any(|value| value.covers(source))
    }

    /// The signed bytes, as pieces of the message wherever possible.
    ///
    /// # Errors
    ///
    /// A part that is missing, there twice, or not of its grammar.
    pub(crate) fn chunks<'a>(&'a self, message: &Message<'a>) -> Result<Chunks<'a>, Refusal> {
        let mut chunks = Chunks::new();
        for part in &self.parts {
            match part {
                Part::Literal(bytes) => chunks.push(Cow::Borrowed(&**bytes)),
                Part::Value(value) => chunks.push(value.read(message)?),
                Part::Optional(inner) => part::optional(inner, message, &mut chunks)?,
            }
        }
        Ok(chunks)
    }
}
