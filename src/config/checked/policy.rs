//! `[policy]`: the floor as a value. Whether routes keep to it is judged elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use super::Context;
use crate::{
    config::{
        Problem,
        model::{Check, Exception, Policy},
        quoted,
        raw::{self, Raw},
        read::meant,
    },
    verify::Algorithm,
};

/// What an exception may allow besides an algorithm: the keys of `[policy]`.
const EXCEPTIONS: &[&str] = &[
    "https",
    "signature",
    "timestamp",
    "replay_protection",
    "allow_from",
    "max_tolerance",
    "min_window",
    "min_secret_bytes",
    "may_monitor",
];

pub(super) fn policy(cx: &Context<'_>, config: &Raw) -> Policy {
    let Some(raw) = &config.policy else { return Policy::default() };
    Policy {
        require_https: raw.require_https.unwrap_or(false),
        require_signature: raw.require_signature.unwrap_or(false),
        require_timestamp: raw.require_timestamp.unwrap_or(false),
        require_replay_protection: raw.require_replay_protection.unwrap_or(false),
        require_allow_from: raw.require_allow_from.unwrap_or(false),
        forbid_algorithms: algorithms(cx, raw.forbid_algorithms.as_deref().unwrap_or_default()),
        max_tolerance: raw.max_tolerance.map(|time| time.0),
        min_window: raw.min_window.map(|time| time.0),
        min_secret_bytes: raw.min_secret_bytes.map(|bytes| bytes as usize),
        may_monitor: raw.may_monitor.as_deref().map(|n| checks(cx, "policy.may_monitor", n)),
        exceptions: exceptions(cx, raw, config),
    }
}

fn algorithms(cx: &Context<'_>, names: &[String]) -> BTreeSet<Algorithm> {
    let mut out = BTreeSet::new();
    for (number, name) in names.iter().enumerate() {
        match Algorithm::parse(name) {
            Some(algorithm) => {
                out.insert(algorithm);
            }
            None => cx.problems.unknown(
                format_args!("policy.forbid_algorithms[{number}]"),
                "algorithm",
                name,
                Algorithm::ALL.iter().map(|algorithm| algorithm.as_str()),
            ),
        }
    }
    out
}

/// Checks that may be monitored, by name.
pub(super) fn checks(cx: &Context<'_>, key: &str, names: &[String]) -> BTreeSet<Check> {
    let mut out = BTreeSet::new();
    for (number, name) in names.iter().enumerate() {
        match Check::MONITORABLE.iter().find(|check| check.as_str() == name) {
            Some(check) => {
                out.insert(*check);
            }
            None => cx.problems.unknown(
                format_args!("{key}[{number}]"),
                "check that can be monitored",
                name,
                Check::MONITORABLE.iter().map(|check| check.as_str()),
            ),
        }
    }
    out
}

fn exceptions(cx: &Context<'_>, policy: &raw::Policy, config: &Raw) -> BTreeMap<String, Exception> {
    let mut out = BTreeMap::new();
    for (route, raw) in policy.exceptions.iter().flatten() {
        let key = format!("policy.exceptions.{}", quoted(route));
        if !config.routes.contains_key(route) {
            let routes = config.routes.keys().map(String::as_str);
            let mut problem = Problem::warning(format!("{key}: there is no route {route:?}"));
            if let Some(name) = meant(route, routes) {
                problem = problem.detail(format!("did you mean {name:?}?"));
            }
            cx.problems.push(problem, format_args!("{key}"));
        }
        out.insert(route.clone(), exception(cx, &key, raw));
    }
    out
}

fn exception(cx: &Context<'_>, key: &str, raw: &raw::Exception) -> Exception {
    let allowed = raw.allow.as_deref().unwrap_or_default();
    if allowed.is_empty() {
        let allow = format_args!("{key}.allow");
        cx.problems.missing(allow, "what the route may do", "allow = [\"token\"]");
    }
    let mut allow = BTreeSet::new();
    for (number, name) in allowed.iter().enumerate() {
        let short = name.strip_prefix("require_").unwrap_or(name);
        if EXCEPTIONS.contains(&short) || Algorithm::parse(short).is_some() {
            allow.insert(short.to_owned());
        } else {
            let algorithms = Algorithm::ALL.iter().map(|algorithm| algorithm.as_str());
            let names = EXCEPTIONS.iter().copied().chain(algorithms);
            let at = format_args!("{key}.allow[{number}]");
            cx.problems.unknown(at, "algorithm or key of [policy]", short, names);
        }
    }
    let until = raw.until.map(|when| when.0);
    if until.is_some_and(|until| until <= cx.now) {
        let text = format!("{key}.until: the exception has expired");
        let problem = Problem::error(text).detail("the route falls below the policy from then on");
        cx.problems.push(problem, format_args!("{key}.until"));
    }
    for (name, is_there, why) in [
        ("until", until.is_some(), "an exception without an end is a rule"),
        ("owner", raw.owner.is_some(), "nobody answers for the exception"),
        ("reason", raw.reason.is_some(), "nobody knows why the exception is there"),
    ] {
        if !is_there {
            let problem = Problem::warning(format!("{key}.{name} is missing")).detail(why);
            cx.problems.push(problem, format_args!("{key}"));
        }
    }
    Exception {
        allow,
        until,
        owner: raw.owner.clone().unwrap_or_default(),
        reason: raw.reason.clone().unwrap_or_default(),
    }
}
