//! What the TOML parser says, with the first definition beside a second one.

use crate::config::{Problem, source::Source};

/// One problem per syntax error.
pub(super) fn problem(source: &Source, error: &toml::de::Error) -> Problem {
    let offset = error.span().map_or(0, |span| span.start);
    let place = source.place(offset);
    let message = error.message().lines().next().unwrap_or_default().to_owned();
    let mut problem = Problem::error(message.clone());
    if message.contains("duplicate key") {
        problem = Problem::error("defined twice");
        if let Some(line) = first_definition(source.text(), place.line) {
            problem =
                problem.detail(format!("first defined at {}:{line}", source.path().display()));
        }
    }
    problem.at(Some(place))
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
