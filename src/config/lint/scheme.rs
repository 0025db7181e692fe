//! What a provider's scheme proves, and what it leaves open.

use std::{collections::HashSet, time::Duration};

use super::{Context, Finding, facts, route_key};
use crate::{
    config::{
        model::{Check, FilterSubject, Route},
        raw::Time,
    },
    providers,
    verify::{Algorithm, definition::Evidence},
};

/// With a tolerance above this a delivery that somebody kept stays good for too long.
const WIDE: Duration = Duration::from_secs(600);

pub(super) fn lint(cx: &mut Context<'_>) {
    for route in cx.routes() {
        algorithm(cx, route);
        unproven(cx, route);
        tolerance(cx, route);
        monitored(cx, route);
        events(cx, route);
        filters(cx, route);
        unprotected(cx, route);
    }
    definitions(cx);
}

fn is_weak(algorithm: &Algorithm) -> bool {
    matches!(
        algorithm,
        Algorithm::HmacSha1 | Algorithm::RsaSha1 | Algorithm::Sha1 | Algorithm::Token
    )
}

fn algorithm(cx: &mut Context<'_>, route: &Route) {
    let accepted = facts::algorithms(route);
    let Some(weak) = accepted.iter().find(|algorithm| is_weak(algorithm)) else { return };
    let key = route_key(route, "provider");
    if accepted.iter().any(|algorithm| !is_weak(algorithm)) {
        let problem = cx
            .problem(
                Finding::WeakAlgorithm,
                &key,
                format!("route {} also accepts {}", route.name, weak.as_str()),
            )
            .detail(format!("{} has better, and an attacker chooses", route.provider))
            .suggest(format!("policy.forbid_algorithms = [{:?}]", weak.as_str()));
        cx.found.push(problem);
    } else if let Some(better) = better(&route.provider) {
        let problem = cx
            .problem(
                Finding::WeakAlgorithm,
                &key,
                match weak {
                    Algorithm::Token => format!(
                        "route {} only compares a token, which proves nothing about the body",
                        route.name
                    ),
                    other => format!("route {} relies on {}", route.name, other.as_str()),
                },
            )
            .detail("the provider has better")
            .suggest(format!("provider = {better:?}"));
        cx.found.push(problem);
    }
}

/// A built-in definition of the same provider with a strong signature: `gitlab-signing` for
/// `gitlab`.
fn better(provider: &str) -> Option<&'static str> {
    let stem = |name: &str| name.split('-').next().unwrap_or_default().to_owned();
    let docs = providers::raw(provider)?.docs.as_deref();
    providers::names().filter(|other| stem(other) == stem(provider)).find(|other| {
        let Some(raw) = providers::raw(other).filter(|raw| raw.docs.as_deref() == docs) else {
            return false;
        };
        let mut algorithms = raw
            .signature
            .iter()
            .flat_map(|candidates| &candidates.0)
            .map(|candidate| candidate.algorithm.as_deref().and_then(Algorithm::parse));
        algorithms.all(|algorithm| algorithm.is_some_and(|algorithm| !is_weak(&algorithm)))
    })
}

/// Where nothing is proven, at least not everybody should be let in.
fn unproven(cx: &mut Context<'_>, route: &Route) {
    let is_narrow = route.allow_from.is_some() || route.client_certificate.is_some();
    if !facts::accepts_anybody(route) || is_narrow {
        return;
    }
    let problem = cx
        .problem(
            Finding::Unproven,
            &route_key(route, "provider"),
            format!(
                "route {} takes what anybody sends: {} proves nothing",
                route.name, route.provider
            ),
        )
        .detail("let in only the sender's addresses or its client certificate")
        .suggest("allow_from = [\"192.0.2.0/24\"]   # or [routes.X.client_certificate]");
    cx.found.push(problem);
}

fn tolerance(cx: &mut Context<'_>, route: &Route) {
    let Some(tolerance) = facts::tolerance(route).filter(|tolerance| *tolerance > WIDE) else {
        return;
    };
    let problem = cx
        .problem(
            Finding::WideTolerance,
            &route_key(route, "tolerance"),
            format!(
                "route {} has a tolerance of {}, more than {}",
                route.name,
                Time::show(tolerance),
                Time::show(WIDE)
            ),
        )
        .detail("a delivery that somebody kept passes for that long")
        .suggest("tolerance = \"5m\"");
    cx.found.push(problem);
}

fn monitored(cx: &mut Context<'_>, route: &Route) {
    for (check, follows) in [
        (Check::Signature, "anybody's deliveries reach the upstream"),
        (Check::Timestamp, "deliveries of any age reach the upstream"),
        (Check::Replay, "copies reach the upstream"),
    ] {
        if !route.monitor.contains(&check) {
            continue;
        }
        let problem = cx
            .problem(
                Finding::MonitoredProof,
                &route_key(route, "monitor"),
                format!("route {} only monitors its {check}", route.name),
            )
            .detail(follows)
            .suggest(format!("take {:?} out of monitor", check.as_str()));
        cx.found.push(problem);
    }
}

fn events(cx: &mut Context<'_>, route: &Route) {
    let key = match (route.events.is_empty(), route.body.schemas.is_empty()) {
        (false, _) => "events",
        (true, false) => "body.schemas",
        (true, true) => return,
    };
    let Some(sources) = facts::uncovered_type(route) else { return };
    let problem = cx
        .problem(
            Finding::UncoveredEvents,
            &route_key(route, key),
            format!(
                "route {} tells events apart by {sources}, which {} does not sign",
                route.name, route.provider
            ),
        )
        .detail("whoever holds one signed delivery can give it another type");
    cx.found.push(problem);
}

fn filters(cx: &mut Context<'_>, route: &Route) {
    for (at, filter) in route.filters.iter().enumerate() {
        let (covered, what) = match &filter.subject {
            FilterSubject::Json(_) => (facts::body_is_covered(route), "the body".to_owned()),
            FilterSubject::Header(name) => {
                (facts::covers_header(route, name), format!("the header {name}"))
            }
            FilterSubject::Query(name) => {
                (facts::covers_query(route), format!("the query parameter {name}"))
            }
        };
        if covered {
            continue;
        }
        let key = route_key(route, &format!("filters[{at}]"));
        let problem = cx
            .problem(
                Finding::UncoveredEvents,
                &key,
                format!(
                    "a filter of route {} reads {what}, which {} does not sign",
                    route.name, route.provider
                ),
            )
            .detail("whoever holds one signed delivery can change it");
        cx.found.push(problem);
    }
}

fn unprotected(cx: &mut Context<'_>, route: &Route) {
    let provider = &route.provider;
    let mut notes = Vec::new();
    if facts::accepts_anybody(route) {
        notes.push(format!(
            "{provider} signs nothing: whoever knows the address can make deliveries"
        ));
    } else if facts::accepts_token(route) {
        notes.push(format!(
            "{provider} compares a token: whoever sees one delivery can make others"
        ));
    } else if !facts::body_is_covered(route) {
        notes.push(format!("{provider} does not sign the body: a signature passes with any other"));
    }
    if facts::proof_expires(route) {
        // A copy is as old as its token at most.
    } else if !facts::time_is_covered(route) {
        notes.push(match &route.replay {
            Some(replay) => {
                let window = Time::show(replay.window);
                format!("{provider} signs no timestamp: a copy older than {window} is accepted")
            }
            None => format!("{provider} signs no timestamp: a copy of any age is accepted"),
        });
    } else if route.replay.is_none() {
        let tolerance = facts::tolerance(route).unwrap_or(WIDE);
        notes.push(format!(
            "route {} has no replay protection: a copy is accepted for {}",
            route.name,
            Time::show(tolerance)
        ));
    }
    for note in notes {
        let problem = cx.problem(Finding::Unprotected, &route_key(route, "provider"), note);
        cx.found.push(problem);
    }
}

/// Once a definition, however many routes use it.
fn definitions(cx: &mut Context<'_>) {
    let mut seen = HashSet::new();
    for route in cx.routes() {
        if !seen.insert(&route.provider) {
            continue;
        }
        let provider = &route.provider;
        let open = route.definition.open.iter();
        let mut notes: Vec<_> =
            open.map(|open| format!("{provider}: not confirmed: {open}")).collect();
        if route.definition.evidence == Some(Evidence::ThirdParty) {
            let note = "known from third parties only, not from its own pages";
            notes.push(format!("{provider}: {note}"));
        }
        for note in notes {
            let problem = cx.problem(Finding::OpenDetail, &route_key(route, "provider"), note);
            cx.found.push(problem);
        }
    }
}
