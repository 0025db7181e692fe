//! What an address is: source lists, the client behind trusted proxies, PROXY announcements, TLS.

pub mod cidr;
pub mod client;
mod forwarded;
pub mod host;
pub mod proxy;
pub mod tls;

pub use cidr::{Sources, canonical};
pub use client::{Client, ClientError, Remark};
