//! Payload schemas: JSON Schema, compiled at load, kept behind this one module.
//!
//! A schema is one file and the files beside it that it refers to. Nothing is ever fetched, patterns
//! run in time linear to their text (no look-around, no back-references), and what a violation says
//! about the sender's content is short and free of control characters.

mod beside;
mod compile;

use std::{
    fmt,
    path::{Path, PathBuf},
};

use serde_json::Value;

/// The longest description of a violation, in characters.
const MAX_VIOLATION_CHARS: usize = 200;

/// A compiled schema.
pub struct Schema {
    file: PathBuf,
    validator: jsonschema::Validator,
}

impl Schema {
    /// Compiles the schema `text`, which was read from `path`, and whatever files it refers to.
    ///
    /// `read` is asked for the content of files inside `path`'s own directory only. The second part
    /// of the result names the files that were read that way, sorted: they are part of what the
    /// schema means, so `--watch` looks at them too.
    ///
    /// # Errors
    ///
    /// One text that says what is wrong and where: no JSON, not a valid schema of its draft, a
    /// pattern that could run away, or a reference that is remote, leaves the directory or leads
    /// nowhere.
    pub fn compile(
        path: &Path,
        text: &[u8],
        read: &dyn Fn(&Path) -> std::io::Result<Vec<u8>>,
    ) -> Result<(Self, Vec<PathBuf>), String> {
        let (validator, files) = compile::compile(path, text, read)?;
        Ok((Self { file: path.to_owned(), validator }, files))
    }

    /// Judges a payload.
    ///
    /// # Errors
    ///
    /// The first violation: where (a JSON pointer) and what. At most 200 characters, without the
    /// sender's values.
    pub fn validate(&self, payload: &Value) -> Result<(), String> {
        // Nearly every delivery is valid, and asking only that much is several times faster.
        if self.validator.is_valid(payload) {
            return Ok(());
        }
        match self.validator.validate(payload) {
            Ok(()) => Ok(()),
            Err(error) => Err(violation(&error)),
        }
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Schema").field("file", &self.file).finish_non_exhaustive()
    }
}

fn violation(error: &jsonschema::ValidationError<'_>) -> String {
    let pointer = error.instance_path().as_str();
    let place = if pointer.is_empty() { "the payload" } else { pointer };
    bounded(&format!("{}: {}", bounded(place, 100), error.masked()), MAX_VIOLATION_CHARS)
}

/// Keeps the first characters of a text that a stranger may have written, on one line.
fn bounded(text: &str, max_chars: usize) -> String {
    let clean = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    if text.chars().nth(max_chars).is_none() {
        return text.chars().map(clean).collect();
    }
    text.chars().take(max_chars.saturating_sub(1)).map(clean).chain(['…']).collect()
}

#[cfg(test)]
mod tests;
