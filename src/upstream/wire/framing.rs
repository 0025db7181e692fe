//! Where an answer's body ends (RFC 9112 section 6.3).

use bytes::Bytes;

use super::chunks::{BadChunk, Chunks};

/// How much of a body is still to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Framing(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// So many bytes.
    Length(u64),
    Chunked(Chunks),
    /// All until the connection is closed.
    UntilClose {
        closed: bool,
    },
}

impl Framing {
    pub(super) const EMPTY: Self = Self::length(0);
    pub(super) const UNTIL_CLOSE: Self = Self(Kind::UntilClose { closed: false });
    pub(super) const CHUNKED: Self = Self(Kind::Chunked(Chunks::new()));

    pub(super) const fn length(length: u64) -> Self {
        Self(Kind::Length(length))
    }

    /// The number of bytes to come, where it is known.
    pub(in super::super) const fn left(&self) -> Option<u64> {
        match self.0 {
            Kind::Length(left) => Some(left),
            Kind::Chunked(_) | Kind::UntilClose { .. } => None,
        }
    }

    /// Whether the body is there to its end.
    pub(in super::super) fn is_done(&self) -> bool {
        match &self.0 {
            Kind::Length(left) => *left == 0,
            Kind::Chunked(chunks) => chunks.is_done(),
            Kind::UntilClose { closed } => *closed,
        }
    }

    /// The next of the body among these bytes, which are taken away as they are read; nothing if
    /// there is none. What follows the body's end is left.
    ///
    /// # Errors
    ///
    /// If the body's coding is broken.
    pub(in super::super) fn next(&mut self, input: &mut Bytes) -> Result<Option<Bytes>, BadChunk> {
        match &mut self.0 {
            Kind::Chunked(chunks) => chunks.next(input),
            Kind::Length(left) => {
                let here = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
                *left -= here as u64;
                Ok((here > 0).then(|| input.split_to(here)))
            }
            Kind::UntilClose { .. } => Ok((!input.is_empty()).then(|| std::mem::take(input))),
        }
    }

    /// Whether the connection's end is the body's.
    pub(in super::super) const fn ends_with_it(&self) -> bool {
        matches!(self.0, Kind::UntilClose { .. })
    }

    /// The connection was closed; whether that is a body's proper end.
    pub(in super::super) const fn close(&mut self) -> bool {
        if let Kind::UntilClose { closed } = &mut self.0 {
            *closed = true;
            return true;
        }
        false
    }
}
