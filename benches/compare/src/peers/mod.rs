//! The gateways under test: what each is told, and how it is started.

mod haproxy;
mod hookward;
mod nginx;

use std::net::SocketAddr;

pub use self::{haproxy::Haproxy, hookward::Hookward, nginx::Nginx};

/// Where a gateway stands.
#[derive(Clone, Debug)]
pub struct Site {
    /// The address that it listens on.
    pub listen: SocketAddr,
    /// The receiver behind it.
    pub upstream: SocketAddr,
    /// A folder of its own, which all users may enter.
    pub folder: String,
    /// How many CPUs it has.
    pub cores: usize,
    /// Certificate and key in PEM files, where it ends TLS.
    pub tls: Option<TlsFiles>,
}

/// A certificate in files.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The certificate.
    pub certificate: String,
    /// Its key.
    pub key: String,
    /// Both in one.
    pub both: String,
}

/// How a gateway is started.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// The program.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// The name and content of its configuration, written into the site's folder.
    pub file: (&'static str, String),
}

/// A gateway under test.
pub trait Peer {
    /// What it is called in tables.
    fn name(&self) -> String;
    /// Its program in the foreground, at this site.
    fn command(&self, site: &Site) -> Command;
    /// The status with which it refuses a forged delivery; 200 if it does not.
    fn refuses_with(&self) -> u16;
}

#[cfg(test)]
mod tests;
