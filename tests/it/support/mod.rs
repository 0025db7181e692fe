//! What every test needs: a gateway on a free port, a client that writes raw bytes, an upstream
//! that records and misbehaves, and signatures.

mod client;
mod gateway;
mod sign;
mod upstream;

pub use client::{Answer, Client, request};
pub use gateway::Gateway;
pub use sign::{github, stripe};
pub use upstream::{Act, Upstream};
