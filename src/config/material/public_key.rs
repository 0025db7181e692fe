//! Public keys from variables, files and the configuration itself, and where others are fetched.

use std::{collections::HashSet, fmt, sync::Arc};

use zeroize::Zeroizing;

use super::{Gatherer, secret};
use crate::{
    config::{Problem, Secrets, raw},
    net::{Target, TargetError},
    verify::{NamedKey, Origin, PublicKey, PublicKeys, RemoteKeys, read_public_keys},
};

/// What a reader of keys may be given, and whether it was.
enum Found {
    Text(Zeroizing<Vec<u8>>),
    /// `--no-secrets`: what the configuration does not hold itself is not looked at.
    Unread,
}

impl Gatherer<'_> {
    /// All public keys of one route.
    pub(super) fn public_keys(
        &mut self,
        list: fmt::Arguments<'_>,
        keys: &[raw::PublicKey],
    ) -> Vec<PublicKey> {
        let mut ids = HashSet::new();
        let mut out: Vec<PublicKey> = Vec::with_capacity(keys.len());
        for (number, raw) in keys.iter().enumerate() {
            let Some(key) = self.public_key(list, number, raw) else { continue };
            let at = format_args!("{list}[{number}]").to_string();
            if !ids.insert(Arc::clone(&key.id)) {
                self.problems.error_try(
                    format_args!("{at}"),
                    format_args!("{:?} is the id of an earlier key of this list", key.id),
                    "id = \"…\"   # another one",
                );
            }
            if let Some(earlier) = out.iter().find(|earlier| share(earlier, &key)) {
                let text = format!("{at}: the key {:?} is the same as {:?}", key.id, earlier.id);
                let problem = Problem::warning(text).detail("one of them can be removed");
                self.problems.push(problem, format_args!("{at}"));
            }
            out.push(key);
        }
        self.ends(list, &out);
        out
    }

    fn public_key(
        &mut self,
        list: fmt::Arguments<'_>,
        number: usize,
        raw: &raw::PublicKey,
    ) -> Option<PublicKey> {
        let at = format_args!("{list}[{number}]").to_string();
        let found = match (&raw.value, &raw.file, &raw.env, &raw.jwks_url) {
            (Some(value), None, None, None) => {
                Found::Text(Zeroizing::new(value.expose().as_bytes().to_vec()))
            }
            (None, Some(path), None, None) => self.key_file(&at, path)?,
            (None, None, Some(name), None) => self.key_variable(&at, name)?,
            (None, None, None, Some(url)) => {
                let (host, remote) = self.jwks(&at, url)?;
                return self.named(&at, raw, &host, PublicKeys::Remote(remote));
            }
            _ => {
                self.problems.error_try(
                    format_args!("{at}"),
                    "a public key has exactly one of value, file, env and jwks_url",
                    "{ file = \"keys/provider.pem\" }",
                );
                return None;
            }
        };
        let keys = match found {
            Found::Unread => Vec::new(),
            Found::Text(text) => match read_public_keys(&text) {
                Ok(keys) => keys,
                Err(why) => {
                    self.problems.error(format_args!("{at}"), format_args!("the key {why}"));
                    return None;
                }
            },
        };
        let kid = match keys.as_slice() {
            [only] => only.kid.as_deref().filter(|kid| secret::is_id(kid)).map(str::to_owned),
            _ => None,
        };
        let fallback = kid.unwrap_or_else(|| format!("key-{}", number + 1));
        self.named(&at, raw, &fallback, PublicKeys::Known(keys))
    }

    fn named(
        &self,
        at: &str,
        raw: &raw::PublicKey,
        fallback: &str,
        keys: PublicKeys,
    ) -> Option<PublicKey> {
        let id = match &raw.id {
            Some(id) if secret::is_id(id) => id.clone(),
            Some(_) => {
                self.problems.error(format_args!("{at}.id"), secret::NO_ID);
                return None;
            }
            None => secret::default_id(raw.env.as_deref(), raw.file.as_deref())
                .unwrap_or_else(|| fallback.to_owned()),
        };
        let expires = raw.expires.map(|when| when.0);
        Some(PublicKey { id: id.into(), id_is_explicit: raw.id.is_some(), expires, keys })
    }

    fn key_file(&self, at: &str, path: &std::path::Path) -> Option<Found> {
        let key = format!("{at}.file");
        if self.options.secrets == Secrets::Read {
            return self.file(format_args!("{key}"), path).map(Zeroizing::new).map(Found::Text);
        }
        let path = self.disk.resolve(path);
        if !path.is_file() {
            let text = format!("{key}: there is no file {} here", path.display());
            self.problems.push(Problem::note(text), format_args!("{key}"));
        }
        Some(Found::Unread)
    }

    fn key_variable(&self, at: &str, name: &str) -> Option<Found> {
        let bytes = self.variable(format_args!("{at}.env"), name)?;
        Some(match self.options.secrets {
            Secrets::Read => Found::Text(bytes),
            Secrets::Skip => Found::Unread,
        })
    }

    /// The host of a URL that keys are fetched from, and the cell that they will be in: one for
    /// all routes that name the URL.
    fn jwks(&mut self, at: &str, url: &str) -> Option<(String, Arc<RemoteKeys>)> {
        let host = match jwks_host(url) {
            Ok(host) => host,
            Err(why) => {
                let meant = "jwks_url = \"https://keys.example.com/jwks.json\"";
                self.problems.error_try(format_args!("{at}.jwks_url"), why, meant);
                return None;
            }
        };
        let fresh = || RemoteKeys::new(Origin::Jwks { url: url.into() });
        Some((host, Arc::clone(self.remotes.entry(url.to_owned()).or_insert_with(fresh))))
    }

    /// What will end, and whether anything is left then.
    fn ends(&self, list: fmt::Arguments<'_>, keys: &[PublicKey]) {
        let now = self.options.now;
        for (number, key) in keys.iter().enumerate() {
            if end(key).is_some_and(|end| end <= now) {
                let at = format_args!("{list}[{number}]").to_string();
                let problem = Problem::warning(format!("{at}: the key {:?} has expired", key.id))
                    .detail("it verifies nothing any more and can be removed");
                self.problems.push(problem, format_args!("{at}"));
            }
        }
        let last = keys.iter().map(end).max_by_key(|end| end.map_or(i64::MAX, |end| end.0));
        let Some(Some(last)) = last else { return };
        let days = (last.0 - now.0).div_euclid(24 * 3600 * 1000);
        let problem = if last <= now {
            Problem::warning(format!("{list}: every key has expired"))
                .detail("all deliveries are refused (401 signature_mismatch)")
        } else if days < SOON_DAYS {
            Problem::warning(format!("{list}: the last key ends in {days} days"))
                .detail("all deliveries are refused from then on (401 signature_mismatch)")
        } else {
            return;
        };
        self.problems.push(problem, list);
    }
}

/// The end of the last key of an element; `None` where one has none.
fn end(key: &PublicKey) -> Option<crate::clock::UnixMs> {
    let certificates = match &key.keys {
        PublicKeys::Known(keys) if !keys.is_empty() => {
            keys.iter().map(|key| key.not_after).max_by_key(|end| end.map_or(i64::MAX, |end| end.0))
        }
        _ => None,
    };
    [key.expires, certificates.flatten()].into_iter().flatten().min()
}

/// Whether two elements have a key in common.
fn share(one: &PublicKey, other: &PublicKey) -> bool {
    match (&one.keys, &other.keys) {
        (PublicKeys::Known(one), PublicKeys::Known(other)) => {
            let is_there = |key: &NamedKey| other.iter().any(|other| other.key == key.key);
            one.iter().any(is_there)
        }
        (PublicKeys::Remote(one), PublicKeys::Remote(other)) => Arc::ptr_eq(one, other),
        _ => false,
    }
}

/// The host of a JWKS's URL.
fn jwks_host(url: &str) -> Result<String, &'static str> {
    let target = Target::configured(url).map_err(|wrong| match wrong {
        TargetError::NotAUrl | TargetError::Port => "is no URL",
        TargetError::NotHttps => "keys are fetched over https:// only",
        TargetError::UserInfo => "a URL with a user or password is not taken",
        TargetError::Fragment => "a fragment is never sent",
    })?;
    Ok(target.host().to_owned())
}

/// From so many days before its end on, it is said that a route's last key ends.
const SOON_DAYS: i64 = 30;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_fetched_from_one_kind_of_url() {
        assert_eq!(jwks_host("https://keys.example.com:8443/a?b").unwrap(), "keys.example.com");
        for bad in [
            "",
            "keys.example.com",
            "http://keys.example.com/",
            "https://a:b@keys.example.com/",
            "https:///x",
            "https://keys.example.com/#x",
            "file:///etc/passwd",
        ] {
            assert!(jwks_host(bad).is_err(), "{bad}");
        }
    }
}
