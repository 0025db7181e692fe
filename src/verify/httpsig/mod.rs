//! HTTP message signatures (RFC 9421) and digests of content (RFC 9530).
//!
//! Only the text is dealt with here: which signatures a request brings, what each covers, and the
//! exact bytes, the *signature base*, that it must hold over. Structured fields (RFC 9651) are read
//! by the crate `sfv`. One builder makes the base for verifying and for signing.
//!
//! A signature says itself what it covers, so the receiver's rules come first: one that leaves out
//! a required component proves nothing and is not looked at further.

mod build;
mod component;
mod digest;
mod input;
mod origin;
mod parameters;
mod rules;
mod value;

pub(crate) use build::prepare;
pub(crate) use component::{Component, Form as ComponentForm};
pub(crate) use digest::{content_digest, digests_hold};
pub(crate) use input::{Input, read};
pub(crate) use origin::Origin;
pub(crate) use parameters::{Parameters, algorithm_name};
pub(crate) use rules::Rules;

#[cfg(test)]
mod published_tests;
#[cfg(test)]
mod tests;
