//! Everything in Hookward that reads bytes from the network, one function each.
//!
//! A target returns if the bytes were handled, and panics if they were not: if the code under it
//! panics, or if a law that the target states does not hold.
#![forbid(unsafe_code)]

pub mod engine;
pub mod mutate;
pub mod parsers;
pub mod targets;
pub mod wire;
