//! Secrets: forgotten, short, shared, written down, readable.

use std::{collections::BTreeMap, path::Path};

use sha2::{Digest as _, Sha256};

use super::{Context, Finding, facts, placeholder::is_placeholder, route_key};
use crate::config::{Secrets, raw};

/// Shorter keys than this can be guessed with patience once one signed delivery is known.
const SHORT_BYTES: usize = 16;

pub(super) fn lint(cx: &mut Context<'_>) {
    written(cx);
    // With `--no-secrets` random bytes stand in for the secrets.
    if cx.loaded.secrets == Secrets::Read {
        forgotten(cx);
        short(cx);
        shared(cx);
    }
}

/// What the tables say about each secret, with its key path.
fn each_written(cx: &Context<'_>, mut look: impl FnMut(String, &raw::Secret)) {
    for route in cx.routes() {
        let Some(table) = cx.loaded.raw.routes.get(&*route.name) else { continue };
        for (at, secret) in table.secrets.iter().flatten().enumerate() {
            look(route_key(route, &format!("secrets[{at}]")), secret);
        }
        let sign = table.upstream.as_ref().and_then(|upstream| upstream.table.sign.as_ref());
        for (at, secret) in
            sign.and_then(|sign| sign.secrets.as_ref()).into_iter().flatten().enumerate()
        {
            look(route_key(route, &format!("upstream.sign.secrets[{at}]")), secret);
        }
    }
}

fn written(cx: &mut Context<'_>) {
    let mut inline = Vec::new();
    let mut files = BTreeMap::new();
    each_written(cx, |key, secret| {
        if secret.value.is_some() {
            inline.push(key);
        } else if let Some(file) = &secret.file {
            files.entry(file.clone()).or_insert(key);
        }
    });
    for key in inline {
        let problem = cx
            .problem(Finding::InlineSecret, &key, "a secret is written into the configuration")
            .detail("whoever may read the file can sign deliveries")
            .suggest("{ env = \"NAME\" } or { file = \"/run/secrets/name\" }");
        cx.found.push(problem);
    }
    // A file is named from where the main file is, which alone may have [server].
    let main = cx.loaded.map.key("server").map(|place| place.file).unwrap_or_default();
    let base = main.parent().unwrap_or(Path::new(""));
    let secrets = files.into_iter().map(|(file, key)| (base.join(file), key));
    let keys = cx.loaded.config.server.tls.iter().enumerate().map(|(at, certificate)| {
        (certificate.key_file.clone(), format!("server.tls[{at}].private_key"))
    });
    for (file, key) in secrets.chain(keys).filter(|(file, _)| others_may_read(file)) {
        let message = format!("others may read {}", file.display());
        let problem = cx
            .problem(Finding::ReadableSecret, &key, message)
            .suggest(format!("chmod o-rwx {}", file.display()));
        cx.found.push(problem);
    }
}

#[cfg(unix)]
fn others_may_read(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(file).is_ok_and(|meta| meta.permissions().mode() & 0o004 != 0)
}

#[cfg(not(unix))]
fn others_may_read(_file: &Path) -> bool {
    false
}

fn forgotten(cx: &mut Context<'_>) {
    for route in cx.routes() {
        for (at, secret) in route.secrets.iter().enumerate() {
            if !is_placeholder(&secret.bytes) {
                continue;
            }
            let key = route_key(route, &format!("secrets[{at}]"));
            let problem = cx
                .problem(
                    Finding::PlaceholderSecret,
                    &key,
                    format!("a secret of route {} is a placeholder", route.name),
                )
                .detail("anybody could sign deliveries with it");
            cx.found.push(problem);
        }
    }
}

fn short(cx: &mut Context<'_>) {
    for route in cx.routes() {
        let own = facts::key_lengths(route)
            .into_iter()
            .map(|(at, length)| (format!("secrets[{at}]"), length));
        let signing = route.upstream.sign.iter().enumerate();
        let signing =
            signing.map(|(at, key)| (format!("upstream.sign.secrets[{at}]"), key.0.len()));
        for (key, length) in own.chain(signing).filter(|(_, length)| *length < SHORT_BYTES) {
            let problem = cx
                .problem(
                    Finding::ShortSecret,
                    &route_key(route, &key),
                    format!(
                        "a secret of route {} is {length} bytes long, fewer than {SHORT_BYTES}",
                        route.name
                    ),
                )
                .suggest("a random one: openssl rand -hex 32");
            cx.found.push(problem);
        }
    }
}

fn shared(cx: &mut Context<'_>) {
    // Digests, so that nothing here compares secrets themselves.
    let mut first: BTreeMap<[u8; 32], &str> = BTreeMap::new();
    for route in cx.routes() {
        for (at, secret) in route.secrets.iter().enumerate() {
            let digest = <[u8; 32]>::from(Sha256::digest(&*secret.bytes));
            let other = *first.entry(digest).or_insert(&route.name);
            if other == &*route.name {
                continue;
            }
            let key = route_key(route, &format!("secrets[{at}]"));
            let problem = cx
                .problem(
                    Finding::SharedSecret,
                    &key,
                    format!("routes {other} and {} share a secret", route.name),
                )
                .detail(format!(
                    "a delivery signed for {other} passes here too, where nobody has seen it yet"
                ));
            cx.found.push(problem);
        }
    }
}
