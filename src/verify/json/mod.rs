//! JSON as received: a few values found in one pass, or a whole value read strictly.

mod elements;
mod extract;
mod pointer;
mod strict;

pub(crate) use elements::elements;
pub(crate) use extract::{Found, MAX_VALUES, extract};
pub(crate) use pointer::Pointer;
pub use strict::parse_strict;
