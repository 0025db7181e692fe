//! Address lists that providers publish, as data.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;

/// One list: fixed networks, or where to fetch them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedList {
    /// Where it is documented.
    pub docs: String,
    /// The networks themselves, where the provider's documentation has them and no URL does.
    pub networks: Option<Vec<String>>,
    /// Where it is published.
    pub url: Option<String>,
    /// JSON pointers to the networks.
    pub pointer: Option<Vec<String>>,
    /// Which elements count; all must hold.
    pub filters: Option<Vec<PublishedFilter>>,
}

/// What must stand where in an element.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedFilter {
    /// A JSON pointer below the element.
    pub json: String,
    /// The value.
    pub equals: String,
}

/// The list of this name.
pub fn find(name: &str) -> Option<&'static PublishedList> {
    LISTS.get(name)
}

/// The names of all lists, sorted.
pub fn names() -> impl Iterator<Item = &'static str> {
    LISTS.keys().map(String::as_str)
}

static LISTS: LazyLock<BTreeMap<String, PublishedList>> = LazyLock::new(|| {
    toml::from_str(include_str!("data/lists.toml")).expect("built in, and a test reads it")
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_is_either_fixed_or_fetched() {
        for name in names() {
            let list = find(name).unwrap();
            assert!(list.docs.starts_with("https://"), "{name}");
            assert!(list.networks.is_some() != list.url.is_some(), "{name}");
            assert_eq!(list.pointer.is_some(), list.url.is_some(), "{name}");
        }
        assert!(find("github").is_some() && find("nobody").is_none());
    }
}
