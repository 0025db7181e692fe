//! `[policy.exceptions.ROUTE]`: what a route is let off from, by whom, until when.

use crate::{config::model::Policy, verify::Algorithm};

/// A rule of the policy that a route can be excepted from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// `require_https`.
    Https,
    /// `require_signature`.
    Signature,
    /// `require_timestamp`.
    Timestamp,
    /// `require_replay_protection`.
    ReplayProtection,
    /// `require_allow_from`.
    AllowFrom,
    /// `max_tolerance`.
    MaxTolerance,
    /// `min_window`.
    MinWindow,
    /// `min_secret_bytes`.
    MinSecretBytes,
    /// `may_monitor`.
    MayMonitor,
    /// `forbid_algorithms`, as far as this one goes. For `token` also `require_signature`, which
    /// no token can satisfy.
    Algorithm(Algorithm),
}

/// The policy's keys as `allow` has them: without `require_`.
const RULES: [(&str, Rule); 9] = [
    ("https", Rule::Https),
    ("signature", Rule::Signature),
    ("timestamp", Rule::Timestamp),
    ("replay_protection", Rule::ReplayProtection),
    ("allow_from", Rule::AllowFrom),
    ("max_tolerance", Rule::MaxTolerance),
    ("min_window", Rule::MinWindow),
    ("min_secret_bytes", Rule::MinSecretBytes),
    ("may_monitor", Rule::MayMonitor),
];

impl Rule {
    /// Reads an element of `allow`: a policy key, with or without `require_`, or the name of an
    /// algorithm.
    pub fn parse(name: &str) -> Option<Self> {
        let short = name.strip_prefix("require_").unwrap_or(name);
        let rule = RULES.iter().find(|(other, _)| *other == short).map(|(_, rule)| *rule);
        rule.or_else(|| Algorithm::parse(name).map(Self::Algorithm))
    }
}

/// Whether an exception lets the route off. One that has expired is an error while loading.
pub fn is_excepted(policy: &Policy, route: &str, rule: Rule) -> bool {
    policy
        .exceptions
        .get(route)
        .is_some_and(|exception| exception.allow.iter().any(|name| Rule::parse(name) == Some(rule)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::model::Exception;

    #[test]
    fn rules_are_known_by_their_keys() {
        for (name, rule) in RULES {
            assert_eq!(Rule::parse(name), Some(rule));
        }
        assert_eq!(Rule::parse("require_timestamp"), Some(Rule::Timestamp));
        assert_eq!(Rule::parse("token"), Some(Rule::Algorithm(Algorithm::Token)));
        assert_eq!(Rule::parse("hmac-sha1"), Some(Rule::Algorithm(Algorithm::HmacSha1)));
        assert_eq!(Rule::parse("everything"), None);
    }

    #[test]
    fn an_exception_is_for_its_route_and_its_rule_alone() {
        let exception = Exception {
            allow: ["token".to_owned()].into(),
            until: None,
            owner: "platform@example.com".into(),
            reason: "SEC-1".into(),
        };
        let policy =
            Policy { exceptions: [("a".to_owned(), exception)].into(), ..Policy::default() };
        let token = Rule::Algorithm(Algorithm::Token);
        assert!(is_excepted(&policy, "a", token));
        assert!(!is_excepted(&policy, "a", Rule::Https));
        assert!(!is_excepted(&policy, "b", token));
    }
}
