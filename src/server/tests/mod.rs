//! The servers over real sockets.

mod differential;
mod drain;
mod guard;
mod limits;
mod opening;
mod phases;
mod support;
