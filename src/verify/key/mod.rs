//! Secrets as configured, and the keys that a scheme makes of them.

mod mac;
mod public;
mod ring;
mod secret;

pub(crate) use mac::Keyed;
pub use public::{
    Certificate, KeyType, NamedKey, SigningKey, VerifyingKey, certificate, read_public_keys,
};
pub use ring::KeyRing;
pub(crate) use ring::{Key, Material};
pub use secret::Secret;
