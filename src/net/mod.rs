//! What an address is: source lists, the client behind trusted proxies, PROXY announcements, TLS.

pub mod certificate;
pub mod cidr;
pub mod client;
mod forwarded;
pub mod host;
pub mod proxy;
pub mod tls;

pub use certificate::{CertificateRule, ClientCertificate};
pub use cidr::{Sources, canonical};
pub use client::{Client, ClientError, Remark};
