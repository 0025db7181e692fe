//! One part of a template, and what is demanded of its value.

use std::borrow::Cow;

use super::{
    Chunks,
    filter::{Class, Filter},
};
use crate::{
    decision::{Code, Detail, Refusal},
    verify::{
        head::Read,
        source::{Message, Source},
        time::Unit,
    },
};

/// A literal or a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The same in every message of a route.
    Literal(Box<[u8]>),
    /// Taken from the message.
    Value(ValuePart),
    /// Left out where its first value is not there.
    Optional(Vec<Self>),
}

impl Part {
    /// The values in it.
    pub(super) fn values(&self) -> impl Iterator<Item = &ValuePart> {
        let parts = match self {
            Self::Optional(inner) => inner.as_slice(),
            one => std::slice::from_ref(one),
        };
        parts.iter().filter_map(|part| match part {
            Self::Value(value) => Some(value),
            _ => None,
        })
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut ValuePart> {
        let parts = match self {
            Self::Optional(inner) => inner.as_mut_slice(),
            one => std::slice::from_mut(one),
        };
        parts.iter_mut().filter_map(|part| match part {
            Self::Value(value) => Some(value),
            _ => None,
        })
    }
}

/// Adds what an optional group comes to: all of it, or nothing.
///
/// # Errors
///
/// A value that is there twice, or not of its grammar, or missing although the first is there.
pub(super) fn optional<'a>(
    parts: &'a [Part],
    message: &Message<'a>,
    chunks: &mut Chunks<'a>,
) -> Result<(), Refusal> {
    let first = parts.iter().flat_map(Part::values).next();
    if first.is_none_or(|value| value.source.read(message) == Read::Absent) {
        return Ok(());
    }
    for part in parts {
        match part {
            Part::Literal(bytes) => chunks.push(Cow::Borrowed(&**bytes)),
            Part::Value(value) => chunks.push(value.read(message)?),
            Part::Optional(_) => {}
        }
    }
    Ok(())
}

/// What a value is to the scheme; a missing one is named accordingly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// An event id.
    Id,
    /// Nothing in particular.
    Plain,
    /// The signature itself.
    Signature,
    /// The timestamp.
    Timestamp(Unit),
}

/// A value with its filters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ValuePart {
    /// Where it stands.
    pub(crate) source: Source,
    filters: Vec<Filter>,
    /// What it is to the scheme.
    pub(crate) role: Role,
    /// How many bytes it must have.
    pub(super) width: Option<usize>,
    /// The literal after it, which it must not run into.
    pub(super) until: Option<Box<[u8]>>,
    /// The literal before it, which it must not run into.
    pub(super) since: Option<Box<[u8]>>,
    /// It stands in an optional group.
    pub(crate) optional: bool,
}

impl ValuePart {
    pub(super) const fn new(source: Source, filters: Vec<Filter>, role: Role) -> Self {
        Self { source, filters, role, width: None, until: None, since: None, optional: false }
    }

    /// Whether it is this source without any filter.
    pub(crate) fn is_raw(&self, source: &Source) -> bool {
        self.filters.is_empty() && self.source == *source
    }

    /// Whether it fixes the source's value.
    pub(crate) fn covers(&self, source: &Source) -> bool {
        let is_it = match (&self.source, source) {
            (Source::Listed(listed), Source::Header(name)) => listed.names().contains(name),
            (own, other) => own == other,
        };
        is_it && self.filters.iter().all(|f| f.keeps_apart())
    }

    /// Takes it for a timestamp of this unit.
    pub(super) const fn set_unit(&mut self, unit: Unit) {
        self.role = Role::Timestamp(unit);
        if self.width.is_some() {
            self.width = unit.width();
        }
    }

    /// Whether it is a time in RFC 3339.
    pub(super) fn is_rfc3339(&self) -> bool {
        match self.filters.as_slice() {
            [] => self.role == Role::Timestamp(Unit::Rfc3339),
            filters => filters == [Filter::Rfc3339],
        }
    }

    /// Whether no value that is let through holds a line break.
    pub(super) fn is_line(&self) -> bool {
        matches!(self.role, Role::Timestamp(_))
            || self.filters.last().is_some_and(|filter| filter.is_line())
    }

    /// Whether a longer value of any bytes would be let through.
    pub(super) fn can_grow(&self) -> bool {
        let is_open = matches!(self.source, Source::Body | Source::Fields | Source::Form(_));
        is_open && !self.filters.last().is_some_and(|filter| filter.is_text())
    }

    /// What is known of its form.
    pub(super) fn class(&self) -> Class {
        let plain = match (self.role, &self.source) {
            // The same in every message of a route.
            (_, Source::Secret) => Class::SelfDelimiting,
            (Role::Timestamp(Unit::Rfc3339), _) | (_, Source::Method) => Class::SelfDelimiting,
            (Role::Timestamp(_), _) => Class::Digits,
            _ => Class::Free,
        };
        self.filters.iter().fold(plain, |class, filter| filter.class(class))
    }

    /// Reads the value and judges its form.
    ///
    /// # Errors
    ///
    /// It is missing, there twice, or not of its grammar.
    pub(crate) fn read<'a>(&'a self, message: &Message<'a>) -> Result<Cow<'a, [u8]>, Refusal> {
        let mut value = match self.source.read(message) {
            Read::Value(value) if value.is_empty() && self.must_not_be_empty() => {
                return Err(refuse(&self.source, self.role, &Read::Absent));
            }
            Read::Value(value) => value,
            Read::Absent if self.filters.contains(&Filter::OrEmpty) => Cow::Borrowed(&[][..]),
            other => return Err(refuse(&self.source, self.role, &other)),
        };
        let malformed = |what| refuse(&self.source, self.role, &Read::Malformed(what));
        if let Role::Timestamp(unit) = self.role
            && unit.read(&value).is_none()
        {
            return Err(malformed("is no timestamp of the provider's form"));
        }
        for filter in &self.filters {
            value = filter.apply(value).ok_or_else(|| malformed("is not of the demanded form"))?;
        }
        if self.width.is_some_and(|width| width != value.len()) {
            return Err(malformed("has the wrong length"));
        }
        let runs_on = self.until.as_ref().is_some_and(|literal| runs_into(&value, literal))
            || self.since.as_ref().is_some_and(|literal| runs_out_of(literal, &value));
        if runs_on {
            return Err(malformed("contains what separates the signed parts"));
        }
        Ok(value)
    }

    const fn must_not_be_empty(&self) -> bool {
        !matches!(self.role, Role::Plain)
    }
}

/// Whether `literal` occurs in `value` followed by `literal` before the value's end.
fn runs_into(value: &[u8], literal: &[u8]) -> bool {
    (0..value.len()).any(|at| {
        let tail = value.get(at..).unwrap_or_default();
        let overlap = literal.len().min(tail.len());
        tail.get(..overlap) == literal.get(..overlap)
            && literal.get(overlap..) == literal.get(..literal.len() - overlap)
    })
}

/// Whether `literal` occurs in `literal` followed by `value` after the literal's start.
fn runs_out_of(literal: &[u8], value: &[u8]) -> bool {
    let reversed = |bytes: &[u8]| bytes.iter().rev().copied().collect::<Vec<_>>();
    runs_into(&reversed(value), &reversed(literal))
}

/// The refusal for a place that did not yield its one value.
pub(crate) fn refuse(source: &Source, role: Role, read: &Read<'_>) -> Refusal {
    let (code, what) = match read {
        Read::Absent | Read::Value(_) => (missing(source, role), "is missing"),
        Read::Repeated if source.is_header() => (Code::AmbiguousHeader, "is there more than once"),
        Read::Repeated => (malformed(source, role), "is there more than once"),
        Read::Malformed(what) => (malformed(source, role), *what),
    };
    let detail = match source {
        Source::Header(name) => Detail::Header { name: name.clone(), what },
        source => Detail::from(format!("{source} {what}")),
    };
    Refusal { code, detail, retry_after_secs: None }
}

const fn missing(source: &Source, role: Role) -> Code {
    match role {
        Role::Id => Code::IdMissing,
        Role::Plain if source.is_in_body() => Code::PayloadMalformed,
        Role::Plain => Code::IdMissing,
        Role::Signature => Code::SignatureMissing,
        Role::Timestamp(_) => Code::TimestampMissing,
    }
}

const fn malformed(source: &Source, role: Role) -> Code {
    match role {
        Role::Timestamp(_) => Code::TimestampMalformed,
        Role::Id | Role::Plain if source.is_in_body() => Code::PayloadMalformed,
        Role::Id | Role::Plain | Role::Signature => Code::SignatureMalformed,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_value_must_end_where_the_literal_begins() {
        assert!(!runs_into(b"abc", b"."));
        assert!(runs_into(b"a.c", b"."));
        assert!(runs_into(b"a-", b"--"), "the dash would be taken for the literal's first");
        assert!(!runs_into(b"a-b", b"--"));
        assert!(!runs_into(b"", b"."));
        assert!(runs_out_of(b"--", b"-a"));
        assert!(!runs_out_of(b"--", b"a-b"));
    }

    proptest! {
        #[test]
        fn what_is_let_through_is_found_again(
            value in "[.:a]{0,6}",
            literal in "[.:]{1,3}",
            rest in "[.:a]{0,6}",
        ) {
            if !runs_into(value.as_bytes(), literal.as_bytes()) {
                let all = format!("{value}{literal}{rest}");
                prop_assert_eq!(all.find(&literal), Some(value.len()));
            }
            if !runs_out_of(literal.as_bytes(), value.as_bytes()) {
                let all = format!("{rest}{literal}{value}");
                prop_assert_eq!(all.rfind(&literal), Some(rest.len()));
            }
        }
    }
}
