//! What the own reader promises.

mod answers;
mod bodies;
mod requests;
mod support;
