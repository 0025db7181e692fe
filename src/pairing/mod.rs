//! Keys that a provider hands over in its first request, instead of showing them to a person.
//!
//! Whoever sends that request first chooses the key. So nothing is taken unless an operator has
//! *armed* the route, for a while; then one key is taken, once, and never over another one. It is
//! written to the file that the route's configuration names, and is in force at once.
//!
//! Knows nothing of HTTP, and asks no clock.

mod control;
mod keyfile;
mod registry;
mod state;

#[cfg(test)]
mod tests;

pub use control::{PairError, Pairs};
pub use keyfile::is_vacant;
pub use registry::Registry;
pub use state::{ArmError, CaptureError, Pairing, Status, Target};
