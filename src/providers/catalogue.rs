//! The list of built-in definitions, and how one is found.
//!
//! Each definition is parsed and checked when it is first asked for: a configuration that uses two
//! providers pays for two.

use std::sync::{Arc, LazyLock, OnceLock};

use crate::verify::{Definition, RawDefinition};

/// Every built-in definition, sorted by name.
pub fn all() -> &'static [Arc<Definition>] {
    static ALL: LazyLock<Vec<Arc<Definition>>> =
        LazyLock::new(|| ENTRIES.iter().map(|entry| Arc::clone(entry.definition())).collect());
    &ALL
}

/// The built-in definition of this name.
pub fn builtin(name: &str) -> Option<&'static Arc<Definition>> {
    entry(name).map(Entry::definition)
}

/// The definition that a case of a vector file is about.
///
/// A case names a provider and perhaps a variant of its scheme: the definition of both names, or one
/// with that variant among its aliases. Where definitions have other variants of it there, this one
/// is a fork of the scheme that is not built in; where none has, it is no fork but a manner of
/// sending, and the provider's definition judges it.
pub fn by_case(provider: &str, variant: Option<&str>) -> Option<&'static Arc<Definition>> {
    let whole = || builtin(provider).or_else(|| aliased(|alias| alias == provider));
    let Some(variant) = variant else { return whole() };
    let both = builtin(&format!("{provider}-{variant}"));
    if both.is_some() {
        return both;
    }
    let forks = |alias: &str| alias.split_once('/').is_some_and(|(of, _)| of == provider);
    match aliased(forks) {
        Some(_) => aliased(|alias| alias.split_once('/') == Some((provider, variant))),
        None => whole(),
    }
}

/// The names of all built-in definitions, sorted.
pub fn names() -> impl Iterator<Item = &'static str> {
    ENTRIES.iter().map(|entry| entry.name)
}

/// The built-in definition of this name as it is written.
pub fn raw(name: &str) -> Option<&'static RawDefinition> {
    entry(name).map(Entry::raw)
}

/// The TOML text of the built-in definition of this name.
pub fn source(name: &str) -> Option<&'static str> {
    entry(name).map(|entry| entry.source)
}

struct Entry {
    name: &'static str,
    source: &'static str,
    raw: OnceLock<RawDefinition>,
    definition: OnceLock<Arc<Definition>>,
}

impl Entry {
    const fn new(name: &'static str, source: &'static str) -> Self {
        Self { name, source, raw: OnceLock::new(), definition: OnceLock::new() }
    }

    fn raw(&self) -> &RawDefinition {
        self.raw.get_or_init(|| {
            toml::from_str(self.source).expect("built in, and a test reads every one of them")
        })
    }

    fn definition(&self) -> &Arc<Definition> {
        self.definition.get_or_init(|| {
            let checked = Definition::check(self.name, self.raw().clone());
            Arc::new(checked.expect("built in, and a test checks every one of them"))
        })
    }
}

fn entry(name: &str) -> Option<&'static Entry> {
    ENTRIES.binary_search_by(|entry| entry.name.cmp(name)).ok().and_then(|at| ENTRIES.get(at))
}

fn aliased(is: impl Fn(&str) -> bool) -> Option<&'static Arc<Definition>> {
    let has = |entry: &&Entry| entry.raw().aliases.iter().flatten().any(|alias| is(alias));
    ENTRIES.iter().find(has).map(Entry::definition)
}

// `ENTRIES`: a file each, sorted by name.
include!(concat!(env!("OUT_DIR"), "/catalogue.rs"));

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_list_is_sorted() {
        assert!(names().is_sorted() && names().count() >= 73);
    }

    #[test]
    fn every_definition_reads_and_says_what_it_must() {
        for name in names() {
            let raw = raw(name).unwrap();
            let docs = raw.docs.as_deref().unwrap_or_default();
            assert!(docs.starts_with("https://"), "{name}: docs");
            let evidence = raw.evidence.as_deref().unwrap_or_default();
            assert!(matches!(evidence, "sdk" | "docs" | "third-party"), "{name}: evidence");
            assert!(raw.title.is_some() && raw.retries.is_some(), "{name}: title, retries");
            assert!(raw.sample.is_some(), "{name}: sample");
        }
    }

    #[test]
    fn a_case_finds_its_definition() {
        let found = |provider, variant| by_case(provider, variant).map(|found| &*found.name);
        assert_eq!(found("box", None), Some("box"));
        assert_eq!(found("box", Some("secondary")), Some("box"));
        assert_eq!(found("meta-whatsapp", None), Some("meta"));
        assert_eq!(found("hubspot", Some("v3")), Some("hubspot"));
        assert_eq!(found("hubspot", Some("v1")), Some("hubspot-v1"));
        assert_eq!(found("hubspot", Some("v4")), None);
        assert_eq!(found("gitlab", Some("signing-token")), Some("gitlab-signing"));
        assert_eq!(found("gitlab", Some("secret-token")), Some("gitlab"));
        assert_eq!(found("twilio", Some("form")), Some("twilio"));
        assert_eq!(found("cloudinary", Some("sha256")), Some("cloudinary-sha256"));
        assert_eq!(found("cloudinary", Some("sha1")), Some("cloudinary"));
    }

    #[test]
    fn aliases_are_unambiguous_and_hide_no_name() {
        let mut seen = BTreeSet::new();
        for name in names() {
            for alias in raw(name).unwrap().aliases.iter().flatten() {
                assert!(seen.insert(alias), "{name}: {alias} is taken twice");
                assert!(entry(alias).is_none(), "{name}: {alias} is a definition");
            }
        }
    }
}
