//! The gateway as its users meet it: real sockets, a recording upstream, a raw client.
#![expect(missing_docs, unreachable_pub, reason = "test support, read where it is used")]

mod support;

mod ambiguity;
mod cli;
mod content;
mod forwarding;
mod race;
mod readme;
mod refusals;
mod replay;
