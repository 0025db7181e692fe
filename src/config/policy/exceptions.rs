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
    Tolerance,
    /// `min_window`.
    Window,
    /// `min_secret_bytes`.
    SecretBytes,
    /// `may_monitor`.
    Monitor,
    /// `forbid_algorithms`, as far as this one goes. For `token` also `require_signature`, which
    /// no token can satisfy.
    Algorithm(Algorithm),
}

/// The policy's keys; an exception may leave the first word out.
const RULES: [(&str, &str, Rule); 9] = [
    ("require_https", "https", Rule::Https),
    ("require_signature", "signature", Rule::Signature),
    ("require_timestamp", "timestamp", Rule::Timestamp),
    ("require_replay_protection", "replay_protection", Rule::ReplayProtection),
    ("require_allow_from", "allow_from", Rule::AllowFrom),
    ("max_tolerance", "tolerance", Rule::Tolerance),
    ("min_window", "window", Rule::Window),
    ("min_secret_bytes", "secret_bytes", Rule::SecretBytes),
    ("may_monitor", "monitor", Rule::Monitor),
];

impl Rule {
    /// Reads an element of `allow`: a policy key, with or without its first word, or the name of
    /// an algorithm.
    pub fn parse(name: &str) -> Option<Self> {
        let rule = RULES.iter().find(|(full, short, _)| *full == name || *short == name);
        rule.map(|(_, _, rule)| *rule).or_else(|| Algorithm::parse(name).map(Self::Algorithm))
    }

    /// What to write into `allow`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Algorithm(algorithm) => algorithm.as_str(),
            other => {
                RULES.iter().find(|(_, _, rule)| *rule == other).map_or("", |(_, short, _)| *short)
            }
        }
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
    fn rules_are_known_by_both_names() {
        for (full, short, rule) in RULES {
            assert_eq!(Rule::parse(full), Some(rule));
            assert_eq!(Rule::parse(short), Some(rule));
            assert_eq!(rule.name(), short);
        }
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
