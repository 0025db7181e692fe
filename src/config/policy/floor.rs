//! Each requirement of the policy against each route.

use std::time::Duration;

use super::{Rule, is_excepted};
use crate::{
    config::{
        Loaded, Problem,
        lint::{Finding, facts, route_key},
        model::{AllowFrom, Check, OnDuplicate, OnError, OnFull, Policy, Replay, Route},
        raw::Time,
    },
    net::breadth::cover_half,
    verify::Algorithm,
};

pub(super) fn judge(loaded: &Loaded) -> Vec<Problem> {
    let mut found = Vec::new();
    https(loaded, &mut found);
    for route in &loaded.config.routes {
        let mut judge = Judge { loaded, policy: &loaded.config.policy, route, found };
        judge.signature();
        judge.timestamp();
        judge.replay();
        judge.allow_from();
        judge.algorithms();
        judge.durations();
        judge.secrets();
        judge.monitor();
        found = judge.found;
    }
    found
}

fn https(loaded: &Loaded, found: &mut Vec<Problem>) {
    let config = &loaded.config;
    let server = &config.server;
    let demanded = config.policy.require_https && config.routes.iter().any(|r| r.require_https);
    if !demanded || !server.tls.is_empty() || !server.trusted_proxies.is_empty() {
        return;
    }
    let listeners =
        if server.listen.len() == 1 { "the only listener is" } else { "all listeners are" };
    let all = config.routes.iter().all(|route| route.require_https);
    let requests = if all { "every request" } else { "every request of a route without exception" };
    found.push(
        Problem::new(
            Finding::HttpsImpossible.severity(),
            format!("{requests} would be refused (403 insecure_transport)"),
        )
        .at(loaded.map.key("policy.require_https"))
        .detail(format!("{listeners} plain HTTP, and server.trusted_proxies is empty"))
        .suggest("trusted_proxies = [\"10.244.0.0/16\"]   # your ingress"),
    );
}

/// One route before its judge.
struct Judge<'a> {
    loaded: &'a Loaded,
    policy: &'a Policy,
    route: &'a Route,
    found: Vec<Problem>,
}

impl Judge<'_> {
    /// Whether the rule binds this route.
    fn binds(&self, rule: Rule) -> bool {
        !is_excepted(self.policy, &self.route.name, rule)
    }

    /// Reports that a key of the route's makes it fall below `rule`: `what` reads after the
    /// route's name.
    fn below(&mut self, rule: &str, key: &str, what: &str, suggestion: &str) {
        self.below_by(rule, &route_key(self.route, key), what, suggestion);
    }

    fn below_by(&mut self, rule: &str, key: &str, what: &str, suggestion: &str) {
        let message = format!("route {} {what}; policy.{rule} forbids that", self.route.name);
        let place = self.loaded.map.key(key);
        self.found.push(
            Problem::new(Finding::BelowPolicy.severity(), message).at(place).suggest(suggestion),
        );
    }

    /// Reports checks that only report although the rule needs them.
    fn enforced(&mut self, rule: &str, checks: &[Check]) {
        for check in checks.iter().filter(|check| self.route.monitor.contains(check)) {
            let what = format!("only monitors {check}");
            self.below(rule, "monitor", &what, &format!("take {:?} out", check.as_str()));
        }
    }

    fn signature(&mut self) {
        if !self.policy.require_signature || !self.binds(Rule::Signature) {
            return;
        }
        let rule = "require_signature";
        self.enforced(rule, &[Check::Signature]);
        if facts::accepts_token(self.route) {
            // An exception for tokens would be worth nothing if this rule still forbade them.
            if self.binds(Rule::Algorithm(Algorithm::Token)) {
                let what = "accepts a token, which signs nothing";
                self.below(rule, "provider", what, &self.exception("token"));
            }
        } else if !facts::body_is_covered(self.route) {
            let what = "has a signature that does not cover the whole body";
            self.below(rule, "provider", what, &self.exception("signature"));
        }
    }

    fn timestamp(&mut self) {
        if !self.policy.require_timestamp || !self.binds(Rule::Timestamp) {
            return;
        }
        let rule = "require_timestamp";
        if !facts::time_is_covered(self.route) {
            let what = format!("has no signed timestamp: {} sends none", self.route.provider);
            self.below(rule, "provider", &what, &self.exception("timestamp"));
        }
        // What a forged message says about its time is worth nothing.
        self.enforced(rule, &[Check::Signature, Check::Timestamp]);
    }

    fn replay(&mut self) {
        if !self.policy.require_replay_protection || !self.binds(Rule::ReplayProtection) {
            return;
        }
        let rule = "require_replay_protection";
        let route = self.route;
        let Some(replay) = &route.replay else {
            let written = route_key(self.route, "replay.enabled");
            if self.loaded.map.contains(&written) {
                let what = "has replay protection switched off";
                self.below(rule, "replay.enabled", what, "enabled = true");
            } else {
                let what = "has nothing that a replay could be known by";
                self.below(rule, "provider", what, &self.exception("replay_protection"));
            }
            return;
        };
        // After a monitored signature or timestamp that failed, replay is not looked at.
        self.enforced(rule, &[Check::Signature, Check::Timestamp, Check::Replay]);
        for (key, what, suggestion) in self.weak_points(replay) {
            self.below_by(rule, &key, what, suggestion);
        }
    }

    /// What of a replay protection would let a copy through: key, what is wrong, what to write.
    fn weak_points(&self, replay: &Replay) -> Vec<(String, &'static str, &'static str)> {
        let mut points = Vec::new();
        if replay.on_error != OnError::Reject {
            let what = "forwards without replay protection when the store fails";
            points.push(("replay.on_error".to_owned(), what, "on_error = \"reject\""));
        }
        if replay.on_full != OnFull::Reject {
            let what = "forgets replay entries when the store is full";
            points.push(("replay.on_full".to_owned(), what, "on_full = \"reject\""));
        }
        if !replay.commit_on.contains_all_success() {
            let what = "does not remember every delivery that succeeded";
            let key = route_key(self.route, "replay.commit_on");
            points.push((key, what, "commit_on = [\"2xx\"]"));
        }
        if replay.on_duplicate == OnDuplicate::Forward {
            let what = "forwards events that were already delivered";
            let key = route_key(self.route, "replay.on_duplicate");
            points.push((key, what, "on_duplicate = \"acknowledge\""));
        }
        points
    }

    fn allow_from(&mut self) {
        if !self.policy.require_allow_from || !self.binds(Rule::AllowFrom) {
            return;
        }
        let rule = "require_allow_from";
        let example = "allow_from = [\"198.51.100.0/24\"]";
        match &self.route.allow_from {
            None => self.below(rule, "allow_from", "has no allow_from", example),
            Some(from) if covers_half(from) => {
                let what = "has an allow_from that covers half of all addresses or more";
                self.below(rule, "allow_from", what, example);
            }
            Some(_) => self.enforced(rule, &[Check::Source]),
        }
    }

    fn algorithms(&mut self) {
        for algorithm in facts::algorithms(self.route).iter().copied() {
            let forbidden = self.policy.forbid_algorithms.contains(&algorithm);
            if forbidden && self.binds(Rule::Algorithm(algorithm)) {
                let what = format!("accepts {}", algorithm.as_str());
                let exception = self.exception(algorithm.as_str());
                self.below("forbid_algorithms", "provider", &what, &exception);
            }
        }
    }

    fn durations(&mut self) {
        let show = |duration: Duration| Time::show(duration);
        if let (Some(most), Some(tolerance)) =
            (self.policy.max_tolerance, facts::tolerance(self.route))
            && tolerance > most
            && self.binds(Rule::MaxTolerance)
        {
            let what = format!("has a tolerance of {}", show(tolerance));
            let suggestion = format!("tolerance = {:?}", show(most));
            self.below("max_tolerance", "tolerance", &what, &suggestion);
        }
        if let (Some(least), Some(replay)) = (self.policy.min_window, &self.route.replay)
            && replay.window < least
            && self.binds(Rule::MinWindow)
        {
            let what = format!("has a replay window of {}", show(replay.window));
            let suggestion = format!("window = {:?}", show(least));
            self.below("min_window", "replay.window", &what, &suggestion);
        }
    }

    fn secrets(&mut self) {
        // With `--no-secrets` random bytes stand in for the secrets.
        let real = self.loaded.secrets == crate::config::Secrets::Read;
        let Some(least) = self.policy.min_secret_bytes.filter(|_| real) else { return };
        if !self.binds(Rule::MinSecretBytes) {
            return;
        }
        for (at, length) in facts::key_lengths(self.route) {
            if length < least {
                let what = format!("has a secret of {length} bytes, fewer than {least}");
                let key = format!("secrets[{at}]");
                self.below("min_secret_bytes", &key, &what, "a random one: openssl rand -hex 32");
            }
        }
    }

    fn monitor(&mut self) {
        let Some(allowed) = &self.policy.may_monitor else { return };
        if !self.binds(Rule::MayMonitor) {
            return;
        }
        for check in self.route.monitor.difference(allowed) {
            let what = format!("monitors {check}");
            let suggestion = format!("take {:?} out", check.as_str());
            self.below("may_monitor", "monitor", &what, &suggestion);
        }
    }

    fn exception(&self, rule: &str) -> String {
        format!(
            "another provider, or [policy.exceptions.{}] with allow = [{rule:?}]",
            crate::config::quoted(&self.route.name)
        )
    }
}

/// All that may come to be allowed: what is fetched is held to less than half by itself.
fn covers_half(from: &AllowFrom) -> bool {
    let files = from.lists.iter().filter_map(|list| list.file.as_ref());
    let all: Vec<_> = files.flatten().chain(&from.networks).copied().collect();
    cover_half(&all)
}
