//! What a route wants of a client's certificate.

use std::net::IpAddr;

use super::{
    facts::{ClientCertificate, Name},
    name,
};

/// `[routes.X.client_certificate]`: all kinds that are given must hold, of each kind one value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateRule {
    subjects: Vec<Vec<(String, String)>>,
    names: Vec<Wanted>,
    fingerprints: Vec<[u8; 32]>,
}

/// A subject alternative name that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Wanted {
    Exactly(Name),
    /// `*.example.com`: one label and this, which begins with the dot.
    AnyLabel(String),
}

/// Why a text is no rule; to be read after the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RuleError(&'static str);

/// What of a certificate is not what the route wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// No subject that is named is the certificate's.
    Subject,
    /// None of the names is among the certificate's.
    San,
    /// It is another certificate.
    Sha256,
}

impl Mismatch {
    /// What is wrong with the certificate, to be read after it.
    pub const fn about(self) -> &'static str {
        match self {
            Self::Subject => "is not of the route's subject",
            Self::San => "has none of the route's names",
            Self::Sha256 => "has another fingerprint than the route's",
        }
    }
}

impl CertificateRule {
    /// Whether it asks for nothing.
    pub const fn is_empty(&self) -> bool {
        self.subjects.is_empty() && self.names.is_empty() && self.fingerprints.is_empty()
    }

    /// Takes one more subject: attributes as RFC 4514 writes them, or a plain common name.
    ///
    /// # Errors
    ///
    /// If it is no such text.
    pub fn subject(&mut self, text: &str) -> Result<(), RuleError> {
        let parts = if name::is_distinguished(text) {
            name::parse(text).map_err(RuleError)?
        } else if text.trim().is_empty() {
            return Err(RuleError("is blank"));
        } else {
            vec![(name::COMMON_NAME.to_owned(), text.to_owned())]
        };
        self.subjects.push(parts);
        Ok(())
    }

    /// Takes one more alternative name: a host, which may begin with `*.` for any one label, an
    /// address, an email address or a URI.
    ///
    /// # Errors
    ///
    /// If it is none of these.
    pub fn san(&mut self, text: &str) -> Result<(), RuleError> {
        let wanted = if let Ok(address) = text.parse::<IpAddr>() {
            Wanted::Exactly(Name::Ip(address))
        } else if text.contains(':') {
            Wanted::Exactly(Name::Uri(text.to_owned()))
        } else if text.contains('@') {
            Wanted::Exactly(Name::Email(text.to_owned()))
        } else {
            let host = text.to_ascii_lowercase();
            match host.strip_prefix('*') {
                Some(rest) if rest.strip_prefix('.').is_some_and(is_host) => {
                    Wanted::AnyLabel(rest.to_owned())
                }
                None if is_host(&host) => Wanted::Exactly(Name::Dns(host)),
                _ => {
                    return Err(RuleError("is no host, address, email address or URI"));
                }
            }
        };
        self.names.push(wanted);
        Ok(())
    }

    /// Takes one more fingerprint: the SHA-256 of the whole certificate, with or without colons.
    ///
    /// # Errors
    ///
    /// If it has not 64 hexadecimal digits.
    pub fn sha256(&mut self, text: &str) -> Result<(), RuleError> {
        let digits: String = text.chars().filter(|c| *c != ':').collect();
        let mut fingerprint = [0; 32];
        hex::decode_to_slice(&digits, &mut fingerprint)
            .map_err(|_| RuleError("is no SHA-256 fingerprint of 64 hexadecimal digits"))?;
        self.fingerprints.push(fingerprint);
        Ok(())
    }

    /// Compares.
    ///
    /// # Errors
    ///
    /// The first kind of which nothing that is wanted is there.
    pub fn judge(&self, certificate: &ClientCertificate) -> Result<(), Mismatch> {
        let is_subject = |parts: &Vec<(String, String)>| has_subject(certificate, parts);
        let is_name = |wanted: &Wanted| certificate.names().iter().any(|name| wanted.is(name));
        let is_print = |print: &[u8; 32]| print == certificate.sha256();
        if !self.subjects.is_empty() && !self.subjects.iter().any(is_subject) {
            return Err(Mismatch::Subject);
        }
        if !self.names.is_empty() && !self.names.iter().any(is_name) {
            return Err(Mismatch::San);
        }
        if !self.fingerprints.is_empty() && !self.fingerprints.iter().any(is_print) {
            return Err(Mismatch::Sha256);
        }
        Ok(())
    }
}

/// Whether the subject has, of each kind of attribute that is named, these values and no other. A
/// second common name beside the right one is somebody's attempt to be two.
fn has_subject(certificate: &ClientCertificate, wanted: &[(String, String)]) -> bool {
    wanted.iter().all(|(oid, _)| {
        let mut there: Vec<_> = certificate.values(oid).collect();
        let named = wanted.iter().filter(|(other, _)| other == oid);
        let mut named: Vec<_> = named.map(|(_, value)| Some(value.as_str())).collect();
        there.sort_unstable();
        named.sort_unstable();
        there == named
    })
}

impl Wanted {
    fn is(&self, name: &Name) -> bool {
        match (self, name) {
            (Self::Exactly(wanted), name) => wanted == name,
            (Self::AnyLabel(rest), Name::Dns(host)) => host
                .strip_suffix(rest.as_str())
                .is_some_and(|label| !label.is_empty() && !label.contains('.')),
            (Self::AnyLabel(_), _) => false,
        }
    }
}

fn is_host(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    text.len() <= 253 && text.split('.').all(is_label)
}
