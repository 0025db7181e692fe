//! Turns the deserializer's messages into ours: which key, what is wrong, what was meant.
//!
//! Values are never repeated unless they are names from a closed list: they may be secrets.

use super::later;
use crate::config::{Place, Problem};

/// A problem of one key, and the key that was probably meant.
pub(super) struct Explained {
    pub(super) problem: Problem,
    pub(super) meant: Option<String>,
}

/// Explains a deserializer's message about the key at `path`, whose last part is `key`.
pub(super) fn explain(message: &str, path: &str, key: &str, place: Place) -> Explained {
    if let Some(rest) = message.strip_prefix("unknown field ") {
        return unknown_key(rest, path, key, place);
    }
    if let Some(rest) = message.strip_prefix("unknown variant ") {
        return unknown_word(rest, path, place);
    }
    let text = if let Some((found, expected)) = found_and_expected(message) {
        format!("{path}: expected {expected}, found {found}")
    } else {
        format!("{path}: {}", first_line(message))
    };
    let mut problem = Problem::error(text);
    let is_secret = path.rsplit(['.', '[']).any(|part| part == "secrets" || part == "public_keys");
    if is_secret && message.starts_with("invalid type: string") {
        problem = problem.suggest("{ env = \"NAME\" } or { file = \"PATH\" }");
    }
    Explained { problem: problem.at(Some(place)), meant: None }
}

fn unknown_key(rest: &str, path: &str, key: &str, place: Place) -> Explained {
    let table = match path.len().checked_sub(key.len() + 1).and_then(|end| path.get(..end)) {
        Some(table) => format!("[{table}]"),
        None => "the configuration".to_owned(),
    };
    if let Some(why) = later::why(path) {
        let problem = Problem::error(format!("{key:?} in {table} is not there yet"))
            .detail(why)
            .at(Some(place));
        return Explained { problem, meant: None };
    }
    let (_, expected) = rest.split_once(", ").unwrap_or((rest, ""));
    let names = in_backticks(expected);
    let problem = Problem::error(format!("unknown key {key:?} in {table}"));
    let meant = meant(key, names.iter().copied()).map(str::to_owned);
    let problem = match &meant {
        Some(name) => {
            let line = place.excerpt.trim().replacen(key, name, 1);
            let line = if line.contains("[redacted]") { format!("{name} = …") } else { line };
            problem.detail(format!("did you mean {name:?}?")).suggest(line)
        }
        None if names.is_empty() => problem.detail("it has no keys"),
        None => problem.detail(format!("its keys are {}", names.join(", "))),
    };
    Explained { problem: problem.at(Some(place)), meant }
}

fn unknown_word(rest: &str, path: &str, place: Place) -> Explained {
    let (word, expected) = rest.split_once(", ").unwrap_or((rest, ""));
    let words = in_backticks(expected);
    let word = word.trim_matches('`');
    let list: Vec<_> = words.iter().map(|w| format!("{w:?}")).collect();
    let problem = Problem::error(format!("{path}: {word:?} is none of {}", list.join(", ")));
    let problem = match meant(word, words.iter().copied()) {
        Some(name) => problem.detail(format!("did you mean {name:?}?")),
        None => problem,
    };
    Explained { problem: problem.at(Some(place)), meant: None }
}

/// `invalid type: FOUND, expected WHAT`, without the value that FOUND holds.
fn found_and_expected(message: &str) -> Option<(&'static str, String)> {
    let (kind, expected) = message.rsplit_once(", expected ")?;
    let found = kind.strip_prefix("invalid type: ").or(kind.strip_prefix("invalid value: "))?;
    let found = match found.split_whitespace().next()? {
        "integer" if found.contains('-') => "a negative number",
        "integer" => "a number",
        "floating" => "a fraction",
        "string" => "a string",
        "boolean" => "a boolean",
        "map" => "a table",
        "sequence" => "an array",
        _ => "something else",
    };
    let expected = match first_line(expected) {
        "u16" | "u32" | "u64" | "usize" => "a whole number from 0 on".to_owned(),
        "a sequence" => "an array".to_owned(),
        "a map" => "a table".to_owned(),
        struct_name if struct_name.starts_with("struct ") => "a table".to_owned(),
        other => other.to_owned(),
    };
    Some((found, expected))
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

fn in_backticks(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The name that was probably meant by a word, if one is near enough.
pub(in crate::config) fn meant<'a>(
    word: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let lower = word.to_ascii_lowercase().replace('-', "_");
    let near = |name: &&str| {
        let plain = name.to_ascii_lowercase().replace('-', "_");
        let distance = strsim::damerau_levenshtein(&lower, &plain);
        let allowed = 1 + lower.chars().count().max(plain.chars().count()) / 4;
        let is_part =
            lower.len().min(plain.len()) >= 3 && (plain.contains(&lower) || lower.contains(&plain));
        (distance <= allowed || is_part).then_some(distance)
    };
    names.into_iter().filter_map(|n| near(&n).map(|d| (d, n))).min().map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(excerpt: &str) -> Place {
        Place { file: "a.toml".into(), line: 1, column: 1, excerpt: excerpt.into() }
    }

    #[test]
    fn an_unknown_key_names_its_table_and_what_was_meant() {
        let message = "unknown field `upstrem`, expected one of `path`, `upstream`";
        let found = explain(message, "routes.a.upstrem", "upstrem", place("upstrem = 1"));
        assert_eq!(found.meant.as_deref(), Some("upstream"));
        assert_eq!(found.problem.message, "unknown key \"upstrem\" in [routes.a]");
        assert_eq!(found.problem.detail.as_deref(), Some("did you mean \"upstream\"?"));
        assert_eq!(found.problem.suggestion.as_deref(), Some("upstream = 1"));
    }

    #[test]
    fn values_are_not_repeated() {
        let message = "invalid type: string \"hunter2, expected\", expected struct Secret";
        let found = explain(message, "routes.a.secrets[0]", "secrets[0]", place("x"));
        assert_eq!(found.problem.message, "routes.a.secrets[0]: expected a table, found a string");
        assert!(found.problem.suggestion.is_some());
    }

    #[test]
    fn near_names() {
        assert_eq!(meant("upstrem", ["path", "upstream"]), Some("upstream"));
        assert_eq!(meant("listen_on", ["listen", "limits"]), Some("listen"));
        assert_eq!(meant("url", ["urls", "timeout"]), Some("urls"));
        assert_eq!(meant("max-size", ["max_size"]), Some("max_size"));
        assert_eq!(meant("zebra", ["path", "upstream"]), None);
    }
}
