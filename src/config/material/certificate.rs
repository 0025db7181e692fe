//! Certificates and private keys.

use std::{fmt, path::Path};

use rustls::{
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    sign::CertifiedKey,
};
use zeroize::Zeroizing;

use super::Gatherer;
use crate::{
    config::{
        Problem, Secrets,
        model::{Authorities, Certificate},
        raw::Tls,
    },
    net::tls,
};

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
        let clients_key = key("client_ca");
        let clients_path = tls.client_ca.as_deref();
        if self.options.secrets == Secrets::Skip {
            let clients = clients_path.map(|path| (clients_key.as_str(), path));
            return self.unread([(&chain_key, chain_path?), (&key_key, key_path?)], clients);
        }
        let clients = clients_path.map(|path| self.clients(format_args!("{clients_key}"), path));
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
            client_ca: match clients {
                Some(clients) => Some(clients?),
                None => None,
            },
        })
    }

    /// A certificate of which nothing was read: what is not there is a note.
    fn unread(
        &self,
        [chain, private]: [(&str, &Path); 2],
        clients: Option<(&str, &Path)>,
    ) -> Option<Certificate> {
        let file = |(key, path): (&str, &Path)| {
            let path = self.disk.resolve(path);
            if !path.is_file() {
                let text = format!("{key}: there is no file {} here", path.display());
                self.problems.push(Problem::note(text), format_args!("{key}"));
            }
            path
        };
        Some(Certificate {
            chain_pem: Vec::new(),
            key_pem: Zeroizing::default(),
            chain_file: file(chain),
            key_file: file(private),
            client_ca: clients.map(|named| Authorities { pem: Vec::new(), file: file(named) }),
        })
    }

    /// Reads who may vouch for clients.
    fn clients(&self, key: fmt::Arguments<'_>, path: &Path) -> Option<Authorities> {
        let pem = self.authorities(key, path)?;
        let authorities = Authorities { pem, file: self.disk.resolve(path) };
        if let Err(error) = tls::roots(&authorities) {
            self.problems.error(key, error);
            return None;
        }
        Some(authorities)
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
