//! One configuration file's text, and how a byte offset in it is shown.

use std::{
    ops::Range,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use zeroize::Zeroizing;

use super::{problem::Place, redact::Hidden};

/// A file that was read; its text may hold inline secrets, so it is wiped when dropped.
pub(super) struct Source {
    path: PathBuf,
    text: Zeroizing<String>,
    line_starts: Vec<usize>,
    hidden: OnceLock<Hidden>,
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
        let hidden = self.hidden.get_or_init(|| Hidden::find(&self.text));
        hidden.redact(&self.text, line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one_in_characters() {
        let source = Source::new("a.toml".into(), "id = 1\nid = \"ü\" # x\n".into());
        assert_eq!((source.place(0).line, source.place(0).column), (1, 1));
        let place = source.place(15);
        assert_eq!((place.line, place.column, place.excerpt.as_str()), (2, 8, "id = \"ü\""));
        assert_eq!(source.place(10_000).line, 3);
    }
}
