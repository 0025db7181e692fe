//! What the TOML parser says, with the first definition beside a second one.

use crate::config::{Problem, problems::LIMIT, source::Source};

/// One problem per syntax error, but none for what only follows from another; and the line from
/// which on nothing else can be believed.
pub(super) fn problems(source: &Source, errors: &[toml::de::Error]) -> (Vec<Problem>, usize) {
    let mut out = Vec::new();
    let mut in_second_table = false;
    for error in errors.iter().take(LIMIT) {
        let place = source.place(error.span().map_or(0, |span| span.start));
        let message = error.message().lines().next().unwrap_or_default();
        if out
            .last()
            .is_some_and(|last: &Problem| last.at.as_ref().is_some_and(|at| at.line == place.line))
        {
            continue;
        }
        if message.contains("array") && begins_something(&place.excerpt) {
            // The rest of the file is read as elements: nothing more can be said about it.
            let problem = Problem::error("the array before this line is not closed");
            let line = place.line;
            out.push(problem.suggest("]").at(Some(place)));
            return (out, line);
        }
        if !message.contains("duplicate key") {
            out.push(Problem::error(message).at(Some(place)));
            continue;
        }
        let is_header = place.excerpt.trim_start().starts_with('[');
        let first = first_definition(source.text(), place.line);
        if !is_header && first.is_none() && in_second_table {
            continue;
        }
        in_second_table = is_header;
        let mut problem = Problem::error("defined twice").at(Some(place));
        if let Some(line) = first {
            let file = source.path().display();
            problem = problem.detail(format!("first defined at {file}:{line}"));
        }
        out.push(problem);
    }
    (out, usize::MAX)
}

/// Whether a line is a table's header or defines a key.
fn begins_something(line: &str) -> bool {
    let line = line.trim();
    let key = line.split_once('=').map_or("", |(key, _)| key.trim());
    let is_key = |b: u8| b.is_ascii_alphanumeric() || b"_-.".contains(&b);
    line.starts_with('[') && line.ends_with(']') || !key.is_empty() && key.bytes().all(is_key)
}

/// The line of the earlier definition of what the given line defines.
fn first_definition(text: &str, line: usize) -> Option<usize> {
    let lines: Vec<&str> = text.lines().collect();
    let name = |line: &str| -> Option<String> {
        let line = line.trim();
        let end = if line.starts_with('[') { line.find(']')? + 1 } else { line.find('=')? };
        let name = line.get(..end)?;
        Some(name.chars().filter(|c| !c.is_whitespace() && *c != '"' && *c != '\'').collect())
    };
    let second = name(lines.get(line.checked_sub(1)?)?)?;
    let is_header = second.starts_with('[');
    for (number, text) in lines.iter().enumerate().take(line - 1).rev() {
        if name(text).as_deref() == Some(second.as_str()) {
            return Some(number + 1);
        }
        if !is_header && text.trim_start().starts_with('[') {
            return None;
        }
    }
    None
}
