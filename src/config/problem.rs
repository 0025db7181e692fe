//! What is wrong with a configuration, where, and what was probably meant.

use std::{
    fmt::{self, Write as _},
    path::PathBuf,
};

use serde::Serialize;

/// How much a problem matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The configuration is refused.
    Error,
    /// Something will hurt; `check --strict` refuses it.
    Warning,
    /// Worth knowing.
    Note,
}

impl Severity {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A position in a configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, as it was named or found.
    pub file: PathBuf,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// The line's text, secrets in it replaced.
    pub excerpt: String,
}

/// One thing that is wrong, or worth knowing, about a configuration.
///
/// Its texts never hold a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// How much it matters.
    pub severity: Severity,
    /// Where it is; `None` for what is about no single line.
    pub at: Option<Place>,
    /// What is wrong: a lowercase fragment without a trailing period.
    pub message: String,
    /// Why, or what follows from it.
    pub detail: Option<String>,
    /// What to write instead.
    pub suggestion: Option<String>,
}

impl Problem {
    /// A problem without a place.
    pub fn new(severity: Severity, message: impl Into<String>) -> Self {
        let message = of_one_line(message.into());
        Self { severity, at: None, message, detail: None, suggestion: None }
    }

    /// An error.
    pub fn error(message: impl Into<String>) -> Self {
        Self::new(Severity::Error, message)
    }

    /// A warning.
    pub fn warning(message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, message)
    }

    /// A note.
    pub fn note(message: impl Into<String>) -> Self {
        Self::new(Severity::Note, message)
    }

    /// Says where it is.
    #[must_use]
    pub fn at(mut self, place: Option<Place>) -> Self {
        self.at = place;
        self
    }

    /// Says why, or what follows from it.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(of_one_line(detail.into()));
        self
    }

    /// Says what to write instead.
    #[must_use]
    pub fn suggest(mut self, suggestion: impl Into<String>) -> Self {
        self.suggestion = Some(of_one_line(suggestion.into()));
        self
    }

    /// The problem as one element of `check --format json`.
    pub fn to_json(&self) -> serde_json::Value {
        let finding = Finding {
            severity: self.severity.as_str(),
            file: self.at.as_ref().map(|at| at.file.display().to_string()),
            line: self.at.as_ref().map(|at| at.line),
            column: self.at.as_ref().map(|at| at.column),
            message: match &self.detail {
                Some(detail) => format!("{}: {detail}", self.message),
                None => self.message.clone(),
            },
            suggestion: self.suggestion.as_deref(),
        };
        serde_json::to_value(finding).unwrap_or_default()
    }
}

/// Several problems as one text, as an error that holds them shows itself.
pub fn listed(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[derive(Serialize)]
struct Finding<'a> {
    severity: &'static str,
    file: Option<String>,
    line: Option<usize>,
    column: Option<usize>,
    message: String,
    suggestion: Option<&'a str>,
}

impl fmt::Display for Problem {
    /// Writes the problem for people, over several lines, the last without a line break.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.severity, printable(&self.message))?;
        let width = match &self.at {
            Some(at) => {
                let width = at.line.to_string().len();
                let file = at.file.display().to_string();
                let file = printable(&file);
                write!(f, "\n{:width$}--> {file}:{}:{}", "", at.line, at.column)?;
                let line = shortened(&printable(at.excerpt.trim_end()));
                write!(f, "\n{} | {line}", at.line)?;
                width
            }
            None => 1,
        };
        if let Some(detail) = &self.detail {
            write!(f, "\n{:width$} | {}", "", printable(detail))?;
        }
        if let Some(suggestion) = &self.suggestion {
            write!(f, "\n{:width$} = try: {}", "", printable(suggestion))?;
        }
        Ok(())
    }
}

/// The beginning of a line that fills more than a screen's width or two.
fn shortened(line: &str) -> String {
    match line.char_indices().nth(LONGEST_LINE) {
        Some((at, _)) => format!("{}…", line.split_at(at).0),
        None => line.to_owned(),
    }
}

const LONGEST_LINE: usize = 160;

/// The text with control characters escaped: a file may hold what would move a terminal's cursor.
fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => out.push_str("    "),
            c if c.is_control() => {
                let _infallible = write!(out, "{}", c.escape_default());
            }
            c => out.push(c),
        }
    }
    out
}

/// The text, unless it quotes a value of several lines: that is a string whose closing quote is
/// missing, and what it swallowed may hold secrets.
fn of_one_line(text: String) -> String {
    let is_escaped = |at: usize| {
        let before = text.as_bytes().get(..at).unwrap_or_default();
        before.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
    };
    let swallowed = memchr::memchr_iter(b'n', text.as_bytes()).any(is_escaped);
    if !swallowed && !text.contains('\n') {
        return text;
    }
    let before = text.split(['"', '`']).next().unwrap_or_default();
    format!("{before}a text of several lines: a closing quote is missing, or three are too many")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_several_lines_is_not_quoted() {
        let quoted = "secrets = [{ value = \"hunter2\" }]\n";
        for text in [format!("a.b: {quoted:?} is no size"), format!("a.b: `{quoted}` is none of")] {
            let problem = Problem::error(text.clone()).detail(text.clone()).suggest(text);
            assert!(!format!("{problem:?}").contains("hunter2"), "{problem:?}");
            assert!(problem.message.starts_with("a.b: a text of several lines"), "{problem:?}");
        }
        let pattern = r"a\nb";
        assert!(Problem::error(format!("{pattern:?}")).message.contains("nb"));
    }

    fn problem() -> Problem {
        Problem::error("every request would be refused (403 insecure_transport)")
            .at(Some(Place {
                file: "hookward.toml".into(),
                line: 11,
                column: 1,
                excerpt: "require_https = true".into(),
            }))
            .detail("the only listener is plain HTTP, and server.trusted_proxies is empty")
            .suggest("trusted_proxies = [\"10.244.0.0/16\"]   # your ingress")
    }

    #[test]
    fn it_reads_as_the_design_shows() {
        let want = "\
error: every request would be refused (403 insecure_transport)
  --> hookward.toml:11:1
11 | require_https = true
   | the only listener is plain HTTP, and server.trusted_proxies is empty
   = try: trusted_proxies = [\"10.244.0.0/16\"]   # your ingress";
        assert_eq!(problem().to_string(), want);
    }

    #[test]
    fn json_has_exactly_the_documented_fields() {
        let json = problem().to_json();
        let keys: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
        let mut want = vec!["severity", "file", "line", "column", "message", "suggestion"];
        want.sort_unstable();
        let mut keys = keys;
        keys.sort_unstable();
        assert_eq!(keys, want);
        assert_eq!(json["line"], 11);
        assert_eq!(Problem::note("x").to_json()["file"], serde_json::Value::Null);
    }

    #[test]
    fn escape_sequences_do_not_reach_the_terminal() {
        let mut bad = problem();
        bad.message = "a \u{1b}[2J b".into();
        assert!(!bad.to_string().contains('\u{1b}'));
    }
}
