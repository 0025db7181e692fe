//! Public keys, in every form in which providers and operators hand them around.
//!
//! Text becomes keys in [`read_public_keys`]; a key verifies only what belongs to its type. Where a
//! text could be a private key or a shared secret it is refused without being shown.

mod certificate;
mod jwk;
mod low_order;
mod pem;
mod read;
mod signing;
mod verifying;

use crate::{
    clock::UnixMs,
    verify::algorithm::{Algorithm, EcdsaForm},
};

pub use certificate::{Certificate, certificate};
pub use read::read_public_keys;
pub use signing::SigningKey;
pub use verifying::{KeyType, VerifyingKey};

/// A public key with what its holder says about it.
#[derive(Clone, Debug)]
pub struct NamedKey {
    /// The `kid` of a JWK.
    pub kid: Option<Box<str>>,
    /// The only algorithm that it is for: the `alg` of a JWK.
    pub algorithm: Option<Algorithm>,
    /// When the certificate that it came in stops to hold.
    pub not_after: Option<UnixMs>,
    /// The key.
    pub key: VerifyingKey,
}

impl NamedKey {
    /// Whether it may verify with this algorithm.
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        self.algorithm.is_none_or(|only| only == algorithm) && self.key.fits(algorithm)
    }

    /// Whether a signature over a message is this key's, made with an algorithm that it is for.
    pub fn verifies(
        &self,
        algorithm: Algorithm,
        ecdsa: EcdsaForm,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        self.fits(algorithm) && self.key.verifies(algorithm, ecdsa, message, signature)
    }
}

#[cfg(test)]
mod tests;
