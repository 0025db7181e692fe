//! The gateway as its users meet it: real sockets, a recording upstream, a raw client.
#![expect(
    clippy::indexing_slicing,
    clippy::let_underscore_must_use,
    clippy::string_slice,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "a test that panics says what is wrong"
)]

mod support;

mod ambiguity;
mod cli;
mod content;
mod forwarding;
mod race;
mod readme;
mod refusals;
mod replay;
