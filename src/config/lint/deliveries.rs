//! Deliveries that get lost, come too late or come twice although every check holds.

use std::time::Duration;

use super::{Context, Finding, facts, route_key};
use crate::config::{
    model::{OnError, OnFull, Replay, Route, StatusSet, Target},
    raw::Time,
};

pub(super) fn lint(cx: &mut Context<'_>) {
    for route in cx.routes() {
        deadline(cx, route);
        statuses(cx, route);
        if let Some(replay) = &route.replay {
            let crowded = capacity(cx, route, replay);
            never_again(cx, route, replay, crowded);
        }
    }
}

fn deadline(cx: &mut Context<'_>, route: &Route) {
    let Some(deadline) = facts::deadline(route) else { return };
    let timeout = route.upstream.timeout;
    if timeout <= deadline {
        return;
    }
    let message = format!(
        "the upstream may take {}, but {} waits {} only",
        Time::show(timeout),
        route.provider,
        Time::show(deadline)
    );
    let within = deadline.saturating_sub(Duration::from_millis(500));
    let problem = cx
        .problem(Finding::SlowUpstream, &route_key(route, "upstream.timeout"), message)
        .detail("it would see a failure where the upstream sees a success")
        .suggest(format!("timeout = {:?}", Time::show(within)));
    cx.found.push(problem);
}

/// What a receiver may answer without knowing what its sender makes of it.
fn statuses(cx: &mut Context<'_>, route: &Route) {
    if route.upstream.targets.iter().all(|target| *target == Target::Echo) {
        return;
    }
    let map = &route.upstream.map_status;
    let key = route_key(route, "upstream.map_status");
    let (destructive, lost) = (&route.definition.destructive, &route.definition.final_statuses);
    let seen = |status: u16| map.get(&status).map_or(status, |mapped| mapped.as_u16());
    if (200..600).any(|status| destructive.contains(seen(status))) {
        let message = format!(
            "an upstream of route {} that answers {destructive} ends the subscription at {}",
            route.name, route.provider
        );
        let problem = cx
            .problem(Finding::DestructiveStatus, &key, message)
            .detail("nothing is sent any more until somebody sets it up anew")
            .suggest(mapped(destructive));
        cx.found.push(problem);
    }
    // Whoever maps something has thought of it.
    let is_lost = |status: u16| lost.contains(status) && !destructive.contains(status);
    if map.is_empty() && (400..600).any(is_lost) {
        let message = format!(
            "what an upstream of route {} answers with {lost} is lost: {} never tries again",
            route.name, route.provider
        );
        let problem = cx.problem(Finding::FinalStatus, &key, message).suggest(mapped(lost));
        cx.found.push(problem);
    }
}

/// A map that turns all of these into a failure that is tried again.
fn mapped(statuses: &StatusSet) -> String {
    let statuses = statuses.to_string();
    let pairs: Vec<_> = statuses.split(", ").map(|status| format!("{status} = 503")).collect();
    format!("map_status = {{ {} }}", pairs.join(", "))
}

/// Whether more deliveries are let through within an entry's life than there are entries.
fn capacity(cx: &mut Context<'_>, route: &Route, replay: &Replay) -> bool {
    let Some(quota) = &route.rate_limit.per_route else { return false };
    let life = entry_life(route, replay);
    let needed = f64::from(quota.count.get()) * life.as_secs_f64() / quota.per.as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let capacity = replay.max_entries as f64;
    if needed <= capacity {
        return false;
    }
    let message = format!(
        "route {} may let {needed:.0} deliveries through within the {} that an entry lives, and \
         has {} entries",
        route.name,
        Time::show(life),
        replay.max_entries
    );
    let full = match replay.on_full {
        OnFull::Reject => "when they are used up, deliveries are refused (503)",
        OnFull::Evict => "when they are used up, the oldest are forgotten and can be replayed",
    };
    let problem = cx
        .problem(Finding::ReplayTooSmall, &route_key(route, "replay.max_entries"), message)
        .detail(full)
        .suggest(format!("max_entries = {needed:.0}"));
    cx.found.push(problem);
    true
}

/// How long the longest-lived entry of a delivery stays.
fn entry_life(route: &Route, replay: &Replay) -> Duration {
    if facts::has_event_id(route) {
        return replay.window;
    }
    match facts::tolerance(route) {
        Some(tolerance) => tolerance.saturating_mul(2).saturating_add(route.upstream.timeout),
        None => replay.window,
    }
}

/// A refusal by the store is final where the sender never retries.
///
/// The memory store refuses only when it is full. So this is about a store that is likely to be,
/// or where the operator wrote the refusal down and no policy demands it.
fn never_again(cx: &mut Context<'_>, route: &Route, replay: &Replay, crowded: bool) {
    let refuses = replay.on_full == OnFull::Reject || replay.on_error == OnError::Reject;
    let demanded = cx.loaded.config.policy.require_replay_protection;
    if !refuses || demanded || !facts::never_retries(route) {
        return;
    }
    let written =
        ["replay.on_full", "replay.on_error"].into_iter().find(|key| cx.loaded.map.contains(key));
    if !crowded && written.is_none() {
        return;
    }
    let key = written.map_or_else(|| route_key(route, "replay"), str::to_owned);
    let problem = cx
        .problem(
            Finding::LostWhenRefused,
            &key,
            format!(
                "{} never retries: what the replay store refuses on route {} is lost",
                route.provider, route.name
            ),
        )
        .suggest("a larger replay.max_entries, or on_full = \"evict\"");
    cx.found.push(problem);
}
