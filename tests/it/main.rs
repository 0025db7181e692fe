//! The gateway as its users meet it: real sockets, a recording upstream, a raw client.
#![expect(unreachable_pub, reason = "test support, read where it is used")]

mod support;

mod ambiguity;
mod cli;
mod content;
mod forwarding;
mod race;
mod readme;
mod refusals;
mod replay;
