//! Where each key of the configuration stands.

use std::{borrow::Cow, collections::HashMap, fmt::Write as _, ops::Range, sync::OnceLock};

use toml::de::{DeTable, DeValue};

use super::{problem::Place, source::Source};

/// Places by dotted key path, such as `routes.stripe.secrets[0].env`.
///
/// A part that is no bare key is quoted: `routes.stripe.body.schemas."invoice.paid"`; see
/// [`quoted`]. The map is made when the first place is asked for: a configuration without
/// problems pays nothing.
#[derive(Debug, Default)]
pub struct KeyMap {
    sources: Vec<Source>,
    index: OnceLock<HashMap<String, Spot>>,
}

#[derive(Debug)]
struct Spot {
    source: usize,
    key: Range<usize>,
    value: Range<usize>,
}

impl KeyMap {
    pub(super) fn new(sources: Vec<Source>) -> Self {
        Self { sources, index: OnceLock::new() }
    }

    pub(super) fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// Where the key is written; of a key that is not there, its nearest table.
    pub fn key(&self, path: &str) -> Option<Place> {
        let (spot, _) = self.nearest(path)?;
        Some(self.sources.get(spot.source)?.place(spot.key.start))
    }

    /// Where the key's value is written; of a key that is not there, its nearest table.
    pub fn value(&self, path: &str) -> Option<Place> {
        let (spot, exact) = match path.strip_suffix("[0]") {
            // A single value where an array may stand is its own first element.
            Some(single) if !self.contains(path) => self.nearest(single)?,
            _ => self.nearest(path)?,
        };
        let offset = if exact { spot.value.start } else { spot.key.start };
        Some(self.sources.get(spot.source)?.place(offset))
    }

    /// The start of the main file: where what is written nowhere should be.
    pub(super) fn start(&self) -> Option<Place> {
        Some(self.sources.first()?.place(0))
    }

    /// Whether the key is written in the configuration.
    pub fn contains(&self, path: &str) -> bool {
        self.index().contains_key(path)
    }

    fn nearest(&self, path: &str) -> Option<(&Spot, bool)> {
        let index = self.index();
        let mut path = path;
        let mut exact = true;
        loop {
            if let Some(spot) = index.get(path) {
                return Some((spot, exact));
            }
            exact = false;
            path = parent(path)?;
        }
    }

    fn index(&self) -> &HashMap<String, Spot> {
        self.index.get_or_init(|| {
            let mut index = HashMap::new();
            for (number, source) in self.sources.iter().enumerate() {
                let (doc, _) = DeTable::parse_recoverable(source.text());
                let mut path = String::new();
                walk_table(doc.get_ref(), number, &mut path, &mut index);
            }
            index
        })
    }
}

/// A key as one part of a path: quoted unless it is a bare TOML key.
pub fn quoted(key: &str) -> Cow<'_, str> {
    let bare = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    if !key.is_empty() && key.bytes().all(bare) {
        Cow::Borrowed(key)
    } else {
        Cow::Owned(format!("\"{}\"", key.escape_debug()))
    }
}

/// The path without its last part.
fn parent(path: &str) -> Option<&str> {
    let mut in_quotes = false;
    let mut escaped = false;
    let mut cut = None;
    for (at, c) in path.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if in_quotes => escaped = true,
            '"' => in_quotes = !in_quotes,
            '.' | '[' if !in_quotes => cut = Some(at),
            _ => {}
        }
    }
    path.get(..cut?)
}

fn walk_table(
    table: &DeTable<'_>,
    source: usize,
    path: &mut String,
    index: &mut HashMap<String, Spot>,
) {
    let base = path.len();
    for (key, value) in table {
        if base > 0 {
            path.push('.');
        }
        path.push_str(&quoted(key.get_ref()));
        let spot = Spot { source, key: key.span(), value: value.span() };
        // A second definition is an error of its own; the first keeps the place.
        index.entry(path.clone()).or_insert(spot);
        walk_value(value.get_ref(), source, path, index);
        path.truncate(base);
    }
}

fn walk_value(
    value: &DeValue<'_>,
    source: usize,
    path: &mut String,
    index: &mut HashMap<String, Spot>,
) {
    match value {
        DeValue::Table(table) => walk_table(table, source, path, index),
        DeValue::Array(items) => {
            let base = path.len();
            for (number, item) in items.iter().enumerate() {
                let _infallible = write!(path, "[{number}]");
                let spot = Spot { source, key: item.span(), value: item.span() };
                index.entry(path.clone()).or_insert(spot);
                walk_value(item.get_ref(), source, path, index);
                path.truncate(base);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(text: &str) -> KeyMap {
        KeyMap::new(vec![Source::new("a.toml".into(), text.into())])
    }

    #[test]
    fn keys_and_values_have_places() {
        let map = map("[routes.a]\nsecrets = [{ env = \"A\" }, { env = \"B\" }]\n\
                       body.schemas = { \"x.y\" = \"f\" }\n");
        let column = |place: Option<Place>| place.map(|p| (p.line, p.column));
        assert_eq!(column(map.key("routes.a.secrets[1].env")), Some((2, 29)));
        assert_eq!(column(map.value("routes.a.secrets[1].env")), Some((2, 35)));
        assert_eq!(column(map.key("routes.a.body.schemas.\"x.y\"")), Some((3, 18)));
        assert_eq!(column(map.key("routes.a.upstream.timeout")), Some((1, 9)));
        assert_eq!(column(map.value("routes.a.secrets[7].env")), Some((2, 1)));
        assert_eq!(map.key("nothing"), None);
    }

    #[test]
    fn parents() {
        assert_eq!(parent("a.\"b.c\".d"), Some("a.\"b.c\""));
        assert_eq!(parent("a.\"b.c\""), Some("a"));
        assert_eq!(parent("a[0]"), Some("a"));
        assert_eq!(parent("a"), None);
    }
}
