//! HTTP/1.1 as a client speaks it (RFC 9112).
//!
//! [`Message`] is a request as bytes, [`Talk`] one exchange over a connection: the message is
//! written while the answer is listened for. [`Head`] is the head of an answer, [`Framing`] tells where its body ends.
//!
//! Of our own, because hyper's client drives every connection in a task beside the request's: two
//! more wake-ups and a third of a request's user time.

mod answer;
mod chunks;
#[cfg(any(test, feature = "fuzzing"))]
pub(super) mod differential;
mod framing;
mod message;
mod talk;

pub(super) use answer::Head;
pub(super) use chunks::BadChunk;
pub(super) use framing::Framing;
pub(super) use message::{Message, put, put_header};
pub(super) use talk::{Answered, Broken, talk};
