//! Listeners and connections: accept, guard, phases, limits, drain.

mod fault;
mod head;

pub use fault::HeadFault;
