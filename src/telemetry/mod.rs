//! What is told about decisions: metrics, audit lines, logs; and the listeners that tell it.
//!
//! [`Telemetry::conclude`] is the one place that counts, audits and logs how a request ended.

pub mod admin;
pub mod audit;
mod conclude;
pub mod log;
pub mod metrics;
#[cfg(test)]
mod testing;

pub use conclude::{Conclusion, Observer, RouteTelemetry, Telemetry, readable};

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks, also after a panic elsewhere: nothing here is left half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
