//! XML as received: a few values found in one pass.
//!
//! No document type, no entities but the five built-in ones, nothing external, UTF-8 only. Names are
//! compared without their namespaces, so that an element of a foreign namespace is ambiguous rather
//! than overlooked.

mod extract;
mod path;
mod replace;
mod syntax;

pub(crate) use extract::{NotXml, extract};
pub(crate) use path::Path;
pub(crate) use replace::replace;

#[cfg(test)]
mod tests;
