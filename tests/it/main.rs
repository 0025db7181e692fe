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

mod acknowledgements;
mod admin;
mod ambiguity;
mod asymmetric;
mod audit;
mod certificates;
mod cli;
mod client_certificates;
mod content;
mod contract_answers;
mod contract_streams;
mod contract_upstream;
mod drain;
mod embed;
mod fetching;
mod forms;
mod forwarding;
mod handshakes;
mod http2;
mod message_signatures;
mod mission;
mod pairing;
mod policy;
mod process;
mod proxy;
mod race;
mod readme;
mod refusals;
mod reload;
mod replay;
mod scale;
mod strangers;
mod tls;
mod tokens_jwt;
mod upstreams;
