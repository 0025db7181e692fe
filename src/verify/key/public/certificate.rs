//! X.509 certificates, as far as a pinned or fetched key needs them.

use x509_parser::{
    certificate::X509Certificate, extensions::GeneralName, prelude::FromDer as _, time::ASN1Time,
};

use super::{pem, verifying::VerifyingKey};
use crate::clock::UnixMs;

/// What a certificate says.
///
/// Reading one proves nothing of who issued it: its key is as good as the place it came from.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// Its subject's key.
    pub key: VerifyingKey,
    /// The first moment at which it holds.
    pub not_before: UnixMs,
    /// The last moment at which it holds.
    pub not_after: UnixMs,
    /// The DNS names of its subject, then its common name.
    pub names: Vec<Box<str>>,
    /// Whether it may issue others.
    pub is_authority: bool,
}

impl Certificate {
    /// Whether it holds at this time; both ends do.
    pub fn holds_at(&self, now: UnixMs) -> bool {
        self.not_before <= now && now <= self.not_after
    }
}

/// Reads a certificate in PEM or DER; of several in PEM the first, which is the leaf.
///
/// # Errors
///
/// What is wrong with it, to be read after its name.
pub fn certificate(pem_or_der: &[u8]) -> Result<Certificate, String> {
    match std::str::from_utf8(pem_or_der) {
        Ok(text) if pem::is_meant(text) => {
            let blocks = pem::blocks(text)?;
            let block = blocks.iter().find(|block| is_label(block.label));
            from_der(&block.ok_or_else(|| "holds no certificate".to_owned())?.der)
        }
        _ => from_der(pem_or_der),
    }
}

/// Whether a PEM block of this label is a certificate.
pub(super) fn is_label(label: &str) -> bool {
    matches!(label, "CERTIFICATE" | "X509 CERTIFICATE")
}

/// Reads DER.
pub(super) fn from_der(der: &[u8]) -> Result<Certificate, String> {
    let (rest, read) =
        X509Certificate::from_der(der).map_err(|_| "is no certificate (X.509)".to_owned())?;
    if !rest.is_empty() {
        return Err("has bytes behind the end of its certificate".to_owned());
    }
    let key = VerifyingKey::from_spki(read.public_key().raw)?;
    let alternative = read.subject_alternative_name().ok().flatten();
    let dns = alternative
        .iter()
        .flat_map(|names| &names.value.general_names)
        .filter_map(|name| if let GeneralName::DNSName(name) = name { Some(*name) } else { None });
    let common = read.subject().iter_common_name().filter_map(|name| name.as_str().ok());
    Ok(Certificate {
        key,
        not_before: at(read.validity().not_before),
        not_after: at(read.validity().not_after),
        names: dns.chain(common).map(Into::into).collect(),
        is_authority: read.is_ca(),
    })
}

fn at(time: ASN1Time) -> UnixMs {
    UnixMs::from_secs(time.timestamp())
}
