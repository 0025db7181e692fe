//! Secrets from variables, files and the configuration itself.

use std::{
    collections::HashSet,
    fmt,
    hash::{BuildHasher as _, Hasher as _, RandomState},
    path::Path,
    sync::Arc,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::{Gatherer, Vacant};
use crate::{
    config::{Problem, Secrets, model::SigningKey, raw},
    pairing, verify,
};

pub(super) const NO_ID: &str = "an id is 1 to 128 of A-Z, a-z, 0-9, \".\", \"_\" and \"-\"";

type Bytes = Zeroizing<Vec<u8>>;

impl Gatherer<'_> {
    /// All secrets of one list. Where `vacant` is given, files may hold none yet.
    pub(super) fn secrets(
        &self,
        list: fmt::Arguments<'_>,
        secrets: &[raw::Secret],
        mut vacant: Option<&mut Vec<Vacant>>,
    ) -> Vec<verify::Secret> {
        let mut ids = HashSet::new();
        let mut out = Vec::with_capacity(secrets.len());
        for (number, secret) in secrets.iter().enumerate() {
            let secret = match vacant.as_deref().and_then(|_| self.vacant(list, number, secret)) {
                None => self.secret(list, number, secret),
                Some(none) => {
                    if let Some(all) = vacant.as_deref_mut() {
                        all.push(none);
                    }
                    continue;
                }
            };
            let Some(secret) = secret else { continue };
            if !ids.insert(Arc::clone(&secret.id)) {
                self.problems.error_try(
                    format_args!("{list}[{number}]"),
                    format_args!("{:?} is the id of an earlier secret of this list", secret.id),
                    "id = \"…\"   # another one",
                );
            }
            out.push(secret);
        }
        out
    }

    /// The keys that deliveries are signed with anew.
    pub(super) fn signing_keys(&self, list: &str, secrets: &[raw::Secret]) -> Vec<Arc<SigningKey>> {
        for (number, _) in secrets.iter().enumerate().filter(|(_, s)| s.expires.is_some()) {
            let why = "what is signed with does not expire by itself; \
                       remove it once the receiver has the next one";
            self.problems.error(format_args!("{list}[{number}].expires"), why);
        }
        let mut out = Vec::new();
        for (number, secret) in
            self.secrets(format_args!("{list}"), secrets, None).iter().enumerate()
        {
            let bytes = secret.bytes.strip_prefix(b"whsec_").unwrap_or(&secret.bytes);
            match STANDARD.decode(bytes).map(Zeroizing::new) {
                Ok(key) if !key.is_empty() => out.push(Arc::new(SigningKey(key))),
                _ => self.problems.error(
                    format_args!("{list}[{number}]"),
                    "the secret is no base64, with or without \"whsec_\" before it",
                ),
            }
        }
        out
    }

    /// Of a list none of which is in force, whatever is said of each of them.
    pub(super) fn all_expired(&self, list: fmt::Arguments<'_>, secrets: &[raw::Secret]) {
        let past = |secret: &raw::Secret| {
            secret.expires.as_ref().is_some_and(|when| when.0 <= self.options.now)
        };
        if !secrets.is_empty() && secrets.iter().all(past) {
            let problem = Problem::warning(format!("{list}: every secret has expired"))
                .detail("all deliveries are refused (401 signature_mismatch)");
            self.problems.push(problem, list);
        }
    }

    /// A secret whose file holds none yet.
    fn vacant(
        &self,
        list: fmt::Arguments<'_>,
        number: usize,
        secret: &raw::Secret,
    ) -> Option<Vacant> {
        let (None, Some(path), None, Secrets::Read) =
            (&secret.env, &secret.file, &secret.value, self.options.secrets)
        else {
            return None;
        };
        let file = self.disk.resolve(path);
        self.disk.remember(file.clone());
        let id = self.id(list, number, secret)?;
        if !pairing::is_vacant(&file).ok()? {
            return None;
        }
        let expires = secret.expires.map(|when| when.0);
        let id_is_explicit = secret.id.is_some();
        Some(Vacant { number, file, id: id.into(), id_is_explicit, expires })
    }

    /// A secret's name in records.
    fn id(&self, list: fmt::Arguments<'_>, number: usize, secret: &raw::Secret) -> Option<String> {
        match &secret.id {
            Some(id) if is_id(id) => Some(id.clone()),
            Some(_) => {
                self.problems.error(format_args!("{list}[{number}].id"), NO_ID);
                None
            }
            None => Some(
                default_id(secret.env.as_deref(), secret.file.as_deref())
                    .unwrap_or_else(|| format!("secret-{}", number + 1)),
            ),
        }
    }

    fn secret(
        &self,
        list: fmt::Arguments<'_>,
        number: usize,
        secret: &raw::Secret,
    ) -> Option<verify::Secret> {
        let bytes = match (&secret.env, &secret.file, &secret.value) {
            (Some(name), None, None) => {
                self.variable(format_args!("{list}[{number}].env"), name)?
            }
            (None, Some(path), None) => {
                self.contents(format_args!("{list}[{number}].file"), path)?
            }
            (None, None, Some(value)) => Zeroizing::new(value.expose().as_bytes().to_vec()),
            _ => {
                self.problems.error_try(
                    format_args!("{list}[{number}]"),
                    "a secret has exactly one of env, file and value",
                    "{ env = \"NAME\" }",
                );
                return None;
            }
        };
        if bytes.iter().all(u8::is_ascii_whitespace) {
            let what = if bytes.is_empty() { "empty" } else { "blank" };
            self.problems
                .error(format_args!("{list}[{number}]"), format_args!("the secret is {what}"));
            return None;
        }
        let id = self.id(list, number, secret)?;
        let expires = secret.expires.map(|when| when.0);
        if expires.is_some_and(|at| at <= self.options.now) {
            let key = format_args!("{list}[{number}].expires");
            let problem = Problem::warning(format!("{key}: the secret {id:?} has expired"))
                .detail("it verifies nothing any more and can be removed");
            self.problems.push(problem, key);
        }
        Some(verify::Secret { id: id.into(), id_is_explicit: secret.id.is_some(), bytes, expires })
    }

    /// A variable's value without newlines at its end, or what stands in for it.
    pub(super) fn variable(&self, key: fmt::Arguments<'_>, name: &str) -> Option<Bytes> {
        let value = if name.is_empty() || name.contains(['=', '\0']) {
            None
        } else {
            (self.options.env)(name)
        };
        match (value, self.options.secrets) {
            (Some(value), Secrets::Read) => {
                let bytes = Zeroizing::new(value.into_encoded_bytes());
                Some(without_newlines(&bytes))
            }
            (Some(_), Secrets::Skip) => Some(placeholder()),
            (None, Secrets::Read) => {
                self.problems.error(key, format_args!("the variable {name} is not set"));
                None
            }
            (None, Secrets::Skip) => {
                let text = format!("{key}: the variable {name} is not set here");
                self.problems.push(Problem::note(text), key);
                Some(placeholder())
            }
        }
    }

    fn contents(&self, key: fmt::Arguments<'_>, path: &Path) -> Option<Bytes> {
        match self.options.secrets {
            Secrets::Read => {
                let bytes = Zeroizing::new(self.file(key, path)?);
                Some(without_newlines(&bytes))
            }
            Secrets::Skip => {
                let path = self.disk.resolve(path);
                if !path.is_file() {
                    let text = format!("{key}: there is no file {} here", path.display());
                    self.problems.push(Problem::note(text), key);
                }
                Some(placeholder())
            }
        }
    }
}

/// A copy without the newlines at its end, and nothing else taken away.
fn without_newlines(bytes: &[u8]) -> Bytes {
    let mut rest = bytes;
    while let Some(shorter) = rest.strip_suffix(b"\n") {
        rest = shorter.strip_suffix(b"\r").unwrap_or(shorter);
    }
    Zeroizing::new(rest.to_vec())
}

/// The variable's name, or the file's stem.
pub(super) fn default_id(env: Option<&str>, file: Option<&Path>) -> Option<String> {
    let stem = || file?.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let name = env.map(str::to_owned).or_else(stem)?;
    let name: String =
        name.chars().map(|c| if c.is_ascii() && is_id_byte(c as u8) { c } else { '-' }).collect();
    is_id(&name).then_some(name)
}

/// Whether a text may be the name of a key in records.
pub(super) fn is_id(id: &str) -> bool {
    (1..=128).contains(&id.len()) && id.bytes().all(is_id_byte)
}

fn is_id_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

/// What stands in for a secret that is not read: unguessable, and valid as text, hex and base64.
fn placeholder() -> Bytes {
    let mut text = String::with_capacity(64);
    for _ in 0..4 {
        text.push_str(&format!("{:016x}", RandomState::new().build_hasher().finish()));
    }
    Zeroizing::new(text.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_newlines_at_the_end_go() {
        for (given, want) in [
            ("a\n", "a"),
            ("a\r\n\n", "a"),
            (" a \n", " a "),
            ("a\r", "a\r"),
            ("\na", "\na"),
            ("a\t\n", "a\t"),
            ("\n", ""),
        ] {
            assert_eq!(without_newlines(given.as_bytes()).as_slice(), want.as_bytes(), "{given:?}");
        }
    }

    #[test]
    fn placeholders_differ_and_decode() {
        let one = placeholder();
        assert_ne!(one, placeholder());
        assert_eq!(one.len(), 64);
        assert!(hex::decode(&*one).is_ok() && STANDARD.decode(&*one).is_ok());
    }
}
