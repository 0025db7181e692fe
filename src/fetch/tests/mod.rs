//! The client against a server that misbehaves.

mod answers;
mod flights;
mod lists;
mod server;
