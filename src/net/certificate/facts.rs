//! What a certificate says, read once.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
};

use sha2::{Digest as _, Sha256};
use x509_parser::{
    certificate::X509Certificate, extensions::GeneralName, prelude::FromDer as _, time::ASN1Time,
};

use super::name;
use crate::clock::UnixMs;

/// The certificate that a client showed in the handshake, and whose chain held there.
///
/// The gateway's own listeners put it into each request's extensions; a server that embeds the
/// layers and asks for certificates itself does the same. No header ever stands for it.
#[derive(Clone)]
pub struct ClientCertificate(Arc<Facts>);

#[derive(Debug)]
struct Facts {
    /// In the certificate's order; `None` is a value of a kind that is no text.
    subject: Vec<(String, Option<String>)>,
    names: Vec<Name>,
    sha256: [u8; 32],
    not_before: UnixMs,
    not_after: UnixMs,
    /// The name that was asked for, where other names have other authorities; lower case.
    shown_to: Option<Box<str>>,
}

/// One subject alternative name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Name {
    /// A host name, lower case; may be a wildcard.
    Dns(String),
    Email(String),
    Ip(IpAddr),
    Uri(String),
}

impl ClientCertificate {
    /// Reads a certificate; `None` if that is not possible.
    ///
    /// `shown_to` is the server name that the client asked for (lower case; empty if it asked for
    /// none), to be given where the name decides which authorities a certificate may be from.
    pub fn read(der: &[u8], shown_to: Option<&str>) -> Option<Self> {
        let (rest, certificate) = X509Certificate::from_der(der).ok()?;
        if !rest.is_empty() {
            return None;
        }
        let attributes = certificate.subject().iter_attributes();
        let subject = attributes.map(|attribute| {
            let value = attribute.as_str().ok().map(str::to_owned);
            (attribute.attr_type().to_id_string(), value)
        });
        let names = match certificate.subject_alternative_name().ok()? {
            Some(extension) => extension.value.general_names.iter().filter_map(name_of).collect(),
            None => Vec::new(),
        };
        Some(Self(Arc::new(Facts {
            subject: subject.collect(),
            names,
            sha256: Sha256::digest(der).into(),
            not_before: time(certificate.validity().not_before),
            not_after: time(certificate.validity().not_after),
            shown_to: shown_to.map(Into::into),
        })))
    }

    /// The subject for people, as RFC 4514 writes it.
    pub fn subject(&self) -> String {
        name::show(self.0.subject.iter().map(|(oid, value)| (oid.as_str(), value.as_deref())))
    }

    /// SHA-256 of the certificate.
    pub fn sha256(&self) -> &[u8; 32] {
        &self.0.sha256
    }

    /// Whether it is valid at this time. The handshake has judged that too, but a connection may
    /// outlive its certificate.
    pub fn is_valid_at(&self, now: UnixMs) -> bool {
        self.0.not_before <= now && now <= self.0.not_after
    }

    /// Whether it counts for this host: where the name that was asked for decides about the
    /// authorities, a certificate that was shown to one name says nothing to another.
    pub fn counts_for(&self, host: &str) -> bool {
        self.0.shown_to.as_ref().is_none_or(|name| !name.is_empty() && **name == *host)
    }

    /// The values of one kind of attribute of the subject.
    pub(super) fn values<'a>(&'a self, oid: &'a str) -> impl Iterator<Item = Option<&'a str>> {
        let of = move |(known, _): &&(String, Option<String>)| known == oid;
        self.0.subject.iter().filter(of).map(|(_, value)| value.as_deref())
    }

    pub(super) fn names(&self) -> &[Name] {
        &self.0.names
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ClientCertificate").field(&self.subject()).finish()
    }
}

/// Other kinds of names cannot be asked for.
fn name_of(name: &GeneralName<'_>) -> Option<Name> {
    match name {
        GeneralName::DNSName(host) => Some(Name::Dns(host.to_ascii_lowercase())),
        GeneralName::RFC822Name(address) => Some(Name::Email((*address).to_owned())),
        GeneralName::URI(uri) => Some(Name::Uri((*uri).to_owned())),
        GeneralName::IPAddress(bytes) => {
            let v4 = <[u8; 4]>::try_from(*bytes).map(|octets| Ipv4Addr::from(octets).into());
            let v6 = || <[u8; 16]>::try_from(*bytes).map(|octets| Ipv6Addr::from(octets).into());
            v4.or_else(|_| v6()).ok().map(Name::Ip)
        }
        _ => None,
    }
}

fn time(time: ASN1Time) -> UnixMs {
    UnixMs::from_secs(time.timestamp())
}
