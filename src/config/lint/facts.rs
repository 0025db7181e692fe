//! What lints, policy and `routes` ask of a route.

use std::{collections::BTreeSet, time::Duration};

use http::HeaderName;

use crate::{
    config::model::{Check, Route},
    verify::{Algorithm, Coverage, definition::Retries},
};

/// Every algorithm that the route accepts.
pub(crate) fn algorithms(route: &Route) -> &BTreeSet<Algorithm> {
    &coverage(route).algorithms
}

/// Whether a token alone can be enough.
pub(crate) fn accepts_token(route: &Route) -> bool {
    coverage(route).token
}

/// Whether a message that proves nothing can be enough.
pub(crate) fn accepts_anybody(route: &Route) -> bool {
    coverage(route).unproven
}

/// Whether whatever verifies covers the whole body.
pub(crate) fn body_is_covered(route: &Route) -> bool {
    coverage(route).body
}

/// Whether whatever verifies covers a timestamp.
pub(crate) fn time_is_covered(route: &Route) -> bool {
    coverage(route).timestamp == Some(true)
}

/// Whether whatever verifies says itself until when it holds.
pub(crate) fn proof_expires(route: &Route) -> bool {
    coverage(route).expires
}

/// Whether deliveries carry an id that counts.
pub(crate) fn has_event_id(route: &Route) -> bool {
    coverage(route).event_id.is_some()
}

/// By what events are told apart, for people, if that is not covered.
pub(crate) fn uncovered_type(route: &Route) -> Option<String> {
    let sources = route.definition.written().event.kind.iter().flat_map(|kinds| &kinds.0);
    let spoken: Vec<_> = sources
        .map(|source| match source.split_once(':') {
            Some(("header", name)) => format!("the header {name}"),
            Some(("json", pointer)) => format!("the body's {pointer}"),
            Some((kind, name)) => format!("the {kind} parameter {name}"),
            None => format!("the {source}"),
        })
        .collect();
    (coverage(route).event_type == Some(false)).then(|| spoken.join(" or "))
}

/// How long the sender waits, where that is known.
pub(crate) fn deadline(route: &Route) -> Option<Duration> {
    route.definition.deadline
}

/// Whether the sender never tries again.
pub(crate) fn never_retries(route: &Route) -> bool {
    route.definition.retries == Some(Retries::None)
}

/// Whether whatever verifies covers the header.
pub(crate) fn covers_header(route: &Route, name: &HeaderName) -> bool {
    coverage(route).headers.contains(name.as_str())
}

/// Whether whatever verifies covers the query.
pub(crate) fn covers_query(route: &Route) -> bool {
    coverage(route).query
}

/// The tolerance in force; `None` where there is no timestamp.
pub(crate) fn tolerance(route: &Route) -> Option<Duration> {
    coverage(route).timestamp.map(|_| route.scheme.tolerance())
}

/// Each secret's number and the shortest key that it makes, in bytes after decoding.
pub(crate) fn key_lengths(route: &Route) -> Vec<(usize, usize)> {
    let shortest = |id: &str| {
        route.keys.lengths().filter(|(other, _)| *other == id).map(|(_, length)| length).min()
    };
    let secrets = route.secrets.iter().enumerate();
    secrets.filter_map(|(at, secret)| Some((at, shortest(&secret.id)?))).collect()
}

/// What the signature covers, for people.
pub(crate) fn covered(route: &Route) -> Vec<String> {
    let coverage = coverage(route);
    let named = [
        ("body", coverage.body),
        ("timestamp", coverage.timestamp == Some(true)),
        ("event id", coverage.event_id == Some(true)),
        ("event type", coverage.event_type == Some(true)),
        ("query", coverage.query),
    ];
    let named = named.into_iter().filter(|(_, covered)| *covered).map(|(name, _)| name.to_owned());
    named.chain(coverage.headers.iter().map(|name| format!("header {name}"))).collect()
}

/// Whether the route has the check at all, enforced or monitored.
pub(crate) fn is_in_force(route: &Route, check: Check) -> bool {
    match check {
        Check::Route | Check::Claim | Check::Body => true,
        Check::Transport => route.require_https,
        Check::Source => route.allow_from.is_some(),
        Check::RateLimit => {
            let limits = &route.rate_limit;
            limits.per_source.is_some() || limits.failures.is_some() || limits.per_route.is_some()
        }
        Check::Signature => true,
        Check::Timestamp => coverage(route).timestamp.is_some(),
        Check::Handshake => !route.scheme.handshakes().is_empty(),
        Check::Replay => route.replay.is_some(),
        Check::Events => !route.events.is_empty() || !route.filters.is_empty(),
        Check::Schema => {
            let body = &route.body;
            body.schema.is_some() || !body.schemas.is_empty() || !body.content_types.is_empty()
        }
    }
}

fn coverage(route: &Route) -> &Coverage {
    route.scheme.coverage()
}
