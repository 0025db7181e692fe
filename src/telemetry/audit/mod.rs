//! The audit trail: one JSON line for every decision, written off the request's path.
//!
//! A request hands an owned event to a bounded queue and goes on. A thread of its own puts
//! events into words and appends them. A slow file fills the queue, a full disk makes writes
//! fail: in both cases lines are lost and counted, deliveries are not.

mod event;
mod line;
mod writer;

pub(super) use event::AuditEvent;
pub use writer::{AuditWriter, open};
