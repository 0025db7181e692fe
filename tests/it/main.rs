//! The gateway as its users meet it: real sockets, a recording upstream, a raw client.
#![expect(unreachable_pub, reason = "test support, read where it is used")]

mod support;

mod admin;
mod ambiguity;
mod audit;
mod content;
mod drain;
mod embed;
mod forwarding;
mod http2;
mod policy;
mod process;
mod proxy;
mod race;
mod refusals;
mod reload;
mod replay;
mod strangers;
mod tls;
mod upstreams;
