//! `[replay]` and `[routes.X.replay]`.

use std::time::Duration;

use super::{Context, keys};
use crate::{
    config::{
        model::{OnReplay, Replay, ReplayStore, Route, StatusSet},
        quoted, raw,
    },
    verify::{
        Algorithm, Definition, Scheme,
        definition::{Retries, raw::RawRepeats},
    },
};

const DEFAULT_WINDOW: Duration = Duration::from_secs(24 * 3600);
const WINDOWS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(90 * 24 * 3600));
/// Marks a route that did not say how large its share is; [`share`] puts the number there.
const UNSAID: usize = 0;

pub(super) fn store(cx: &Context<'_>, raw: Option<&raw::SharedReplay>) -> ReplayStore {
    let none = raw::SharedReplay::default();
    let raw = raw.unwrap_or(&none);
    let key = format_args!("replay.max_entries");
    ReplayStore {
        max_entries: keys::count(cx, key, raw.max_entries, 1_000_000),
        on_full: raw.on_full.unwrap_or_default(),
        on_error: raw.on_error.unwrap_or_default(),
    }
}

/// A route's rules; `None` where it is disabled or there is nothing to key on.
pub(super) fn route(
    cx: &Context<'_>,
    route: &str,
    raw: Option<&raw::RouteReplay>,
    definition: &Definition,
    scheme: &Scheme,
    store: &ReplayStore,
) -> Option<Replay> {
    let none = raw::RouteReplay::default();
    let raw = raw.unwrap_or(&none);
    let can = can_tell_copies(definition, scheme);
    if raw.enabled == Some(true) && !can {
        cx.problems.error(
            format_args!("routes.{route}.replay.enabled"),
            format_args!(
                "{} signs nothing that could tell one delivery from another",
                definition.name
            ),
        );
    }
    let key = format_args!("routes.{route}.replay.window");
    let window = keys::time(cx, key, raw.window, DEFAULT_WINDOW, WINDOWS);
    let key = format_args!("routes.{route}.replay.max_entries");
    let max_entries = keys::count(cx, key, raw.max_entries, UNSAID);
    let commit_on = commit_on(cx, route, raw.commit_on.as_deref());
    (can && raw.enabled != Some(false)).then(|| Replay {
        window,
        max_entries,
        on_full: store.on_full,
        on_error: store.on_error,
        on_replay: raw.on_replay.unwrap_or_else(|| default_on_replay(definition)),
        on_duplicate: raw.on_duplicate.unwrap_or_default(),
        commit_on,
    })
}

/// Where the provider's own retries are the same bytes again, a refusal would count as a failed
/// delivery and in the end disable the webhook.
fn default_on_replay(definition: &Definition) -> OnReplay {
    match definition.retries {
        Some(Retries::Identical) => OnReplay::Acknowledge,
        Some(Retries::Fresh | Retries::None) | None => OnReplay::Reject,
    }
}

/// Whether there is something to key on: signed bytes, or an event id that a token vouches for;
/// and whether copies mean anything.
fn can_tell_copies(definition: &Definition, scheme: &Scheme) -> bool {
    let coverage = scheme.coverage();
    let vouches = |algorithm: &Algorithm| matches!(algorithm, Algorithm::None | Algorithm::Token);
    let signs = coverage.algorithms.iter().any(|algorithm| !vouches(algorithm));
    let recurs = matches!(definition.written().repeats, Some(RawRepeats::Always(true)));
    (signs || coverage.event_id.is_some()) && !recurs
}

fn commit_on(cx: &Context<'_>, route: &str, raw: Option<&[String]>) -> StatusSet {
    let default = || StatusSet::parse(["2xx"]).expect("a pattern of statuses");
    let Some(patterns) = raw else { return default() };
    let key = format_args!("routes.{route}.replay.commit_on");
    if patterns.is_empty() {
        cx.problems.error(key, "nothing would ever be remembered; leave the key out for 2xx");
    }
    for (number, pattern) in patterns.iter().enumerate() {
        if StatusSet::parse([pattern.as_str()]).is_none() {
            cx.problems.error(
                format_args!("{key}[{number}]"),
                format_args!("{pattern:?} is no status such as \"2xx\" or \"204\""),
            );
        }
    }
    StatusSet::parse(patterns.iter().map(String::as_str)).unwrap_or_else(default)
}

/// Shares the store out: what routes claim for themselves first, the rest in equal parts.
pub(super) fn share(cx: &Context<'_>, store: &ReplayStore, routes: &mut [Route]) {
    let mut claimed: usize = 0;
    let mut others: usize = 0;
    let mut last = None;
    for route in routes.iter() {
        match &route.replay {
            Some(replay) if replay.max_entries == UNSAID => others += 1,
            Some(replay) => {
                claimed = claimed.saturating_add(replay.max_entries);
                last = Some(&route.name);
            }
            None => {}
        }
    }
    let rest = store.max_entries.checked_sub(claimed);
    let part = rest.and_then(|rest| rest.checked_div(others)).unwrap_or(0);
    let is_short = rest.is_none() || (others > 0 && part == 0);
    if is_short {
        let key = last.map_or("replay.max_entries".to_owned(), |name| {
            format!("routes.{}.replay.max_entries", quoted(name))
        });
        let text = match rest {
            None => format!(
                "all shares together are {claimed} entries, and replay.max_entries is {}",
                store.max_entries
            ),
            Some(rest) => format!("{rest} entries are left for {others} routes"),
        };
        cx.problems.error(format_args!("{key}"), text);
    }
    for replay in routes.iter_mut().filter_map(|route| route.replay.as_mut()) {
        if replay.max_entries == UNSAID {
            replay.max_entries = part.max(1);
        }
    }
}
