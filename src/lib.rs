//! Hookward verifies webhooks before they reach a receiver.
//!
//! It is a reverse proxy and a library: [`verify`] is the pure engine that judges a delivery.
#![forbid(unsafe_code)]

pub mod body;
pub mod cli;
pub mod clock;
pub mod config;
pub mod decision;
pub mod delivery;
pub mod fetch;
pub mod gateway;
mod itself;
pub mod layer;
pub mod limit;
pub mod net;
pub mod pairing;
pub mod process;
pub mod providers;
pub mod replay;
pub mod schema;
pub mod server;
pub mod telemetry;
pub mod upstream;
pub mod verify;
pub mod wildcard;
