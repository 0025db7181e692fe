//! Deserializes one table in spite of its problems: locate one, take it out, try again.

use std::{fmt, ops::Range};

use serde::de::DeserializeOwned;
use toml::{
    Spanned,
    de::{DeArray, DeValue, ValueDeserializer},
};

use crate::config::quoted;

/// A problem of a table.
pub(super) struct Found {
    /// The deserializer's words.
    pub(super) message: String,
    /// Where in the text.
    pub(super) span: Range<usize>,
    /// The key that was taken out, as a path below the table; empty for the table itself.
    pub(super) path: String,
    /// The last part of that path.
    pub(super) key: String,
}

/// What could be read, and what could not.
pub(super) struct Read<T> {
    /// `None` where the value as a whole is of the wrong type, or the limit was reached.
    pub(super) value: Option<T>,
    pub(super) found: Vec<Found>,
}

/// Deserializes a value; gives up after `limit` problems, so that a hostile file costs little.
pub(super) fn read<T: DeserializeOwned>(value: &Spanned<DeValue<'_>>, limit: usize) -> Read<T> {
    let mut found = Vec::new();
    let mut pruned = None;
    loop {
        let attempt = pruned.as_ref().unwrap_or(value).clone();
        let error = match T::deserialize(ValueDeserializer::from(attempt)) {
            Ok(read) => return Read { value: Some(read), found },
            Err(error) => error,
        };
        let span = error.span().unwrap_or(value.span());
        let message = error.message().to_owned();
        // What is pruned moves the elements of arrays; what is shown counts as the file does.
        let pruned = pruned.get_or_insert_with(|| value.clone());
        let both = |exact| {
            let steps = locate(pruned.get_ref(), &span, exact)?;
            let shown = locate(value.get_ref(), &span, exact)?;
            Some((steps, shown))
        };
        let Some((steps, shown)) = both(true).or_else(|| both(false)) else {
            found.push(Found { message, span, path: String::new(), key: String::new() });
            return Read { value: None, found };
        };
        remove(pruned.get_mut(), &steps);
        let path: String = shown.iter().map(Step::to_string).collect();
        let key = shown.last().map(Step::to_string).unwrap_or_default();
        let plain = |text: &str| text.strip_prefix('.').unwrap_or(text).to_owned();
        found.push(Found { message, span, path: plain(&path), key: plain(&key) });
        if found.len() >= limit {
            return Read { value: None, found };
        }
    }
}

/// One step into a value.
enum Step {
    Key(String),
    Index(usize),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => write!(f, ".{}", quoted(key)),
            Self::Index(number) => write!(f, "[{number}]"),
        }
    }
}

/// The deepest entry that stands at the span (or, if not `exact`, around it).
fn locate(value: &DeValue<'_>, span: &Range<usize>, exact: bool) -> Option<Vec<Step>> {
    let mut hit = None;
    match value {
        DeValue::Table(table) => {
            for (key, value) in table {
                let step = || Step::Key(key.get_ref().to_string());
                // A header's key and its table may share a span: the key of an unknown table is
                // meant, never something inside it.
                let at_key = hits(&key.span(), span, exact);
                let below = if at_key { None } else { locate(value.get_ref(), span, exact) };
                if let Some(mut steps) = below {
                    steps.insert(0, step());
                    return Some(steps);
                }
                if at_key || hits(&value.span(), span, exact) {
                    hit = Some(step());
                }
            }
        }
        DeValue::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                if let Some(mut steps) = locate(item.get_ref(), span, exact) {
                    steps.insert(0, Step::Index(number));
                    return Some(steps);
                }
                if hits(&item.span(), span, exact) {
                    hit = Some(Step::Index(number));
                }
            }
        }
        _ => {}
    }
    hit.map(|step| vec![step])
}

fn hits(candidate: &Range<usize>, span: &Range<usize>, exact: bool) -> bool {
    if exact {
        candidate == span
    } else {
        candidate.start <= span.start && span.end <= candidate.end
    }
}

fn remove(value: &mut DeValue<'_>, steps: &[Step]) {
    match (value, steps) {
        (DeValue::Table(table), [Step::Key(key)]) => {
            table.remove(key.as_str());
        }
        (DeValue::Table(table), [Step::Key(key), rest @ ..]) => {
            if let Some(value) = table.get_mut(key.as_str()) {
                remove(value.get_mut(), rest);
            }
        }
        (DeValue::Array(items), [Step::Index(number)]) => {
            let old = std::mem::replace(items, DeArray::new());
            for (n, item) in old.into_iter().enumerate() {
                if n != *number {
                    items.push(item);
                }
            }
        }
        (DeValue::Array(items), [Step::Index(number), rest @ ..]) => {
            if let Some(item) = items.get_mut(*number) {
                remove(item.get_mut(), rest);
            }
        }
        _ => {}
    }
}
