//! What the receiver sees in the head, and what the sender sees of the answer's.
//!
//! - `claims`: what a sender says about itself, and may not.
//! - `hop`: what belongs to one connection only.
//! - `outgoing`: what the gateway adds.
//! - `answer`: what is taken from a receiver's answer.

mod answer;
mod claims;
mod hop;
mod outgoing;

pub(super) use answer::clean;
pub use claims::strip_claims;
pub(super) use outgoing::Rules;
pub use outgoing::{Outgoing, address};
