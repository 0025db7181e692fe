//! Query strings and form bodies: fields by decoded name, and the canonical forms that senders sign.

mod canonical;
mod field;
mod request;
mod url;

pub(crate) use canonical::{open_query, sorted, sorted_distinct, sorted_query};
pub(crate) use field::{Field, decode, field};
pub(crate) use request::{canonical_request, encode_target};
pub(crate) use url::{origin, with_port, without_port};
