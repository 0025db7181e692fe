//! The gateway as its users meet it: real sockets, a recording upstream, a raw client.

mod support;

mod ambiguity;
mod content;
mod forwarding;
mod race;
mod refusals;
mod replay;
