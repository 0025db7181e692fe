//! Secrets as configured, and the keys that a scheme makes of them.

mod mac;
mod ring;
mod secret;

pub(crate) use mac::Keyed;
pub use ring::KeyRing;
pub(crate) use ring::{Key, Material};
pub use secret::Secret;
