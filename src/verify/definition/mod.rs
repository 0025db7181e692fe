//! Definitions of providers: the language as written, and as checked.

pub mod raw;

pub use raw::RawDefinition;
