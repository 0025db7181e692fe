//! The main file and those that it includes, merged.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::{Path, PathBuf},
};

use super::tables::{self, Tables};
use crate::config::{KeyMap, Problem, disk, quoted, raw::Raw, source::Source};

/// Everything that was read.
pub(in crate::config) struct Files {
    pub(in crate::config) raw: Raw,
    pub(in crate::config) map: KeyMap,
    pub(in crate::config) problems: Vec<Problem>,
    /// Keys that are not to be reported as missing.
    pub(in crate::config) unusable: HashSet<String>,
    /// Whether every file is TOML; if not, what is missing is not known.
    pub(in crate::config) well_formed: bool,
}

/// Reads the main file and its includes.
pub(in crate::config) fn read_all(path: &Path) -> Result<Files, Vec<Problem>> {
    let main = read_source(path).map_err(|message| vec![Problem::error(message)])?;
    let Tables { raw, problems, unusable, well_formed } = tables::read(&main, false);
    let patterns = raw.include.clone().unwrap_or_default();
    let mut files = Merging {
        origin: HashMap::new(),
        maps: HashMap::new(),
        out: Files { raw: Raw::default(), map: KeyMap::default(), problems, unusable, well_formed },
        sources: vec![main],
    };
    files.remember(&raw, 0);
    files.out.raw = raw;
    for included in files.find(path, &patterns) {
        match read_source(&included) {
            Ok(source) => files.add(source),
            Err(message) => files.out.problems.push(Problem::error(message)),
        }
    }
    let Merging { mut out, sources, .. } = files;
    out.map = KeyMap::new(sources);
    Ok(out)
}

fn read_source(path: &Path) -> Result<Source, String> {
    match disk::read(path).map(String::from_utf8) {
        Ok(Ok(text)) => Ok(Source::new(path.to_owned(), text)),
        Ok(Err(_)) => Err(format!("{} is not UTF-8", path.display())),
        Err(error) => Err(format!("cannot read {}: {error}", path.display())),
    }
}

struct Merging {
    out: Files,
    sources: Vec<Source>,
    /// Which file defined a table.
    origin: HashMap<(&'static str, String), usize>,
    /// Where keys stand in one file: the map of all is made when all files are there, and knows one
    /// place of a key. Each is made once, however many problems its file has.
    maps: HashMap<usize, KeyMap>,
}

impl Merging {
    /// The files that the patterns name, sorted, each once.
    fn find(&mut self, main: &Path, patterns: &[String]) -> Vec<PathBuf> {
        let base = main.parent().unwrap_or(Path::new(""));
        let mut found = Vec::new();
        for (number, pattern) in patterns.iter().enumerate() {
            let prefix = glob::Pattern::escape(&base.to_string_lossy());
            let whole = Path::new(&prefix).join(pattern);
            match glob::glob(&whole.to_string_lossy()) {
                Ok(paths) => {
                    let before = found.len();
                    for path in paths {
                        match path {
                            // A link that leads nowhere is kept, so that reading it says so.
                            Ok(path) if path.is_dir() => {}
                            Ok(path) => found.push(path),
                            Err(error) => self.include_problem(number, &error.to_string()),
                        }
                    }
                    if found.len() == before {
                        self.include_problem(number, &format!("{pattern:?} matches no file"));
                    }
                }
                Err(error) => {
                    self.include_problem(
                        number,
                        &format!("{pattern:?} is no pattern: {}", error.msg),
                    );
                }
            }
        }
        found.sort();
        found.dedup();
        let itself = main.canonicalize().ok();
        found.retain(|path| path.canonicalize().ok() != itself);
        found
    }

    fn include_problem(&mut self, number: usize, message: &str) {
        let key = format!("include[{number}]");
        let place = self.map_of(0).and_then(|main| main.value(&key));
        self.out.problems.push(Problem::error(format!("include: {message}")).at(place));
    }

    fn map_of(&mut self, number: usize) -> Option<&KeyMap> {
        let source = self.sources.get(number)?;
        let copy = || Source::new(source.path().to_owned(), source.text().to_owned());
        Some(self.maps.entry(number).or_insert_with(|| KeyMap::new(vec![copy()])))
    }

    fn add(&mut self, source: Source) {
        let number = self.sources.len();
        let read = tables::read(&source, true);
        self.out.problems.extend(read.problems);
        self.out.unusable.extend(read.unusable);
        self.out.well_formed &= read.well_formed;
        self.sources.push(source);
        let Raw { routes, ip_lists, providers, .. } = read.raw;
        let mut twice = Vec::new();
        let origin = &mut self.origin;
        merge("routes", &mut self.out.raw.routes, routes, number, origin, &mut twice);
        merge("ip_lists", &mut self.out.raw.ip_lists, ip_lists, number, origin, &mut twice);
        merge("providers", &mut self.out.raw.providers, providers, number, origin, &mut twice);
        for (table, name, first) in twice {
            self.report_twice(table, &name, first, number);
        }
    }

    fn remember(&mut self, raw: &Raw, number: usize) {
        let routes = raw.routes.keys().map(|name| ("routes", name));
        let lists = raw.ip_lists.keys().map(|name| ("ip_lists", name));
        let providers = raw.providers.keys().map(|name| ("providers", name));
        for (table, name) in routes.chain(lists).chain(providers) {
            self.origin.insert((table, name.clone()), number);
        }
    }

    fn report_twice(&mut self, table: &'static str, name: &str, first: usize, second: usize) {
        let key = format!("{table}.{}", quoted(name));
        let mut place = |number: usize| self.map_of(number)?.key(&key);
        let mut problem = Problem::error(format!("{key} is defined twice")).at(place(second));
        if let Some(at) = place(first) {
            problem = problem.detail(format!("first defined at {}:{}", at.file.display(), at.line));
        }
        self.out.problems.push(problem);
    }
}

fn merge<T>(
    table: &'static str,
    into: &mut BTreeMap<String, T>,
    from: BTreeMap<String, T>,
    number: usize,
    origin: &mut HashMap<(&'static str, String), usize>,
    twice: &mut Vec<(&'static str, String, usize)>,
) {
    for (name, value) in from {
        let key = (table, name);
        if let Some(first) = origin.get(&key) {
            twice.push((table, key.1, *first));
            continue;
        }
        into.insert(key.1.clone(), value);
        origin.insert(key, number);
    }
}
