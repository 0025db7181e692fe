//! Listeners and connections: accept, guard, phases, limits, drain.
//!
//! The way of a connection: [`Bound`] listens, `accept` lets in what `gate` has room for, and it goes
//! to the core with least to do (`arrival`, `cores`). There it has its `life`: `opening` reads PROXY
//! header and TLS handshake and finds out which HTTP is spoken; `http1` (behind `guard`, which judges
//! every head on its bytes) or `http2` serves it. What phase it is in is written to `watch`, and one
//! `sweep` a core closes what takes too long.

mod accept;
mod arrival;
mod connection;
mod control;
mod cores;
mod date;
mod fault;
mod gate;
mod guard;
mod head;
mod http1;
mod http2;
mod inbound;
mod life;
mod listen;
mod opening;
mod reader;
mod request_line;
mod service;
mod settings;
mod socket;
mod sweep;
mod watch;

#[cfg(test)]
mod tests;

pub use connection::Connection;
pub use control::{Control, available_cores};
pub use cores::{Running, core_index, serve};
pub use fault::HeadFault;
pub use head::judge_head;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub use http1::differential::http1 as fuzz_http1;
pub use inbound::Inbound;
pub use listen::{BindError, Bound};
pub use service::AnswerService;
pub use settings::ServerSettings;
