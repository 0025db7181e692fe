//! Signatures as they stand, read in every spelling there is.

use std::borrow::Cow;

use crate::verify::{
    algorithm::Algorithm,
    encoding::Encoding,
    head::Read,
    scheme::{Candidate, Form},
    source::{Message, Source},
};

/// More texts than this are not looked at.
const MAX_TEXTS: usize = 4;

/// One reading of one signature text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) bytes: Vec<u8>,
    /// How it was read.
    pub(super) encoding: Encoding,
    /// The definition's prefix was there.
    pub(super) prefixed: bool,
}

impl Reading {
    /// The algorithms whose signatures are so long.
    pub(super) fn algorithms(&self) -> impl Iterator<Item = Algorithm> {
        let fits = |a: &Algorithm| a.output_bytes() == Some(self.bytes.len());
        Algorithm::ALL.iter().copied().filter(fits)
    }
}

/// Every reading of every text that stands where signatures do; the definition's own spelling first.
pub(super) fn readings(candidate: &Candidate, message: &Message<'_>) -> Vec<Reading> {
    let mut all: Vec<Reading> = Vec::new();
    for (text, prefixed) in texts(candidate, message) {
        let others = [Encoding::Hex, Encoding::HexAny, Encoding::Base64Any, Encoding::Base64Url];
        for encoding in std::iter::once(candidate.encoding).chain(others) {
            let lengths = Algorithm::ALL.iter().filter_map(|algorithm| algorithm.output_bytes());
            let known = lengths.filter_map(|len| encoding.decode(&text, len));
            let of_any_length =
                candidate.is_asymmetric().then(|| encoding.decode_any(&text)).flatten();
            for bytes in known.chain(of_any_length) {
                let reading = Reading { bytes: bytes.to_vec(), encoding, prefixed };
                if !all.iter().any(|r| r.bytes == reading.bytes) {
                    all.push(reading);
                }
            }
        }
    }
    all
}

/// The texts, and whether the definition's prefix was there.
fn texts(candidate: &Candidate, message: &Message<'_>) -> Vec<(Vec<u8>, bool)> {
    let wholes: Vec<Cow<'_, [u8]>> = match &candidate.from {
        Source::Headers(prefix) => message
            .head
            .headers
            .iter()
            .filter(|(name, _)| name.as_str().starts_with(&**prefix))
            .map(|(_, value)| Cow::Borrowed(value.as_bytes()))
            .collect(),
        source => match source.read(message) {
            Read::Value(value) => vec![value],
            _ => Vec::new(),
        },
    };
    let strip = |text: &[u8], prefix: &str| {
        let text = text.trim_ascii();
        match text.strip_prefix(prefix.as_bytes()) {
            Some(bare) => (bare.to_vec(), true),
            // Another label, such as `sha1=`, says what the rest is.
            None => {
                let at = text.iter().position(|b| *b == b'=').filter(|at| at + 3 < text.len());
                (text.get(at.map_or(0, |at| at + 1)..).unwrap_or_default().to_vec(), false)
            }
        }
    };
    let mut texts = Vec::new();
    for whole in &wholes {
        match &candidate.form {
            Form::Bare { prefix } => texts.push(strip(whole, prefix)),
            Form::List { split, prefix, element } => {
                for one in split.elements(whole) {
                    let value = element.as_ref().and_then(|e| e.parts(one.trim_ascii()));
                    texts.push(strip(value.map_or(one, |(_, value)| value), prefix));
                }
            }
            Form::Pairs { split, prefix, .. } => {
                for one in split.elements(whole) {
                    let value = split.key_value(one.trim_ascii()).map_or(one, |(_, value)| value);
                    texts.push(strip(value, prefix));
                }
            }
        }
    }
    texts.retain(|(text, _)| text.len() >= 20);
    texts.truncate(MAX_TEXTS);
    texts
}
