//! What a route verifies with: its own secrets and keys, else what its provider publishes.

use std::{collections::HashMap, sync::Arc};

use super::Context;
use crate::{
    config::{
        material::{Remotes, RouteMaterial},
        raw,
    },
    verify::{Credentials, Definition, KeyRing, Origin, PublicKey, RemoteKeys, Scheme, Takes},
};

/// The cells that fetched keys will be in, shared by all routes that look for the same.
pub(super) struct Cells {
    /// By URL.
    sets: Remotes,
    /// By definition: two of them may name other hosts.
    certificates: HashMap<Arc<str>, Arc<RemoteKeys>>,
}

impl Cells {
    pub(super) fn new(sets: Remotes) -> Self {
        Self { sets, certificates: HashMap::new() }
    }

    fn set(&mut self, url: &str) -> Arc<RemoteKeys> {
        let fresh = || RemoteKeys::new(Origin::Jwks { url: url.into() });
        Arc::clone(self.sets.entry(url.to_owned()).or_insert_with(fresh))
    }

    fn certificates(&mut self, definition: &Definition) -> Arc<RemoteKeys> {
        let fresh = || RemoteKeys::new(Origin::Certificates);
        let name = Arc::clone(&definition.name);
        Arc::clone(self.certificates.entry(name).or_insert_with(fresh))
    }
}

/// Says what is missing, and what the scheme has no use for; `None` where no scheme is known.
pub(super) fn are_fit(
    cx: &Context<'_>,
    at: &str,
    raw: &raw::Route,
    known: Option<(&Definition, Takes)>,
) {
    let (secrets, keys) = (format!("routes.{at}.secrets"), format!("routes.{at}.public_keys"));
    let has_secrets = raw.secrets.as_ref().is_some_and(|all| !all.is_empty());
    let has_keys = raw.public_keys.as_ref().is_some_and(|all| !all.is_empty());
    let some_secrets = "secrets = [{ env = \"NAME\" }]";
    let some_keys = "public_keys = [{ env = \"NAME\" }]";
    let missing = |key: &str, why: &str, example| {
        cx.problems.missing(format_args!("{key}"), why, example);
    };
    let Some((definition, takes)) = known else {
        if !has_secrets && !has_keys && raw.provider.is_none() {
            missing(&secrets, "without a secret nothing can be verified", some_secrets);
        }
        return;
    };
    let name = &definition.name;
    let (wants_keys, instead) = match takes {
        Takes { certificates: true, .. } => (false, "certificates that its messages name"),
        Takes { public_keys: true, .. } => (true, "public_keys"),
        Takes { secrets: true, .. } => (false, "secrets"),
        _ => (false, "no key: its messages prove nothing"),
    };
    if has_secrets && !takes.secrets {
        let why = format_args!("{name} takes {instead}, not secrets").to_string();
        if wants_keys {
            cx.problems.error_try(format_args!("{secrets}"), why, some_keys);
        } else {
            cx.problems.error(format_args!("{secrets}"), why);
        }
    }
    if has_keys && !wants_keys {
        let why = format_args!("{name} takes {instead}, not public_keys").to_string();
        if takes.secrets {
            cx.problems.error_try(format_args!("{keys}"), why, some_secrets);
        } else {
            cx.problems.error(format_args!("{keys}"), why);
        }
    }
    let is_published = !definition.public_keys.is_empty();
    match (takes.secrets, wants_keys) {
        (true, false) if !has_secrets && !has_keys => {
            missing(&secrets, "without a secret nothing can be verified", some_secrets);
        }
        (true, true) if !has_secrets && !has_keys && !is_published => {
            let why = "without a secret, or one of public_keys, nothing can be verified";
            missing(&secrets, why, some_secrets);
        }
        (false, true) if !has_secrets && !has_keys && !is_published => {
            missing(&keys, "without the sender's public key nothing can be verified", some_keys);
        }
        _ => {}
    }
}

/// The keys of a route; `None` only if a problem was reported.
pub(super) fn keys(
    cx: &Context<'_>,
    at: &str,
    raw: &raw::Route,
    (definition, scheme): (&Definition, &Scheme),
    own: &mut RouteMaterial,
    cells: &mut Cells,
) -> Option<Arc<KeyRing>> {
    let takes = scheme.takes();
    if takes.public_keys && raw.public_keys.is_none() {
        for published in &definition.public_keys {
            match PublicKey::published(published, &mut |url| cells.set(url)) {
                Ok(key) => own.public_keys.push(key),
                Err(why) => {
                    let key = format_args!("routes.{at}.provider");
                    let id = &published.id;
                    cx.problems.error(key, format_args!("its published key {id:?} {why}"));
                    return None;
                }
            }
        }
    }
    let is_fit = of_the_right_type(cx, at, raw, (definition, scheme), own);
    let credentials = Credentials {
        secrets: own.secrets.clone(),
        public_keys: own.public_keys.clone(),
        certificates: takes.certificates.then(|| cells.certificates(definition)),
    };
    match KeyRing::build(scheme, &credentials) {
        Ok(ring) => is_fit.then(|| Arc::new(ring)),
        Err(problems) => {
            let written = raw.secrets.as_ref().map_or(0, Vec::len);
            for (number, why) in problems {
                // With a secret missing the numbers are not those of the array any more.
                let key = if own.secrets.len() == written {
                    format!("routes.{at}.secrets[{number}]")
                } else {
                    format!("routes.{at}.secrets")
                };
                let id = own.secrets.get(number).map(|secret| &*secret.id).unwrap_or_default();
                let why = format_args!("the secret {id:?} {why}").to_string();
                cx.problems.error(format_args!("{key}"), why);
            }
            None
        }
    }
}

/// A key that can never verify what this provider sends is a mistake.
fn of_the_right_type(
    cx: &Context<'_>,
    at: &str,
    raw: &raw::Route,
    (definition, scheme): (&Definition, &Scheme),
    own: &RouteMaterial,
) -> bool {
    if !scheme.takes().public_keys {
        return true;
    }
    let algorithms = &scheme.coverage().algorithms;
    let mut all_fit = true;
    for (number, key) in own.public_keys.iter().enumerate() {
        let Some(first) = key.known().first() else { continue };
        if key.known().iter().any(|key| algorithms.iter().any(|a| key.fits(*a))) {
            continue;
        }
        all_fit = false;
        // With a key missing the numbers are not those of the array any more.
        let is_whole = raw.public_keys.as_ref().is_some_and(|a| a.len() == own.public_keys.len());
        let number = if is_whole { format!("[{number}]") } else { String::new() };
        let wanted: Vec<_> =
            algorithms.iter().filter(|a| a.is_asymmetric()).map(|a| a.as_str()).collect();
        cx.problems.error(
            format_args!("routes.{at}.public_keys{number}"),
            format_args!(
                "the key {:?} is {}, and {} signs with {}",
                key.id,
                first.key.key_type(),
                definition.name,
                wanted.join(", ")
            ),
        );
    }
    all_fit
}
