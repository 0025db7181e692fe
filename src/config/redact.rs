//! What an excerpt of a configuration must not show.
//!
//! People mistype the very keys that hold secrets, so what is shown is what is known to be
//! harmless: values of keys that the schema knows, or that are near to one. In a file that is not
//! even TOML the same is decided line by line.

use std::{collections::BTreeSet, ops::Range, sync::OnceLock};

use serde_json::Value;
use toml::de::{DeTable, DeValue};

use super::{json_schema, read::meant};

/// What to hide of one file.
pub(super) struct Hidden {
    /// Sorted; they do not overlap.
    ranges: Vec<Range<usize>>,
    well_formed: bool,
}

impl Hidden {
    pub(super) fn find(text: &str) -> Self {
        let (doc, errors) = DeTable::parse_recoverable(text);
        let mut ranges = Vec::new();
        hide_in_table(doc.get_ref(), Inside::Known, &mut ranges);
        ranges.sort_by_key(|range| range.start);
        Self { ranges, well_formed: errors.is_empty() }
    }

    /// A line of the text without its comment, which may hold what was configured once, and with
    /// what is to be hidden replaced.
    pub(super) fn redact(&self, text: &str, line: Range<usize>) -> String {
        let whole = text.get(line.clone()).unwrap_or_default();
        let end = line.start + comment(whole).unwrap_or(whole.len());
        let shown = text.get(line.start..end).unwrap_or_default();
        let doubtful = if self.well_formed { None } else { doubtful(shown) };
        let mut hidden: Vec<_> = user_parts(shown)
            .into_iter()
            .chain(doubtful)
            .map(|range| range.start + line.start..range.end + line.start)
            .collect();
        let first = self.ranges.partition_point(|range| range.end <= line.start);
        let known = self.ranges.get(first..).unwrap_or_default();
        hidden.extend(known.iter().take_while(|range| range.start < end).cloned());
        hidden.sort_by_key(|range| (range.start, range.end));
        let mut out = String::new();
        let mut at = line.start;
        for range in hidden {
            if range.end <= at {
                continue;
            }
            out.push_str(text.get(at..range.start.max(at)).unwrap_or_default());
            let is_string = text.get(range.clone()).is_some_and(|t| t.starts_with(['"', '\'']));
            out.push_str(if is_string { "\"[redacted]\"" } else { "[redacted]" });
            at = range.end.min(end);
        }
        out.push_str(text.get(at..end).unwrap_or_default());
        out.truncate(out.trim_end().len());
        out
    }
}

/// Where a value stands.
#[derive(Clone, Copy, PartialEq)]
enum Inside {
    /// In a table whose keys the schema names.
    Known,
    /// In a table whose keys are names that the operator chose.
    Names,
    /// In a definition, which holds no secrets.
    Provider,
    /// In what holds secrets, or may.
    Secret,
}

/// Tables whose keys are names that the operator chose.
const NAMED: &[&str] = &["exceptions", "expect", "ip_lists", "map_status", "routes", "schemas"];
/// Keys that say where a secret is, or which one, and hold none.
const HARMLESS: &[&str] = &["env", "expires", "file", "id", "jwks_url"];
/// Keys that hold secrets, and what people take for one of them.
///
/// A public key is none, but what is pasted in its place may be the private one.
const SECRET: &[&str] = &[
    "headers",
    "key",
    "password",
    "public_key",
    "public_keys",
    "secret",
    "secrets",
    "token",
    "value",
];

fn hide_in_table(table: &DeTable<'_>, inside: Inside, out: &mut Vec<Range<usize>>) {
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        let is_table = matches!(value.get_ref(), DeValue::Table(_));
        let below = match inside {
            Inside::Provider if name == "public_keys" => Inside::Secret,
            Inside::Provider => Inside::Provider,
            Inside::Secret if HARMLESS.contains(&name) => Inside::Known,
            Inside::Secret => Inside::Secret,
            Inside::Names if is_table || !sounds_secret(name) => Inside::Known,
            Inside::Names => Inside::Secret,
            Inside::Known if name == "providers" => Inside::Provider,
            Inside::Known if NAMED.contains(&name) => Inside::Names,
            Inside::Known if is_plain(name) => Inside::Known,
            Inside::Known => Inside::Secret,
        };
        hide_in_value(value.get_ref(), value.span(), below, out);
    }
}

fn hide_in_value(
    value: &DeValue<'_>,
    span: Range<usize>,
    inside: Inside,
    out: &mut Vec<Range<usize>>,
) {
    match value {
        DeValue::Table(table) => hide_in_table(table, inside, out),
        DeValue::Array(items) => {
            for item in items.iter() {
                hide_in_value(item.get_ref(), item.span(), inside, out);
            }
        }
        DeValue::Boolean(_) => {}
        _ if inside == Inside::Secret => out.push(span),
        _ => {}
    }
}

fn sounds_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["secret", "token", "password", "passwd"].iter().any(|word| name.contains(word))
}

/// Whether the value of a key may be shown: the schema knows the key, or one that is nearer than
/// any that holds secrets.
fn is_plain(name: &str) -> bool {
    let known = known_keys();
    if known.contains(name) {
        return !SECRET.contains(&name);
    }
    let nearest = meant(name, known.iter().map(String::as_str).chain(SECRET.iter().copied()));
    nearest.is_some_and(|nearest| !SECRET.contains(&nearest)) && !sounds_secret(name)
}

/// Every key that stands anywhere in the schema.
fn known_keys() -> &'static BTreeSet<String> {
    fn collect(schema: &Value, out: &mut BTreeSet<String>) {
        match schema {
            Value::Object(object) => {
                if let Some(Value::Object(properties)) = object.get("properties") {
                    out.extend(properties.keys().cloned());
                }
                object.values().for_each(|inner| collect(inner, out));
            }
            Value::Array(items) => items.iter().for_each(|inner| collect(inner, out)),
            _ => {}
        }
    }
    static KEYS: OnceLock<BTreeSet<String>> = OnceLock::new();
    KEYS.get_or_init(|| {
        // Keys of later versions are told so by name, and hold no secrets either.
        let mut keys = BTreeSet::from(["client_ca", "refresh", "url"].map(str::to_owned));
        collect(&json_schema(), &mut keys);
        keys
    })
}

/// What to hide of a line in a file that is not TOML: nobody knows there what is a string and of
/// which key, so only headers, keys, and values of plain keys are shown.
fn doubtful(line: &str) -> Option<Range<usize>> {
    let is_bare = |text: &str| {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"_-. ".contains(&b);
        text.bytes().all(fits)
    };
    let end = line.trim_end().len();
    if is_bare(line.trim().trim_matches(['[', ']'])) && line.trim_start().starts_with(['[', ']']) {
        return None;
    }
    let hidden = match line.split_once('=') {
        Some((key, value)) if is_bare(key) => {
            let is_one = known_keys().contains(key.trim()) && is_plain(key.trim());
            let start = line.len() - value.trim_start().len();
            if is_one && !value.contains(['=', '{']) { end } else { start }
        }
        _ => 0,
    };
    (hidden < end).then_some(hidden..end)
}

/// The user parts of URLs in a line.
fn user_parts(line: &str) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    for (at, _) in line.match_indices("://") {
        let rest = line.get(at + 3..).unwrap_or_default();
        let authority = rest.find(['/', '"', '\'', ' ', '?', '#']).unwrap_or(rest.len());
        if let Some(user) = rest.get(..authority).and_then(|a| a.rfind('@')) {
            out.push(at + 3..at + 3 + user);
        }
    }
    out.retain(|range| range.start < range.end);
    out
}

/// Where a line's comment begins.
fn comment(line: &str) -> Option<usize> {
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in line.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some('"'), '\\') => escaped = true,
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '#') => return Some(at),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, offset: usize) -> String {
        let (before, after) = text.split_at(offset);
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let end = after.find('\n').map_or(text.len(), |at| at + offset);
        Hidden::find(text).redact(text, start..end)
    }

    #[test]
    fn secrets_do_not_show() {
        for text in [
            "secrets = [{ value = \"hunter2\", id = \"x\" }]",
            "secrets = [\"hunter2\"]",
            "secret = 'hunter2'",
            "secrets = [\n{ vaule = 1 },\n\"hunter2\"]",
            "secrets = [{ value = \"\"\"\nhunter2\"\"\" }]",
            "secrets = [{ valu = \"hunter2\" }]",
            "value = \"hunter2",
            "value = hunter2",
            "secrets = [{ v\"hunter2\" }]",
            "secrets = [{ value hunter2\", id = \"x\" }]",
            "secrets = [{ value = \"\"\"\nhunter2\n\"\"\" }",
            "secret = \"a\\\"hunter2\" }",
            "upstream = \"http://me:hunter2@host/\"",
            "upstream = { headers = { Authorization = \"hunter2\" } }",
            "headers.Authorization = \"hunter2\"",
            "listen = 1  # secrets = [\"hunter2\"]",
            "saecrets = [{ value = \"hunter2\" }]",
            "[routes.a]\npasphrase = \"hunter2\"",
            "[routes.secret]\nsceret.vlaue = \"hunter2\"",
            "secrets = 2\nsecret_hunter2",
            "expect = { verify_token = \"hunter2\" }",
            "public_keys = [{ value = \"hunter2\" }]",
            "public_keys = [\"hunter2\"]",
            "public_key = \"hunter2\"",
            "[[routes.a.public_keys]]\nvalue = \"\"\"\nhunter2\n\"\"\"",
            "[providers.x]\npublic_keys = [{ value = \"hunter2\" }]",
        ] {
            for offset in 0..text.len() {
                let shown = shown(text, offset);
                assert!(!shown.contains("hunter2"), "{text:?} shows {shown:?}");
            }
        }
    }

    #[test]
    fn what_is_no_secret_stays_readable() {
        let text = "secrets = [{ env = \"STRIPE_SECRET\", id = \"2026\" }]";
        assert_eq!(shown(text, 0), text);
        let text = "public_keys = [{ jwks_url = \"https://a/b\", id = \"2026\" }]";
        assert_eq!(shown(text, 0), text);
        let text = "upstrem = \"http://10.1.0.4:3000/stripe\"";
        assert_eq!(shown(text, 0), text);
        let text = "[policy]\nmin_secret_bytes = 16";
        assert_eq!(shown(text, 10), "min_secret_bytes = 16");
        let text = "timeout = 5s";
        assert_eq!(shown(text, 0), text);
        let text = "[providers.x]\nsignature = { value = \"v1\" }";
        assert_eq!(shown(text, 15), "signature = { value = \"v1\" }");
        let text = "urls = [\"http://10.1.0.4:3000/stripe\"]";
        assert_eq!(shown(text, 0), text);
    }
}
