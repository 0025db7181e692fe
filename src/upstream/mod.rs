//! Forwarding: connections to the receivers, health, failover, and what their requests look like.
//!
//! [`Upstream`] is the running form of one route's `upstream`. Its [`Upstream::exchange`] takes a
//! request whose checks are all done and comes back with the receiver's answer, or with the
//! refusal that the sender gets. Nothing here knows of checks, routes or replay.
//!
//! - `headers` decides what the receiver sees in the head: a sender's claims about itself go,
//!   what the gateway knows is added.
//! - `path` decides which path and query the receiver sees.
//! - `resign` signs anew for the receiver, as Standard Webhooks.
//! - `wire` speaks HTTP/1.1 over a connection.
//! - `pool`, `connect`, `stream` and `tls` make and keep connections, per core; `origins` has
//!   routes share them.
//! - `health` decides who is asked, and in which order.
//! - `echo` is `builtin:echo`, a receiver inside the gateway.
//!
//! A request goes to another receiver, or again, only if not one byte of it was written.

mod body;
mod build;
mod connect;
mod echo;
mod exchange;
mod headers;
mod health;
mod origins;
mod path;
mod pool;
mod resign;
mod stream;
mod tls;
mod wire;

#[cfg(test)]
mod tests;

pub use body::UpstreamBody;
pub use build::{Build, BuildError, Upstream};
pub use exchange::{Answer, Exchanged};
pub use headers::{Outgoing, address, strip_claims};
pub use origins::Origins;
pub use path::parse_url;
pub use tls::TlsContext;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub use wire::differential::answer as fuzz_answer;
