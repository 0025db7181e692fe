//! Collects the problems of the second stage.

use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
    fmt,
};

use super::{KeyMap, Problem, Severity};

/// How many problems are shown in one run.
pub(super) const LIMIT: usize = 50;

/// Takes every problem; knows where keys stand and which were already complained about.
pub(super) struct Problems<'a> {
    map: &'a KeyMap,
    unusable: &'a HashSet<String>,
    list: RefCell<Vec<Problem>>,
}

impl<'a> Problems<'a> {
    pub(super) fn new(map: &'a KeyMap, unusable: &'a HashSet<String>) -> Self {
        Self { map, unusable, list: RefCell::default() }
    }

    /// An error about a key's value.
    pub(super) fn error(&self, key: fmt::Arguments<'_>, message: impl fmt::Display) {
        self.push(Problem::error(format!("{key}: {message}")), key);
    }

    /// An error about a key's value, with what to write instead.
    pub(super) fn error_try(
        &self,
        key: fmt::Arguments<'_>,
        message: impl fmt::Display,
        suggestion: impl Into<String>,
    ) {
        self.push(Problem::error(format!("{key}: {message}")).suggest(suggestion), key);
    }

    /// An error about a word that is none of a list.
    pub(super) fn unknown<'n>(
        &self,
        key: fmt::Arguments<'_>,
        what: &str,
        word: &str,
        names: impl IntoIterator<Item = &'n str>,
    ) {
        let problem = Problem::error(format!("{key}: {word:?} is no {what}"));
        let names: Vec<_> = names.into_iter().collect();
        let problem = match super::read::meant(word, names.iter().copied()) {
            Some(name) => problem.detail(format!("did you mean {name:?}?")),
            None if names.is_empty() => problem.detail("there is none"),
            None => {
                let some: Vec<_> = names.iter().copied().take(12).collect();
                let more = if names.len() > some.len() { ", …" } else { "" };
                problem.detail(format!("there is {}{more}", some.join(", ")))
            }
        };
        self.push(problem, key);
    }

    /// A required key is not there.
    pub(super) fn missing(&self, key: fmt::Arguments<'_>, why: &str, example: &str) {
        let key = key.to_string();
        let mut tables = key.match_indices('.').filter_map(|(at, _)| key.get(..at));
        let is_known = |path: &str| self.unusable.contains(path);
        let of_array = format!("{key}[]");
        if !self.unusable.is_empty()
            && (is_known(&key) || is_known(&of_array) || tables.any(is_known))
        {
            return;
        }
        let problem = Problem::error(format!("{key} is missing")).detail(why).suggest(example);
        self.push(problem, format_args!("{key}"));
    }

    /// A problem about a key's value.
    pub(super) fn push(&self, problem: Problem, key: fmt::Arguments<'_>) {
        let key = key.to_string();
        if self.is_hearsay(&key) {
            return;
        }
        let mut list = self.list.borrow_mut();
        // Beyond the limit problems are only counted: finding a line's place is what costs.
        let errors = list.len() >= LIMIT * 4 && problem.severity == Severity::Error;
        let place = || self.map.value(&key).or_else(|| self.map.start());
        let place = if errors { None } else { place() };
        list.push(problem.at(place));
    }

    /// Whether the key is in, or is, what could not be read: nothing certain is known of it.
    fn is_hearsay(&self, key: &str) -> bool {
        if self.unusable.is_empty() || !key.ends_with(']') && !key.contains("].") {
            return false;
        }
        let arrays = key.match_indices('[').filter_map(|(at, _)| key.get(..at));
        let mut arrays = arrays.map(|array| format!("{array}[]"));
        let inside = format!("{key}.");
        arrays.any(|array| self.unusable.contains(&array))
            || self.unusable.iter().any(|unusable| unusable.starts_with(&inside))
    }

    pub(super) fn into_list(self) -> Vec<Problem> {
        self.list.into_inner()
    }
}

/// The problems in file order, cut after [`LIMIT`].
pub(super) fn finish(mut list: Vec<Problem>, map: &KeyMap) -> Vec<Problem> {
    let files: HashMap<_, _> =
        map.sources().iter().enumerate().map(|(number, s)| (s.path(), number)).collect();
    let order = |problem: &Problem| {
        let at = problem.at.as_ref();
        let file = at.and_then(|at| files.get(at.file.as_path()).copied());
        (file.unwrap_or(usize::MAX), at.map_or(0, |at| at.line), at.map_or(0, |at| at.column))
    };
    list.sort_by_cached_key(order);
    if list.len() > LIMIT {
        // The errors are what keeps the configuration from loading: they are shown first.
        list.sort_by_key(|problem| problem.severity != Severity::Error);
        let more = list.len() - LIMIT;
        list.truncate(LIMIT);
        list.push(Problem::error(format!("and {more} more")));
    }
    list
}
