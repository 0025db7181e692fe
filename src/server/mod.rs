//! Listeners and connections: accept, guard, phases, limits, drain.
