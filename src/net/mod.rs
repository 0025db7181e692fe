//! What an address is: source lists, the client behind trusted proxies, PROXY announcements, TLS;
//! and which URLs may be fetched.

pub(crate) mod breadth;
pub mod certificate;
pub mod cidr;
pub mod client;
mod forwarded;
pub mod host;
pub mod list;
pub(crate) mod network;
pub mod proxy;
pub(crate) mod scratch;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod scripted;
mod target;
pub mod tls;

pub use certificate::{CertificateRule, ClientCertificate};
pub use cidr::{Sources, canonical};
pub use client::{Client, ClientError, Remark};
pub use list::Shape;
pub use target::{Target, TargetError};
