//! JSON Web Signatures in compact form, and the times of JSON Web Tokens.
//!
//! Only the text is dealt with here: what the token says of itself, and which bytes its signature
//! must hold over. The keys and their cryptography are those of every other scheme (`verify/key`):
//! a library for tokens would be a second place where verdicts are made. RFC 7515, 7518, 7519, 7797
//! and 8725 are the sources.
//!
//! A token chooses nothing. Its algorithm must be one that the definition lists, and everything in
//! its header that would bring a key along, name a place to fetch one from, or change what the
//! other members mean is refused.

mod algorithm;
mod build;
mod parse;
mod times;

pub(crate) use algorithm::JoseAlgorithm;
pub(crate) use build::{Draft, build};
pub(crate) use parse::{Jws, parse};
pub(crate) use times::times;

#[cfg(test)]
mod tests;
