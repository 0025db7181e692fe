//! `[ip_lists.*]`, the built-in ones, and `allow_from`, which names them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
    time::Duration,
};

use ipnet::IpNet;
use serde_json::Value;

use super::{Context, address, keys};
use crate::{
    config::{
        material::ListFile,
        model::{AllowFrom, IpList},
        quoted, raw,
    },
    net::{Shape, Target, list::ShapeError, network},
    providers,
};

/// How often a list is fetched if nothing is said.
const REFRESH: Duration = Duration::from_secs(6 * 3600);
const REFRESH_BOUNDS: (Duration, Duration) =
    (Duration::from_secs(60), Duration::from_secs(7 * 24 * 3600));

/// Every list that is defined.
pub(super) struct IpLists(BTreeMap<String, List>);

enum List {
    /// It was complained about.
    Broken,
    /// It is what it is.
    Fixed(Vec<IpNet>),
    /// It changes.
    Fetched(Arc<IpList>),
}

impl IpLists {
    pub(super) fn check(
        cx: &Context<'_>,
        raw: &BTreeMap<String, raw::IpList>,
        mut files: BTreeMap<String, ListFile>,
    ) -> Self {
        let lists = raw.iter().map(|(name, list)| {
            keys::name(cx, format_args!("ip_lists.{}", quoted(name)), name, "list");
            let file = files.remove(name).unwrap_or(ListFile::None);
            (name.clone(), self::list(cx, name, list, file).unwrap_or(List::Broken))
        });
        Self(lists.collect())
    }

    /// The networks of a route's `allow_from`, and the lists that it names.
    pub(super) fn allow_from(
        &self,
        cx: &Context<'_>,
        key: fmt::Arguments<'_>,
        texts: &[String],
    ) -> AllowFrom {
        let (named, written): (Vec<_>, Vec<_>) =
            texts.iter().enumerate().partition(|(_, text)| text.starts_with('@'));
        let mut out = AllowFrom::default();
        let mut fetched = BTreeMap::new();
        for (number, text) in named {
            let name = text.strip_prefix('@').unwrap_or(text);
            let key = format!("{key}[{number}]");
            match self.0.get(name) {
                Some(List::Broken) => {}
                Some(List::Fixed(networks)) => out.networks.extend(networks),
                Some(List::Fetched(list)) => {
                    fetched.insert(name, Arc::clone(list));
                }
                None => match builtin(name) {
                    Some(List::Fetched(list)) => {
                        fetched.insert(name, list);
                    }
                    Some(List::Fixed(networks)) => out.networks.extend(networks),
                    Some(List::Broken) | None => {
                        let mut names: BTreeSet<String> = self.0.keys().cloned().collect();
                        names.extend(providers::lists::names().map(str::to_owned));
                        let names = names.iter().map(String::as_str);
                        cx.problems.unknown(format_args!("{key}"), "address list", name, names);
                    }
                },
            }
        }
        for (number, text) in written {
            out.networks.extend(address::network(cx, format_args!("{key}[{number}]"), text));
        }
        out.networks.sort_unstable();
        out.networks.dedup();
        out.lists = fetched.into_values().collect();
        out
    }
}

/// `None` only if a problem was reported.
fn list(cx: &Context<'_>, name: &str, raw: &raw::IpList, file: ListFile) -> Option<List> {
    let at = quoted(name);
    if raw.file.is_none() && raw.url.is_none() {
        let key = format_args!("ip_lists.{at}.url");
        cx.problems.missing(key, "the list itself, or `file`", "url = \"https://…\"");
        return None;
    }
    let refresh =
        keys::time(cx, format_args!("ip_lists.{at}.refresh"), raw.refresh, REFRESH, REFRESH_BOUNDS);
    if raw.refresh.is_some() && raw.url.is_none() {
        let key = format_args!("ip_lists.{at}.refresh");
        cx.problems.error(key, "without a `url` nothing is fetched; a reload reads the file again");
    }
    let shape = shape(cx, &at, raw);
    let url = raw.url.as_deref().map(|url| {
        let wrong = |why| {
            let key = format_args!("ip_lists.{at}.url");
            cx.problems.error(key, format_args!("it {why}"));
        };
        Target::configured(url).map_err(wrong)
    });
    let file = match file {
        ListFile::None => None,
        ListFile::Unread => return None,
        ListFile::Read(bytes) => Some(contents(cx, &at, raw, shape.as_ref()?, &bytes)?),
    };
    match (url, file) {
        (Some(url), file) => {
            let list = IpList { name: name.into(), url: url.ok()?, shape: shape?, refresh, file };
            Some(List::Fetched(Arc::new(list)))
        }
        (None, file) => Some(List::Fixed(file?)),
    }
}

fn shape(cx: &Context<'_>, at: &str, raw: &raw::IpList) -> Option<Shape> {
    let pointers = raw.pointer.iter().flat_map(|pointers| &pointers.0).map(String::as_str);
    let mut filters = Vec::new();
    for (number, filter) in raw.filters.iter().flatten().enumerate() {
        let key = format!("ip_lists.{at}.filters[{number}]");
        let Some(json) = &filter.json else {
            let key = format_args!("{key}.json");
            cx.problems.missing(key, "where to look in the element", "json = \"/product/*\"");
            return None;
        };
        let Some(equals) = &filter.equals else {
            let key = format_args!("{key}.equals");
            cx.problems.missing(key, "what must stand there", "equals = \"…\"");
            return None;
        };
        filters.push((json.as_str(), equals.0.clone()));
    }
    match Shape::new(pointers, filters) {
        Ok(shape) => Some(shape),
        Err(wrong) => {
            let key = match &wrong {
                ShapeError::Pointer { number, .. } => format!("pointer[{number}]"),
                ShapeError::Filter { number, .. } => format!("filters[{number}].json"),
                ShapeError::NothingToFilter => "filters".to_owned(),
            };
            cx.problems.error(format_args!("ip_lists.{at}.{key}"), wrong);
            None
        }
    }
}

fn contents(
    cx: &Context<'_>,
    at: &str,
    raw: &raw::IpList,
    shape: &Shape,
    bytes: &[u8],
) -> Option<Vec<IpNet>> {
    let networks = match shape.read(bytes) {
        Ok(networks) if networks.is_empty() => Err("the list is empty".to_owned()),
        other => other,
    };
    match networks {
        Ok(networks) => Some(networks),
        Err(why) => {
            let path = cx.disk.resolve(raw.file.as_deref()?);
            let text = format!("{}: {why}", path.display());
            cx.problems.error(format_args!("ip_lists.{at}.file"), text);
            None
        }
    }
}

/// A list that needs no section; `None` if there is none of that name.
fn builtin(name: &str) -> Option<List> {
    let list = providers::lists::find(name)?;
    if let Some(url) = &list.url {
        let pointers = list.pointer.iter().flatten().map(String::as_str);
        let filters = list.filters.iter().flatten();
        let filters = filters.map(|filter| (&*filter.json, Value::from(&*filter.equals)));
        let shape = Shape::new(pointers, filters).ok()?;
        let url = Target::configured(url).ok()?;
        let list = IpList { name: name.into(), url, shape, refresh: REFRESH, file: None };
        return Some(List::Fetched(Arc::new(list)));
    }
    let networks = list.networks.iter().flatten().map(|text| network::parse(text).ok());
    networks.collect::<Option<_>>().map(List::Fixed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_list_is_sound() {
        for name in providers::lists::names() {
            match builtin(name) {
                Some(List::Fixed(networks)) => assert!(!networks.is_empty(), "{name}"),
                Some(List::Fetched(list)) => assert_eq!(&*list.name, name),
                Some(List::Broken) | None => panic!("{name}"),
            }
        }
        assert!(builtin("nobody").is_none());
    }
}
