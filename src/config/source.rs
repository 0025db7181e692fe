//! One configuration file's text, and how a byte offset in it is shown.

use std::{
    ops::Range,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use toml::de::{DeTable, DeValue};
use zeroize::Zeroizing;

use super::problem::Place;

/// A file that was read; its text may hold inline secrets, so it is wiped when dropped.
pub(super) struct Source {
    path: PathBuf,
    text: Zeroizing<String>,
    line_starts: Vec<usize>,
    hidden: OnceLock<Hidden>,
}

/// What an excerpt must not show; found once, when the first problem is shown.
struct Hidden {
    /// Sorted; they do not overlap.
    ranges: Vec<Range<usize>>,
    /// Whether the text is TOML at all; if not, lines are judged by their looks too.
    well_formed: bool,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Source {
    pub(super) fn new(path: PathBuf, text: String) -> Self {
        let line_starts = std::iter::once(0)
            .chain(text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(at, _)| at + 1))
            .collect();
        Self { path, text: Zeroizing::new(text), line_starts, hidden: OnceLock::new() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The place of a byte offset.
    pub(super) fn place(&self, offset: usize) -> Place {
        let offset = self.text.floor_char_boundary(offset.min(self.text.len()));
        let line = self.line_starts.partition_point(|start| *start <= offset).max(1);
        let start = self.line_starts.get(line - 1).copied().unwrap_or(0);
        let end = self.line_starts.get(line).copied().unwrap_or(self.text.len());
        let before = self.text.get(start..offset).unwrap_or_default();
        Place {
            file: self.path.clone(),
            line,
            column: before.chars().count() + 1,
            excerpt: self.excerpt(start..end),
        }
    }

    /// A line with everything in it that may be a secret replaced.
    fn excerpt(&self, line: Range<usize>) -> String {
        let known = self.hidden.get_or_init(|| Hidden::find(&self.text));
        let first = known.ranges.partition_point(|range| range.end <= line.start);
        let mut hidden: Vec<_> = known
            .ranges
            .get(first..)
            .unwrap_or_default()
            .iter()
            .cloned()
            .take_while(|range| range.start < line.end)
            .collect();
        let text = self.text.get(line.clone()).unwrap_or_default();
        hidden.extend(
            suspicious(text, !known.well_formed)
                .into_iter()
                .map(|range| range.start + line.start..range.end + line.start),
        );
        hidden.sort_by_key(|range| (range.start, range.end));
        let mut out = String::new();
        let mut at = line.start;
        for range in hidden {
            if range.end <= at {
                continue;
            }
            out.push_str(self.text.get(at..range.start.max(at)).unwrap_or_default());
            let is_string =
                self.text.get(range.clone()).is_some_and(|t| t.starts_with(['"', '\'']));
            out.push_str(if is_string { "\"[redacted]\"" } else { "[redacted]" });
            at = range.end.min(line.end);
        }
        out.push_str(self.text.get(at..line.end).unwrap_or_default());
        out.truncate(out.trim_end().len());
        out
    }
}

impl Hidden {
    fn find(text: &str) -> Self {
        let (doc, errors) = DeTable::parse_recoverable(text);
        let mut ranges = Vec::new();
        secrets_in_table(doc.get_ref(), false, &mut ranges);
        ranges.sort_by_key(|range| range.start);
        Self { ranges, well_formed: errors.is_empty() }
    }
}

/// Keys whose string says where a secret is, or which one, and is none itself.
const HARMLESS: &[&str] = &["env", "file", "id", "expires", "min_secret_bytes"];

/// Whether what stands under this key may be secret.
fn is_sensitive(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let words = ["secret", "token", "password", "passwd", "headers"];
    words.iter().any(|word| key.contains(word)) && !HARMLESS.contains(&key.as_str())
}

fn secrets_in_table(table: &DeTable<'_>, inside: bool, out: &mut Vec<Range<usize>>) {
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        let sensitive = inside && !HARMLESS.contains(&name) || is_sensitive(name);
        secrets_in_value(value.get_ref(), value.span(), sensitive, out);
    }
}

fn secrets_in_value(
    value: &DeValue<'_>,
    span: Range<usize>,
    inside: bool,
    out: &mut Vec<Range<usize>>,
) {
    match value {
        DeValue::Table(table) => secrets_in_table(table, inside, out),
        DeValue::Array(items) => {
            for item in items.iter() {
                secrets_in_value(item.get_ref(), item.span(), inside, out);
            }
        }
        _ if inside => out.push(span),
        _ => {}
    }
}

/// What looks like a secret in a line: a URL's user part and, in a file that is not TOML, what
/// follows a sensitive key's `=`.
fn suspicious(line: &str, by_key: bool) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    for (at, _) in line.match_indices('=').filter(|_| by_key) {
        let before = line.get(..at).unwrap_or_default().trim_end();
        let key = before
            .rsplit(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-'))
            .next()
            .unwrap_or_default();
        let rest = line.get(at + 1..).unwrap_or_default();
        let opens_table = rest.trim_start().starts_with(['{', '[']);
        if (is_sensitive(key) || key == "value") && !opens_table {
            out.push(at + 1 + (rest.len() - rest.trim_start().len())..literal_end(line, at + 1));
        }
    }
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

/// Where the string that begins after `from` ends; the line's end if that is not clear.
fn literal_end(line: &str, from: usize) -> usize {
    let rest = line.get(from..).unwrap_or_default();
    let lead = rest.len() - rest.trim_start().len();
    let body = rest.trim_start();
    let end = line.trim_end().len();
    let Some(quote @ ('"' | '\'')) = body.chars().next() else { return end };
    let inner = body.get(1..).unwrap_or_default();
    if inner.contains('\\') || inner.starts_with(quote) {
        return end;
    }
    inner.find(quote).map_or(end, |close| from + lead + 1 + close + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one_in_characters() {
        let source = Source::new("a.toml".into(), "a = 1\nü = 2 # x\n".into());
        assert_eq!((source.place(0).line, source.place(0).column), (1, 1));
        let place = source.place(11);
        assert_eq!((place.line, place.column, place.excerpt.as_str()), (2, 5, "ü = 2 # x"));
        assert_eq!(source.place(10_000).line, 3);
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
            "secret = \"a\\\"hunter2\" }",
            "upstream = \"http://me:hunter2@host/\"",
            "upstream = { headers = { Authorization = \"hunter2\" } }",
            "headers.Authorization = \"hunter2\"",
            "expect = { verify_token = \"hunter2\" }",
        ] {
            let source = Source::new("a.toml".into(), text.into());
            for offset in 0..text.len() {
                let shown = source.place(offset).excerpt;
                assert!(!shown.contains("hunter2"), "{text:?} shows {shown:?}");
            }
        }
    }

    #[test]
    fn what_is_no_secret_stays_readable() {
        let text = "secrets = [{ env = \"STRIPE_SECRET\", id = \"2026\" }]";
        assert_eq!(Source::new("a.toml".into(), text.into()).place(0).excerpt, text);
        let text = "urls = [\"http://10.1.0.4:3000/stripe\"]";
        assert_eq!(Source::new("a.toml".into(), text.into()).place(0).excerpt, text);
    }
}
