//! `[routes.*]`: one table with its provider's definition applied.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use http::Method;

use super::{
    Context, body, certificate, credentials, filters, ip_lists::IpLists, keys, pairing, path,
    policy, provider::Providers, rates, replay, upstream,
};
use crate::{
    config::{
        Problem,
        material::{Remotes, RouteMaterial},
        model::{AllowFrom, Policy, ProxyProtocol, ReplayStore, Route},
        quoted,
        raw::{self, Raw},
    },
    verify::{Algorithm, Definition, Scheme, SchemeOptions},
};

/// What all routes share while they are checked.
pub(super) struct Checker<'a> {
    cx: &'a Context<'a>,
    policy: &'a Policy,
    providers: &'a Providers,
    store: &'a ReplayStore,
    lists: &'a IpLists,
    proxy_is_optional: bool,
    /// Whether a listener asks for certificates of clients.
    asks_for_certificates: bool,
    /// Many routes of one provider share one compiled scheme.
    schemes: HashMap<SchemeKey, Option<Arc<Scheme>>>,
    cells: credentials::Cells,
}

type SchemeKey = (Arc<str>, BTreeMap<String, String>, BTreeSet<Algorithm>, Option<Duration>);

impl<'a> Checker<'a> {
    pub(super) fn new(
        cx: &'a Context<'a>,
        raw: &Raw,
        policy: &'a Policy,
        providers: &'a Providers,
        store: &'a ReplayStore,
        lists: &'a IpLists,
        remotes: Remotes,
    ) -> Self {
        let mut tls = raw.server.iter().flat_map(|server| server.tls.iter().flatten());
        let proxy = raw.server.as_ref().and_then(|server| server.proxy_protocol);
        Self {
            cx,
            policy,
            providers,
            store,
            lists,
            proxy_is_optional: proxy == Some(ProxyProtocol::Optional),
            asks_for_certificates: tls.any(|tls| tls.client_ca.is_some()),
            schemes: HashMap::new(),
            cells: credentials::Cells::new(remotes),
        }
    }

    /// One route; `None` only if a problem was reported.
    pub(super) fn route(
        &mut self,
        name: &str,
        raw: &raw::Route,
        mut own: RouteMaterial,
    ) -> Option<Route> {
        let cx = self.cx;
        let at = quoted(name);
        let hosts = self.hosts(&at, raw);
        let paths = self.paths(&at, raw);
        let allow_from = self.allow_from(&at, raw);
        let client_certificate = certificate::rule(cx, &at, raw, self.asks_for_certificates);
        let rate_limit = rates::rates(cx, &at, raw.rate_limit.as_ref());
        let monitor = raw.monitor.as_deref().unwrap_or_default();
        let monitor = policy::checks(cx, &format!("routes.{at}.monitor"), monitor);
        let filters = raw.filters.as_deref().unwrap_or_default();
        let filters = filters::filters(cx, &format!("routes.{at}.filters"), filters);
        let events = self.events(&at, raw);
        let definition = self.provider(&at, raw);
        let deadline = definition.as_ref().and_then(|known| known.deadline);
        let upstream = upstream::upstream(cx, &at, raw.upstream.as_ref(), deadline, &own);
        let Some(definition) = definition else {
            credentials::are_fit(cx, &at, raw, None);
            return None;
        };
        let methods = self.methods(&at, raw, &definition);
        let tolerance = self.tolerance(&at, raw, &definition);
        let expect = self.expect(&at, raw, &definition);
        let options = SchemeOptions {
            expect: expect.clone().unwrap_or_default(),
            forbid: self.forbidden(name),
            tolerance,
        };
        let body = body::body(cx, &at, raw.body.as_ref(), &definition, &own);
        // A scheme that lacks what it must be told was complained about already.
        let scheme = expect.as_ref().and_then(|_| self.scheme(&at, &definition, &options));
        let known = scheme.as_ref().map(|scheme| (&*definition, scheme.takes()));
        credentials::are_fit(cx, &at, raw, known);
        let scheme = scheme?;
        let both = (&*definition, &*scheme);
        let keys = credentials::keys(cx, &at, raw, both, &mut own, &mut self.cells);
        let replay = replay::route(cx, &at, raw.replay.as_ref(), &definition, &scheme, self.store);
        let excepted = self.policy.exceptions.get(name);
        let https_excepted = excepted.is_some_and(|e| e.allow.contains("https"));
        Some(Route {
            name: name.into(),
            hosts,
            paths,
            methods,
            provider: Arc::clone(&definition.name),
            definition,
            scheme,
            keys: keys?,
            pairing: pairing::target(cx, &at, name, self.policy, &own),
            secrets: own.secrets,
            public_keys: own.public_keys,
            expect: expect?,
            allow_from,
            client_certificate,
            require_https: self.policy.require_https && !https_excepted,
            excepted_until: excepted.and_then(|exception| exception.until),
            events,
            filters,
            on_unlisted_event: raw.on_unlisted_event.unwrap_or_default(),
            monitor,
            replay,
            body: Arc::new(body),
            rate_limit,
            upstream: upstream?,
            in_force: Vec::new(),
        })
    }

    fn hosts(&self, at: &str, raw: &raw::Route) -> Vec<String> {
        let Some(hosts) = &raw.host else { return Vec::new() };
        if hosts.0.is_empty() {
            let key = format_args!("routes.{at}.host");
            self.cx.problems.error(key, "no host is named; leave the key out for any host");
        }
        let mut out = Vec::new();
        for (number, host) in hosts.0.iter().enumerate() {
            let key = format_args!("routes.{at}.host[{number}]");
            let host = path::host(self.cx, key, host);
            out.extend(host.filter(|host| !out.contains(host)));
        }
        out
    }

    fn paths(&self, at: &str, raw: &raw::Route) -> Vec<String> {
        let key = format_args!("routes.{at}.path");
        let paths = raw.path.as_ref().map(|paths| paths.0.as_slice()).unwrap_or_default();
        if paths.is_empty() {
            self.cx.problems.missing(key, "what the sender calls", "path = \"/github\"");
        }
        for (number, path) in paths.iter().enumerate() {
            let key = format_args!("routes.{at}.path[{number}]");
            if let Err(why) = path::judge_pattern(path) {
                self.cx.problems.error(key, format_args!("{path:?} {why}"));
            } else if paths.iter().take(number).any(|earlier| earlier == path) {
                self.cx.problems.error(key, format_args!("{path:?} is there twice"));
            }
        }
        paths.to_vec()
    }

    fn allow_from(&self, at: &str, raw: &raw::Route) -> Option<AllowFrom> {
        let texts = raw.allow_from.as_deref()?;
        let key = format_args!("routes.{at}.allow_from");
        if texts.is_empty() {
            let why = "an empty list would refuse everybody; leave the key out for any source";
            self.cx.problems.error(key, why);
        }
        if self.proxy_is_optional {
            let why = "a source list needs to know the source: with proxy_protocol = \"optional\" \
                       a proxy that sends no header would stand for everybody";
            let meant = "proxy_protocol = \"required\"   # in [server]";
            self.cx.problems.error_try(key, why, meant);
        }
        Some(self.lists.allow_from(self.cx, key, texts))
    }

    fn events(&self, at: &str, raw: &raw::Route) -> Vec<String> {
        let events = raw.events.as_deref().unwrap_or_default();
        if raw.events.is_some() && events.is_empty() {
            let key = format_args!("routes.{at}.events");
            self.cx.problems.error(key, "no event is wanted; leave the key out for all events");
        }
        for (number, event) in events.iter().enumerate().filter(|(_, event)| event.is_empty()) {
            let key = format_args!("routes.{at}.events[{number}]");
            self.cx.problems.error(key, format_args!("{event:?} is no event type"));
        }
        events.to_vec()
    }

    fn provider(&self, at: &str, raw: &raw::Route) -> Option<Arc<Definition>> {
        let key = format_args!("routes.{at}.provider");
        let Some(name) = &raw.provider else {
            let example = "provider = \"github\"";
            self.cx.problems.missing(key, "a built-in one, or one of [providers.*]", example);
            return None;
        };
        let found = self.providers.find(name);
        if found.is_none() && !self.providers.is_broken(name) {
            self.cx.problems.unknown(key, "provider", name, self.providers.names());
        }
        found
    }

    fn methods(&self, at: &str, raw: &raw::Route, definition: &Definition) -> Vec<Method> {
        let Some(names) = &raw.methods else { return definition.methods.clone() };
        let key = format_args!("routes.{at}.methods");
        if names.is_empty() {
            self.cx.problems.error(key, "no method would be taken; leave the key out");
        }
        let mut out = Vec::new();
        for (number, name) in names.iter().enumerate() {
            match Method::from_bytes(name.as_bytes()) {
                Ok(method) if !name.bytes().any(|b| b.is_ascii_lowercase()) => {
                    if !out.contains(&method) {
                        out.push(method);
                    }
                }
                _ => self.cx.problems.error_try(
                    format_args!("{key}[{number}]"),
                    format_args!("{name:?} is no method"),
                    format!("{:?}", name.to_ascii_uppercase()),
                ),
            }
        }
        out
    }

    fn tolerance(&self, at: &str, raw: &raw::Route, definition: &Definition) -> Option<Duration> {
        let written = raw.tolerance?;
        let key = format_args!("routes.{at}.tolerance");
        if !has_timestamp(definition) {
            let name = &definition.name;
            let text = format!("{key}: {name} signs no timestamp: a tolerance has no effect");
            self.cx.problems.push(Problem::warning(text), key);
        }
        let bounds = (Duration::from_secs(1), Duration::from_secs(24 * 3600));
        Some(keys::time(self.cx, key, Some(written), Duration::ZERO, bounds))
    }

    /// What the scheme is told; `None` if it lacks something or was told what it does not know.
    fn expect(
        &self,
        at: &str,
        raw: &raw::Route,
        definition: &Definition,
    ) -> Option<BTreeMap<String, String>> {
        let given = raw.expect.clone().unwrap_or_default();
        let mut is_complete = true;
        for (name, known) in &definition.expect {
            if known.is_required() && !given.contains_key(name) {
                let key = format_args!("routes.{at}.expect.{}", quoted(name)).to_string();
                let example = format!("expect = {{ {name} = \"…\" }}");
                self.cx.problems.missing(format_args!("{key}"), &known.about, &example);
                is_complete = false;
            }
        }
        for (name, value) in &given {
            let key = format_args!("routes.{at}.expect.{}", quoted(name)).to_string();
            if !definition.expect.contains_key(name) {
                let known = definition.expect.keys().map(String::as_str);
                let what = format!("key that {} expects", definition.name);
                self.cx.problems.unknown(format_args!("{key}"), &what, name, known);
                is_complete = false;
            } else if value.trim().is_empty() {
                self.cx.problems.error(format_args!("{key}"), "the value is blank");
                is_complete = false;
            }
        }
        is_complete.then_some(given)
    }

    /// The algorithms that the policy takes from the route's candidates.
    fn forbidden(&self, name: &str) -> BTreeSet<Algorithm> {
        let mut forbid = self.policy.forbid_algorithms.clone();
        if let Some(exception) = self.policy.exceptions.get(name) {
            forbid.retain(|algorithm| !exception.allow.contains(algorithm.as_str()));
        }
        forbid
    }

    fn scheme(
        &mut self,
        at: &str,
        definition: &Arc<Definition>,
        options: &SchemeOptions,
    ) -> Option<Arc<Scheme>> {
        let key: SchemeKey = (
            Arc::clone(&definition.name),
            options.expect.clone(),
            options.forbid.clone(),
            options.tolerance,
        );
        if let Some(Some(known)) = self.schemes.get(&key) {
            return Some(Arc::clone(known));
        }
        let scheme = match Scheme::compile(definition, options) {
            Ok(scheme) => Some(Arc::new(scheme)),
            Err(problems) => {
                for problem in problems {
                    let said = options
                        .expect
                        .keys()
                        .find(|name| problem.starts_with(&format!("expect.{name} ")));
                    match said {
                        Some(name) => self
                            .cx
                            .problems
                            .error(format_args!("routes.{at}.expect.{}", quoted(name)), problem),
                        None => {
                            self.cx.problems.error(format_args!("routes.{at}.provider"), problem);
                        }
                    }
                }
                None
            }
        };
        self.schemes.insert(key, scheme.clone());
        scheme
    }
}

/// Whether a tolerance means anything.
fn has_timestamp(definition: &Definition) -> bool {
    definition.written().timestamp.is_some()
}
