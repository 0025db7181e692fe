//! The gateway as its users meet it: real sockets, a recording upstream, a raw client.
#![expect(unreachable_pub, reason = "test support, read where it is used")]

mod support;

mod ambiguity;
mod content;
mod forwarding;
mod race;
mod refusals;
mod replay;
