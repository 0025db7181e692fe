//! `[providers.*]` beside the built-in ones.

use std::{collections::BTreeMap, sync::Arc};

use super::{Context, keys};
use crate::{
    config::{Problem, quoted, raw},
    providers,
    verify::Definition,
};

/// Every provider that a route may name.
pub(super) struct Providers {
    /// `None`: its problems were reported.
    own: BTreeMap<String, Option<Arc<Definition>>>,
}

impl Providers {
    /// Checks the configuration's own definitions.
    pub(super) fn check(cx: &Context<'_>, raw: &BTreeMap<String, raw::Provider>) -> Self {
        let checked = raw.iter().map(|(name, raw)| (name.clone(), check(cx, name, raw)));
        Self { own: checked.collect() }
    }

    pub(super) fn find(&self, name: &str) -> Option<Arc<Definition>> {
        match self.own.get(name) {
            Some(own) => own.clone(),
            None => providers::builtin(name).cloned(),
        }
    }

    /// Whether there is such a provider, but one with problems.
    pub(super) fn is_broken(&self, name: &str) -> bool {
        matches!(self.own.get(name), Some(None))
    }

    /// The configuration's own names first.
    pub(super) fn names(&self) -> Vec<&str> {
        let own = self.own.keys().map(String::as_str);
        own.chain(providers::names().map(|name| -> &str { name })).collect()
    }
}

fn check(cx: &Context<'_>, name: &str, raw: &raw::Provider) -> Option<Arc<Definition>> {
    let key = format!("providers.{}", quoted(name));
    keys::name(cx, format_args!("{key}"), name, "provider");
    if providers::raw(name).is_some() {
        let problem = Problem::error(format!("{key}: {name:?} is a built-in provider"))
            .detail("the names of built-in providers are reserved")
            .suggest(format!("[providers.my-{name}]"));
        cx.problems.push(problem, format_args!("{key}"));
        return None;
    }
    match Definition::check(name, raw.clone()) {
        Ok(definition) => Some(Arc::new(definition)),
        Err(problems) => {
            for found in problems {
                let key = format!("{key}.{}", found.path);
                let mut problem = Problem::error(format!("{key}: {}", found.message));
                if let Some(meant) = found.suggestion {
                    problem = problem.detail(format!("did you mean {meant:?}?"));
                }
                cx.problems.push(problem, format_args!("{key}"));
            }
            None
        }
    }
}
