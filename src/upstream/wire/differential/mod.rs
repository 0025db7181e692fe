//! The own reader of answers against hyper's client.
//!
//! The same bytes, in the same pieces, answer the same request. What the own reader takes for a
//! whole answer hyper takes for the same one, and a connection that is used again hyper would use
//! again. The other way round the own reader may be stricter; [`laws`] says where.

mod laws;
mod run;
#[cfg(test)]
mod tests;

/// Plays an input of the fuzz target: [`run::CONTROL`] bytes that say how, and what is answered.
///
/// # Panics
///
/// If the own reader does what it must not.
pub fn answer(bytes: &[u8]) {
    if let Some(script) = run::Script::read(bytes) {
        laws::hold(&script);
    }
}
