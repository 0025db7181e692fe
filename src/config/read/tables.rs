//! One file's tables: each is deserialized on its own, so that a problem in one route costs the
//! others nothing.

use std::collections::{BTreeMap, HashSet};

use serde::de::DeserializeOwned;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{message, prune, syntax};
use crate::config::{Problem, problems::LIMIT, quoted, raw::Raw, source::Source};

/// The top-level keys, in the order in which they are documented.
const TABLES: &[&str] = &[
    "include",
    "server",
    "admin",
    "log",
    "fetch",
    "replay",
    "policy",
    "routes",
    "ip_lists",
    "providers",
];
/// What an included file may hold.
const INCLUDABLE: &[&str] = &["routes", "ip_lists", "providers"];

/// One file, as far as it could be read.
#[derive(Default)]
pub(super) struct Tables {
    pub(super) raw: Raw,
    pub(super) problems: Vec<Problem>,
    /// Keys that were there but could not be used, and those that were probably meant by them:
    /// they are not to be reported as missing.
    pub(super) unusable: HashSet<String>,
    /// Whether the text is TOML.
    pub(super) well_formed: bool,
}

/// Reads one file's text.
pub(super) fn read(source: &Source, included: bool) -> Tables {
    let (doc, errors) = DeTable::parse_recoverable(source.text());
    let mut reader =
        Reader { source, out: Tables { well_formed: errors.is_empty(), ..Tables::default() } };
    let (problems, end) = syntax::problems(source, &errors);
    let count = problems.len();
    reader.out.problems = problems;
    let broken: HashSet<_> =
        reader.out.problems.iter().filter_map(|p| p.at.as_ref().map(|at| at.line)).collect();
    for (key, value) in doc.into_inner() {
        reader.entry(&key, value, included);
    }
    // What the parser made up after a syntax error is not worth a second problem.
    let mut seen = 0;
    reader.out.problems.retain(|problem| {
        seen += 1;
        let is_sound = |line: usize| line < end && !broken.contains(&line);
        seen <= count || problem.at.as_ref().is_none_or(|at| is_sound(at.line))
    });
    reader.out
}

struct Reader<'a> {
    source: &'a Source,
    out: Tables,
}

impl Reader<'_> {
    fn entry(
        &mut self,
        key: &Spanned<std::borrow::Cow<'_, str>>,
        value: Spanned<DeValue<'_>>,
        included: bool,
    ) {
        let name = key.get_ref().as_ref();
        if included && TABLES.contains(&name) && !INCLUDABLE.contains(&name) {
            let problem = Problem::error(format!("{name:?} may not stand in an included file"))
                .detail("included files hold routes, providers and ip_lists only")
                .at(Some(self.source.place(key.span().start)));
            self.out.problems.push(problem);
            return;
        }
        match name {
            "include" => self.out.raw.include = self.table(name, &value),
            "server" => self.out.raw.server = self.table(name, &value),
            "admin" => self.out.raw.admin = self.table(name, &value),
            "log" => self.out.raw.log = self.table(name, &value),
            "fetch" => self.out.raw.fetch = self.table(name, &value),
            "replay" => self.out.raw.replay = self.table(name, &value),
            "policy" => self.out.raw.policy = self.table(name, &value),
            "routes" => self.out.raw.routes = self.named(name, value),
            "ip_lists" => self.out.raw.ip_lists = self.named(name, value),
            "providers" => self.out.raw.providers = self.named(name, value),
            _ => {
                let list: Vec<_> = TABLES.iter().map(|t| format!("`{t}`")).collect();
                let text = format!("unknown field `{name}`, expected one of {}", list.join(", "));
                self.report(&text, name, name, key.span().start, "");
            }
        }
    }

    /// A table of named tables.
    fn named<T: DeserializeOwned + Default>(
        &mut self,
        path: &str,
        value: Spanned<DeValue<'_>>,
    ) -> BTreeMap<String, T> {
        let span = value.span();
        let DeValue::Table(table) = value.into_inner() else {
            let text = "invalid type: something, expected a table";
            self.report(text, path, path, span.start, "");
            return BTreeMap::new();
        };
        let mut out = BTreeMap::new();
        for (key, value) in table {
            let name = key.into_inner().into_owned();
            let path = format!("{path}.{}", quoted(&name));
            let table = self.table(&path, &value);
            // A route that cannot be read is still defined: nothing that names it is wrong.
            out.insert(name, table.unwrap_or_default());
        }
        out
    }

    fn table<T: DeserializeOwned>(
        &mut self,
        path: &str,
        value: &Spanned<DeValue<'_>>,
    ) -> Option<T> {
        let room = LIMIT.saturating_sub(self.out.problems.len()).max(1);
        let read = prune::read(value, room);
        for found in read.found {
            let whole = match found.path.as_str() {
                "" => path.to_owned(),
                below if below.starts_with('[') => format!("{path}{below}"),
                below => format!("{path}.{below}"),
            };
            let key = if found.path.is_empty() { path } else { &found.key };
            self.report(&found.message, &whole, key, found.span.start, path);
        }
        if read.value.is_none() {
            self.out.unusable.insert(path.to_owned());
        }
        read.value
    }

    fn report(&mut self, message: &str, path: &str, key: &str, offset: usize, table: &str) {
        let explained = message::explain(message, path, key, self.source.place(offset));
        if let Some(meant) = explained.meant {
            let parent = path.strip_suffix(key).unwrap_or(table);
            self.out.unusable.insert(format!("{parent}{meant}"));
        }
        // An array that lost an element counts its other elements wrong from here on.
        if path.ends_with(']')
            && let Some((array, _)) = path.rsplit_once('[')
        {
            self.out.unusable.insert(format!("{array}[]"));
        }
        self.out.unusable.insert(path.to_owned());
        self.out.problems.push(explained.problem);
    }
}
