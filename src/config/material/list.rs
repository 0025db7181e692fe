//! Address lists from files.

use super::Gatherer;
use crate::config::{Problem, quoted, raw::IpList};

/// What was read of `[ip_lists.NAME]`.
pub(in crate::config) enum ListFile {
    /// It names no file.
    None,
    /// It names one that cannot be read; that was complained about.
    Unread,
    /// The file's content.
    Read(Vec<u8>),
}

impl Gatherer<'_> {
    pub(super) fn list(&self, name: &str, list: &IpList) -> ListFile {
        let Some(path) = &list.file else { return ListFile::None };
        let there = self.disk.resolve(path);
        if list.url.is_some() && !there.exists() {
            // It may come; what is fetched does not wait for it.
            self.disk.remember(there.clone());
            let key = format!("ip_lists.{}.file", quoted(name));
            let text = format!("{key}: there is no file {}", there.display());
            self.problems.push(Problem::warning(text), format_args!("{key}"));
            return ListFile::None;
        }
        match self.file(format_args!("ip_lists.{}.file", quoted(name)), path) {
            Some(bytes) => ListFile::Read(bytes),
            None => ListFile::Unread,
        }
    }
}
