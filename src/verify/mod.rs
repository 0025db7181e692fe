//! The pure engine: (scheme, keys, head, body, now) → verdict.
//!
//! No I/O, no clock of its own, nothing of HTTP servers, and no provider's name. A provider is a
//! [`Definition`]; a route compiles it into a [`Scheme`] and its secrets into a [`KeyRing`]. A
//! message is then judged in steps, and what a step proves is a type that only it can make:
//!
//! 1. [`Scheme::claim`]: what the head alone tells, before the body is read;
//! 2. [`Scheme::verify`]: the signature, and with it everything that it covers;
//! 3. [`Scheme::judge_time`]: whether the signed time is near enough to now;
//! 4. [`Scheme::event`]: what the delivery is about, read from what is covered.

mod algorithm;
pub mod captured;
pub mod definition;
mod encoding;
pub mod explain;
mod form;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
pub mod handshake;
mod head;
mod httpsig;
mod json;
mod jws;
mod key;
mod pairs;
mod scheme;
pub mod sign;
mod source;
mod template;
mod time;
pub mod vectors;
mod xml;

pub use algorithm::{Algorithm, EcdsaForm};
pub use definition::{Definition, DefinitionProblem, RawDefinition};
pub(crate) use form::decode;
pub use handshake::Handshakes;
pub use head::Head;
pub use json::parse_strict;
pub use key::{
    Certificate, Credentials, KeyRing, KeyType, NamedKey, Origin, PublicKey, PublicKeys,
    RemoteKeys, Secret, SigningKey, VerifyingKey, Wanted, certificate, read_public_keys,
};
pub use scheme::{
    Claim, Coverage, Event, Fresh, Scheme, SchemeOptions, Takes, Verified, fingerprint,
};

#[cfg(test)]
mod tests;
