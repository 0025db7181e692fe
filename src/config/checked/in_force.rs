//! What is in force on a route, value by value, with where it comes from.

use std::fmt::Write as _;

use crate::config::{
    model::{
        Check, InForce, OnDuplicate, OnError, OnFull, OnReplay, OnUnlisted, Origin, Quota, Route,
        Target,
    },
    raw::{self, Raw, Size, Time},
};

/// Fills in a finished route's rows.
pub(super) fn fill(route: &mut Route, raw: &Raw) {
    let Some(table) = raw.routes.get(&*route.name) else { return };
    let mut rows = Rows { out: Vec::with_capacity(32) };
    heading(&mut rows, route, table);
    source(&mut rows, route, table);
    content(&mut rows, route, table);
    replay(&mut rows, route, table, raw);
    rates(&mut rows, route);
    upstream(&mut rows, route, table);
    route.in_force = rows.out;
}

struct Rows {
    out: Vec<InForce>,
}

impl Rows {
    fn push(&mut self, key: &'static str, value: String, origin: Origin) {
        self.out.push(InForce { key, value, origin });
    }

    /// A value that is the route's own if it is written there, else of the given origin.
    fn own(&mut self, key: &'static str, value: String, is_written: bool, otherwise: Origin) {
        self.push(key, value, if is_written { Origin::Route } else { otherwise });
    }
}

fn heading(rows: &mut Rows, route: &Route, raw: &raw::Route) {
    if !route.hosts.is_empty() {
        rows.push("host", array(&route.hosts), Origin::Route);
    }
    rows.push("path", array(&route.paths), Origin::Route);
    let methods: Vec<_> = route.methods.iter().map(|method| method.as_str()).collect();
    rows.own("methods", array(&methods), raw.methods.is_some(), Origin::Provider);
    rows.push("provider", text(&route.provider), Origin::Route);
    let ids: Vec<_> = route.secrets.iter().map(|secret| &*secret.id).collect();
    if !ids.is_empty() {
        rows.push("secrets", array(&ids), Origin::Route);
    }
    let ids: Vec<_> = route.public_keys.iter().map(|key| &*key.id).collect();
    if !ids.is_empty() {
        rows.own("public_keys", array(&ids), raw.public_keys.is_some(), Origin::Provider);
    }
    if !route.expect.is_empty() {
        let names: Vec<_> = route.expect.keys().collect();
        rows.push("expect", array(&names), Origin::Route);
    }
}

fn source(rows: &mut Rows, route: &Route, raw: &raw::Route) {
    if let Some(written) = &raw.allow_from {
        rows.push("allow_from", array(written), Origin::Route);
    }
    if let Some(written) = &raw.client_certificate {
        let kinds =
            [("subject", &written.subject), ("san", &written.san), ("sha256", &written.sha256)];
        let kinds = kinds.into_iter().filter_map(|(name, texts)| Some((name, texts.as_ref()?)));
        let kinds: Vec<_> =
            kinds.map(|(name, list)| format!("{name} = {}", array(&list.0))).collect();
        rows.push("client_certificate", format!("{{ {} }}", kinds.join(", ")), Origin::Route);
    }
    let origin = if route.require_https { Origin::Policy } else { Origin::Default };
    rows.push("require_https", route.require_https.to_string(), origin);
    if route.scheme.coverage().timestamp.is_some() {
        let tolerance = duration(route.scheme.tolerance());
        rows.own("tolerance", tolerance, raw.tolerance.is_some(), Origin::Provider);
    }
    let monitor: Vec<_> = route.monitor.iter().copied().map(Check::as_str).collect();
    rows.own("monitor", array(&monitor), raw.monitor.is_some(), Origin::Default);
}

fn content(rows: &mut Rows, route: &Route, raw: &raw::Route) {
    let events = if route.events.is_empty() { array(&["*"]) } else { array(&route.events) };
    rows.own("events", events, raw.events.is_some(), Origin::Default);
    if !route.filters.is_empty() {
        rows.push("filters", format!("{} filters", route.filters.len()), Origin::Route);
    }
    let unlisted = match route.on_unlisted_event {
        OnUnlisted::Acknowledge => "acknowledge",
        OnUnlisted::Reject => "reject",
    };
    let written = raw.on_unlisted_event.is_some();
    rows.own("on_unlisted_event", text(unlisted), written, Origin::Default);
    let body = raw.body.as_ref();
    let written = body.is_some_and(|body| body.max_size.is_some());
    let by_provider = route.definition.max_size.is_some();
    let otherwise = if by_provider { Origin::Provider } else { Origin::Default };
    let size = Size::show(route.body.max_size as u64);
    rows.own("body.max_size", text(&size), written, otherwise);
    if !route.body.content_types.is_empty() {
        rows.push("body.content_types", array(&route.body.content_types), Origin::Route);
    }
    if let Some(path) = body.and_then(|body| body.schema.as_ref()) {
        rows.push("body.schema", text(&path.to_string_lossy()), Origin::Route);
    }
    if !route.body.schemas.is_empty() {
        let kinds: Vec<_> = route.body.schemas.keys().collect();
        rows.push("body.schemas", array(&kinds), Origin::Route);
    }
}

fn replay(rows: &mut Rows, route: &Route, raw: &raw::Route, all: &Raw) {
    let none = raw::RouteReplay::default();
    let raw = raw.replay.as_ref().unwrap_or(&none);
    let enabled = route.replay.is_some().to_string();
    rows.own("replay.enabled", enabled, raw.enabled.is_some(), Origin::Provider);
    let Some(replay) = &route.replay else { return };
    let shared = all.replay.as_ref();
    rows.own("replay.window", duration(replay.window), raw.window.is_some(), Origin::Default);
    let otherwise = match shared.and_then(|shared| shared.max_entries) {
        Some(_) => Origin::Shared,
        None => Origin::Default,
    };
    let entries = replay.max_entries.to_string();
    rows.own("replay.max_entries", entries, raw.max_entries.is_some(), otherwise);
    let on_full = match replay.on_full {
        OnFull::Evict => "evict",
        OnFull::Reject => "reject",
    };
    let written = shared.is_some_and(|shared| shared.on_full.is_some());
    rows.push("replay.on_full", text(on_full), shared_or_default(written));
    let on_error = match replay.on_error {
        OnError::Allow => "allow",
        OnError::Reject => "reject",
    };
    let written = shared.is_some_and(|shared| shared.on_error.is_some());
    rows.push("replay.on_error", text(on_error), shared_or_default(written));
    let (on_replay, otherwise) = match replay.on_replay {
        OnReplay::Acknowledge => ("acknowledge", Origin::Provider),
        OnReplay::Reject => ("reject", Origin::Default),
    };
    rows.own("replay.on_replay", text(on_replay), raw.on_replay.is_some(), otherwise);
    let on_duplicate = match replay.on_duplicate {
        OnDuplicate::Acknowledge => "acknowledge",
        OnDuplicate::Forward => "forward",
        OnDuplicate::Reject => "reject",
    };
    let written = raw.on_duplicate.is_some();
    rows.own("replay.on_duplicate", text(on_duplicate), written, Origin::Default);
    let commit_on = raw.commit_on.as_deref().map_or_else(|| array(&["2xx"]), array);
    rows.own("replay.commit_on", commit_on, raw.commit_on.is_some(), Origin::Default);
}

const fn shared_or_default(is_written: bool) -> Origin {
    if is_written { Origin::Shared } else { Origin::Default }
}

fn rates(rows: &mut Rows, route: &Route) {
    let limits = &route.rate_limit;
    for (key, quota) in [
        ("rate_limit.per_source", limits.per_source),
        ("rate_limit.failures", limits.failures),
        ("rate_limit.per_route", limits.per_route),
    ] {
        if let Some(Quota { count, per, burst }) = quota {
            let value = format!("{{ rate = \"{count}/{}\", burst = {burst} }}", Time::show(per));
            rows.push(key, value, Origin::Route);
        }
    }
}

fn upstream(rows: &mut Rows, route: &Route, raw: &raw::Route) {
    let none = raw::UpstreamTable::default();
    let raw = raw.upstream.as_ref().map_or(&none, |upstream| &upstream.table);
    let upstream = &route.upstream;
    let urls: Vec<_> = upstream
        .targets
        .iter()
        .zip(raw.urls.iter().flatten())
        .map(|(target, written)| match target {
            Target::Echo => "builtin:echo",
            Target::Url(_) => written.as_str(),
        })
        .collect();
    rows.push("upstream.urls", array(&urls), Origin::Route);
    let has_deadline = route.definition.deadline.is_some();
    let otherwise = if has_deadline { Origin::Provider } else { Origin::Default };
    rows.own("upstream.timeout", duration(upstream.timeout), raw.timeout.is_some(), otherwise);
    let connect = duration(upstream.connect_timeout);
    let written = raw.connect_timeout.is_some();
    rows.own("upstream.connect_timeout", connect, written, Origin::Default);
    let idle = duration(upstream.idle_timeout);
    rows.own("upstream.idle_timeout", idle, raw.idle_timeout.is_some(), Origin::Default);
    if let Some(health) = &upstream.health {
        let (path, interval) = (text(&health.path), duration(health.interval));
        let value = format!("{{ path = {path}, interval = {interval} }}");
        rows.push("upstream.health", value, Origin::Route);
    }
    if !upstream.headers.is_empty() {
        let names: Vec<_> = upstream.headers.iter().map(|(name, _)| name.as_str()).collect();
        rows.push("upstream.headers", array(&names), Origin::Route);
    }
    if let Some(written) = &raw.map_status {
        let pairs: Vec<_> = written.iter().map(|(from, to)| format!("{from} = {to}")).collect();
        rows.push("upstream.map_status", format!("{{ {} }}", pairs.join(", ")), Origin::Route);
    }
    if !upstream.sign.is_empty() {
        let value = format!("{} secrets", upstream.sign.len());
        rows.push("upstream.sign", value, Origin::Route);
    }
    if let Some(path) = &raw.ca {
        rows.push("upstream.ca", text(&path.to_string_lossy()), Origin::Route);
    }
}

fn text(text: &str) -> String {
    format!("{text:?}")
}

fn duration(duration: std::time::Duration) -> String {
    text(&Time::show(duration))
}

fn array<T: AsRef<str>>(items: &[T]) -> String {
    let mut out = String::from("[");
    for (number, item) in items.iter().enumerate() {
        let comma = if number == 0 { "" } else { ", " };
        let _infallible = write!(out, "{comma}{:?}", item.as_ref());
    }
    out.push(']');
    out
}
