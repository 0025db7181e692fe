//! The catalogue: every built-in definition, one TOML file each.
//!
//! A definition is data in the language of `docs/definitions.md`, the one that `[providers.*]` takes
//! too, so that what is built in can be read, pasted and changed. To add a provider, write its file.

mod catalogue;
#[cfg(test)]
mod documented;
#[cfg(test)]
mod handshake_tests;
pub mod lists;
#[cfg(test)]
mod nameless;
#[cfg(test)]
mod tests;

pub use catalogue::{all, builtin, by_case, names, raw, source};
