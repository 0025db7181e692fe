//! Deserializes one table in spite of its problems: locate one, take it out, try again.

use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::{
    Spanned,
    de::{DeArray, DeTable, DeValue, ValueDeserializer},
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
pub(super) fn read<T: DeserializeOwned>(mut value: Spanned<DeValue<'_>>, limit: usize) -> Read<T> {
    let mut found = Vec::new();
    loop {
        let error = match T::deserialize(ValueDeserializer::from(value.clone())) {
            Ok(read) => return Read { value: Some(read), found },
            Err(error) => error,
        };
        let span = error.span().unwrap_or(value.span());
        let removed =
            remove(value.get_mut(), &span, true).or_else(|| remove(value.get_mut(), &span, false));
        let message = error.message().to_owned();
        let Some(mut path) = removed else {
            found.push(Found { message, span, path: String::new(), key: String::new() });
            return Read { value: None, found };
        };
        // Parts were collected from the inside out.
        path.reverse();
        let key = path.last().cloned().unwrap_or_default();
        let path = path.concat();
        let path = path.strip_prefix('.').unwrap_or(&path).to_owned();
        let key = key.strip_prefix('.').unwrap_or(&key).to_owned();
        found.push(Found { message, span, path, key });
        if found.len() >= limit {
            return Read { value: None, found };
        }
    }
}

/// Takes out the deepest entry that stands at the span (or, if not `exact`, around it); its path
/// from the inside out.
fn remove(value: &mut DeValue<'_>, span: &Range<usize>, exact: bool) -> Option<Vec<String>> {
    match value {
        DeValue::Table(table) => remove_from_table(table, span, exact),
        DeValue::Array(items) => {
            for (number, item) in items.iter_mut().enumerate() {
                if let Some(mut path) = remove(item.get_mut(), span, exact) {
                    path.push(format!("[{number}]"));
                    return Some(path);
                }
            }
            let number = items.iter().position(|item| hits(&item.span(), span, exact))?;
            let old = std::mem::replace(items, DeArray::new());
            for (n, item) in old.into_iter().enumerate() {
                if n != number {
                    items.push(item);
                }
            }
            Some(vec![format!("[{number}]")])
        }
        _ => None,
    }
}

fn remove_from_table(
    table: &mut DeTable<'_>,
    span: &Range<usize>,
    exact: bool,
) -> Option<Vec<String>> {
    let mut hit = None;
    for (key, value) in table.iter_mut() {
        // A header's key and its table may share a span: the key of an unknown table is meant,
        // never something inside it.
        let at_key = hits(&key.span(), span, exact);
        if !at_key && let Some(mut path) = remove(value.get_mut(), span, exact) {
            path.push(format!(".{}", quoted(key.get_ref())));
            return Some(path);
        }
        if at_key || hits(&value.span(), span, exact) {
            hit = Some(key.clone());
        }
    }
    let key = hit?;
    table.remove(&key);
    Some(vec![format!(".{}", quoted(key.get_ref()))])
}

fn hits(candidate: &Range<usize>, span: &Range<usize>, exact: bool) -> bool {
    if exact {
        candidate == span
    } else {
        candidate.start <= span.start && span.end <= candidate.end
    }
}
