//! `[routes.*.client_certificate]`.

use std::sync::Arc;

use super::Context;
use crate::{
    config::raw::{self, OneOrMany},
    net::{CertificateRule, certificate::RuleError},
};

/// What a route wants of a client's certificate, if it wants any.
pub(super) fn rule(
    cx: &Context<'_>,
    at: &str,
    raw: &raw::Route,
    asked: bool,
) -> Option<Arc<CertificateRule>> {
    let raw = raw.client_certificate.as_ref()?;
    let key = format!("routes.{at}.client_certificate");
    if !asked {
        cx.problems.error_try(
            format_args!("{key}"),
            "every request would be refused: no listener asks clients for a certificate",
            "client_ca = \"tls/clients.pem\"   # in [[server.tls]]",
        );
    }
    let mut rule = CertificateRule::default();
    let mut take =
        |name: &str,
         texts: &Option<OneOrMany>,
         add: fn(&mut CertificateRule, &str) -> Result<(), RuleError>| {
            let Some(OneOrMany(texts)) = texts else { return };
            if texts.is_empty() {
                let why = "an empty list would refuse everybody; leave the key out";
                cx.problems.error(format_args!("{key}.{name}"), why);
            }
            for (number, text) in texts.iter().enumerate() {
                if let Err(why) = add(&mut rule, text) {
                    let at = format_args!("{key}.{name}[{number}]");
                    cx.problems.error(at, format_args!("{text:?} {why}"));
                }
            }
        };
    take("subject", &raw.subject, CertificateRule::subject);
    take("san", &raw.san, CertificateRule::san);
    take("sha256", &raw.sha256, CertificateRule::sha256);
    if raw.subject.is_none() && raw.san.is_none() && raw.sha256.is_none() {
        cx.problems.error_try(
            format_args!("{key}"),
            "whose certificate? An authority may vouch for many",
            "san = \"hooks.example.com\"   # or subject, or sha256",
        );
    }
    Some(Arc::new(rule))
}
