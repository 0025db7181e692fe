//! Conditions as they are written.

use super::Test;
use crate::verify::definition::raw::RawCondition;

/// The text of the source that a condition looks at, and what must hold of it.
///
/// # Errors
///
/// What is wrong with it.
pub(crate) fn read_condition(raw: &RawCondition) -> Result<(String, Test), String> {
    let named = [
        ("header", &raw.header),
        ("json", &raw.json),
        ("query", &raw.query),
        ("form", &raw.form),
        ("pair", &raw.pair),
    ];
    let mut named = named.into_iter().filter_map(|(kind, name)| Some((kind, name.as_ref()?)));
    let source = match (named.next(), named.next(), &raw.method) {
        (Some((kind, name)), None, None) => format!("{kind}:{name}"),
        (None, None, Some(method)) if raw.equals.is_none() && raw.exists.is_none() => {
            return Ok(("method".to_owned(), Test::Equals(method.as_str().into())));
        }
        _ => {
            let what = "looks at one of `header`, `json`, `query`, `form`, `pair`, `method`";
            return Err(what.to_owned());
        }
    };
    match (&raw.equals, raw.exists) {
        (Some(text), None) => Ok((source, Test::Equals(text.0.as_str().into()))),
        (None, Some(there)) => Ok((source, Test::Exists(there))),
        _ => Err("says one of `equals`, `exists`".to_owned()),
    }
}
