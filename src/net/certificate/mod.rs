//! A client's certificate: what it says, and what a route wants of it.
//!
//! `facts` reads one, once a connection; `rule` compares it with what a route names. Whether its
//! chain holds was decided in the handshake ([`super::tls`]): nothing here judges signatures.

mod facts;
mod name;
mod rule;

#[cfg(test)]
pub(crate) mod tests;

pub use facts::ClientCertificate;
pub use rule::{CertificateRule, Mismatch, RuleError};
