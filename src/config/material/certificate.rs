//! Certificates and private keys.

use std::{fmt, path::Path};

use rustls::{
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    sign::CertifiedKey,
};
use zeroize::Zeroizing;

use super::Gatherer;
use crate::config::{Problem, Secrets, model::Certificate, raw::Tls};

impl Gatherer<'_> {
    /// Reads a certificate and its key, and sees that they belong together.
    pub(super) fn certificate(&self, number: usize, tls: &Tls) -> Option<Certificate> {
        let key = |name: &str| format!("server.tls[{number}].{name}");
        let (chain_key, key_key) = (key("certificate"), key("private_key"));
        let chain_path = tls.certificate.as_deref();
        if chain_path.is_none() {
            let example = "certificate = \"tls/fullchain.pem\"";
            self.problems.missing(
                format_args!("{chain_key}"),
                "a file in PEM, leaf first",
                example,
            );
        }
        let key_path = tls.private_key.as_deref();
        if key_path.is_none() {
            let example = "private_key = \"tls/privkey.pem\"";
            self.problems.missing(format_args!("{key_key}"), "a file in PEM", example);
        }
        if self.options.secrets == Secrets::Skip {
            return self.unread([&chain_key, &key_key], [chain_path?, key_path?]);
        }
        let chain = chain_path.and_then(|path| self.file(format_args!("{chain_key}"), path));
        let private = key_path.and_then(|path| self.file(format_args!("{key_key}"), path));
        let (chain_pem, key_pem) = (chain?, Zeroizing::new(private?));
        let chain = self.chain(format_args!("{chain_key}"), chain_path?, &chain_pem);
        let private = match PrivateKeyDer::from_pem_slice(&key_pem) {
            Ok(private) => Some(private),
            Err(_) => {
                let path = self.disk.resolve(key_path?);
                let text = format!("{} holds no private key in PEM", path.display());
                self.problems.error(format_args!("{key_key}"), text);
                None
            }
        };
        let pair = CertifiedKey::from_der(chain?, private?, &aws_lc_rs::default_provider());
        if let Err(error) = pair {
            let text = format!("certificate and key do not serve together: {error}");
            self.problems.error(format_args!("{key_key}"), text);
            return None;
        }
        Some(Certificate {
            chain_pem,
            key_pem,
            chain_file: self.disk.resolve(chain_path?),
            key_file: self.disk.resolve(key_path?),
        })
    }

    /// A certificate of which nothing was read: what is not there is a note.
    fn unread(&self, keys: [&str; 2], paths: [&Path; 2]) -> Option<Certificate> {
        let [chain_file, key_file] = paths.map(|path| self.disk.resolve(path));
        let files = keys.into_iter().zip([&chain_file, &key_file]);
        for (key, path) in files.filter(|(_, path)| !path.is_file()) {
            let text = format!("{key}: there is no file {} here", path.display());
            self.problems.push(Problem::note(text), format_args!("{key}"));
        }
        Some(Certificate {
            chain_pem: Vec::new(),
            key_pem: Zeroizing::default(),
            chain_file,
            key_file,
        })
    }

    /// Reads certificate authorities; the PEM text.
    pub(super) fn authorities(&self, key: fmt::Arguments<'_>, path: &Path) -> Option<Vec<u8>> {
        let pem = self.file(key, path)?;
        self.chain(key, path, &pem)?;
        Some(pem)
    }

    fn chain(
        &self,
        key: fmt::Arguments<'_>,
        path: &Path,
        pem: &[u8],
    ) -> Option<Vec<CertificateDer<'static>>> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        match chain {
            Ok(chain) if !chain.is_empty() => Some(chain),
            _ => {
                let path = self.disk.resolve(path);
                let text = format!("{} holds no certificate in PEM", path.display());
                self.problems.error(key, text);
                None
            }
        }
    }
}
