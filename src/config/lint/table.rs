//! Every finding of `check` with its severity: the one table of which the README shows a copy.

use crate::config::Severity;

macro_rules! findings {
    (
        lints { $($variant:ident = $id:literal, $severity:ident: $about:literal,)* }
        loading { $($other:literal, $other_severity:ident: $other_about:literal,)* }
    ) => {
        /// What a lint finds.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(in crate::config) enum Finding { $(#[doc = $about] $variant,)* }

        impl Finding {
            /// How much it matters.
            pub(in crate::config) const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }
        }

        /// Every finding by its name: how much it matters, and one sentence about it.
        ///
        /// The last rows are found while the configuration is loaded, before lints can run.
        pub const TABLE: &[(&str, Severity, &str)] = &[
            $(($id, Severity::$severity, $about),)*
            $(($other, Severity::$other_severity, $other_about),)*
        ];
    };
}

findings! {
    lints {
        BelowPolicy = "below_policy", Error: "A route falls below the `[policy]` floor.",
        HttpsImpossible = "https_impossible", Error: "`require_https` that nothing can fulfil.",
        PlaceholderSecret = "placeholder_secret", Error: "A secret that is a placeholder such as `${…}` or `changeme`.",
        RouteOverlap = "route_overlap", Error: "Two routes claim the same requests, or a route takes some of another file's.",
        UpstreamIsSelf = "upstream_is_self", Error: "An upstream that is one of the gateway's own listeners.",
        EchoExposed = "echo_exposed", Error: "`builtin:echo` behind a listener beyond loopback.",
        ShortSecret = "short_secret", Warning: "A secret of fewer than 16 bytes.",
        SharedSecret = "shared_secret", Warning: "Routes that share a secret: what is signed for one passes at the other.",
        InlineSecret = "inline_secret", Warning: "A secret written into the configuration.",
        AmbiguousRoutes = "ambiguous_routes", Warning: "Two routes of one file that both match some requests, neither being more specific.",
        TrustsEverybody = "trusts_everybody", Warning: "`trusted_proxies` that cover half of all addresses or more.",
        WeakAlgorithm = "weak_algorithm", Warning: "SHA-1 or a bare token where the provider has better.",
        Unproven = "unproven", Warning: "A provider that proves nothing, on a route without `allow_from` and `client_certificate`.",
        WideTolerance = "wide_tolerance", Warning: "A tolerance above 10 minutes.",
        ReplayTooSmall = "replay_too_small", Warning: "More deliveries allowed within the life of a replay entry than the route has entries for.",
        SlowUpstream = "slow_upstream", Warning: "An upstream timeout above the time that the sender waits.",
        DestructiveStatus = "destructive_status", Warning: "An upstream's status that would end the subscription at the provider, and that `map_status` leaves.",
        LostWhenRefused = "lost_when_refused", Warning: "A provider that never retries behind a replay store that may refuse.",
        UncoveredEvents = "uncovered_events", Warning: "Event types or filters that read what the signature does not cover.",
        MonitoredProof = "monitored_proof", Warning: "A signature, timestamp or replay check that only reports.",
        FinalStatus = "final_status", Note: "Upstream statuses after which the provider never tries again, where `map_status` maps nothing.",
        Unprotected = "unprotected", Note: "What the provider's scheme leaves open, such as no signed timestamp.",
        ReadableSecret = "readable_secret", Note: "A file with a secret or a private key that others on the machine may read.",
        HandshakeLacks = "handshake_lacks", Note: "A handshake that is refused until the route says what it is compared with.",
        ForeignKeys = "foreign_keys", Note: "`public_keys` from another host than the one where the provider publishes its keys.",
        ToBeFetched = "to_be_fetched", Note: "Keys, certificates or addresses that will be fetched, and from where.",
        OpenDetail = "open_detail", Note: "A detail of the provider's definition that nobody has confirmed yet.",
    }
    loading {
        "bad_exception", Error: "An exception from the policy has expired, or names a rule that is not there.",
        "empty_secret", Error: "A secret that is empty or blank.",
        "source_can_be_forged", Error: "`proxy_protocol = \"optional\"` where a route has `allow_from`.",
        "private_key", Error: "A private key, or a shared secret, where a public key belongs.",
        "unfit_key", Error: "A key that the scheme cannot use: a secret where it takes public keys, or a key of another type.",
        "unset_variable", Error: "A secret's variable is not set (a note with `--no-secrets`).",
        "schema_invalid", Error: "A payload schema that is not valid, or has a remote `$ref`.",
        "uncovered_id", Error: "A definition whose event id the signature does not cover.",
        "sliding_template", Error: "A definition whose signed parts can slide into each other.",
        "ending_key", Warning: "A route's last public key has ended, or ends within 30 days.",
        "same_key", Warning: "A public key that is there twice.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct_and_errors_come_first() {
        let lints = &TABLE[..TABLE.len() - 11];
        assert!(lints.is_sorted_by_key(|(_, severity, _)| *severity));
        let mut names: Vec<_> = TABLE.iter().map(|(name, _, _)| *name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), TABLE.len());
        assert_eq!(Finding::InlineSecret.severity(), Severity::Warning);
    }
}
