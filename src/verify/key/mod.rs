//! Secrets as configured, and the keys that a scheme makes of them.

mod credentials;
mod hashed;
mod mac;
mod public;
mod remote;
mod ring;
mod secret;

pub use credentials::{Credentials, PublicKey, PublicKeys};
pub(crate) use hashed::Hashed;
pub(crate) use mac::{Keyed, MacBytes};
pub use public::{
    Certificate, KeyType, NamedKey, SigningKey, VerifyingKey, certificate, read_public_keys,
};
pub use remote::{Origin, RemoteKeys, Wanted};
pub use ring::KeyRing;
pub(crate) use ring::{Key, Material, RemoteRing, Ring};
pub use secret::Secret;
