//! The own reader against hyper.
//!
//! The same bytes, in the same pieces and with the same service behind it, go to the whole of
//! [`super`] ([`Way::Own`]), to the guard with hyper behind it ([`Way::Guarded`]), and to hyper
//! alone ([`Way::Bare`]). [`laws`] says in what they may differ, each difference with its name:
//! the own reader may end a connection earlier, and nothing else.

mod answers;
mod laws;
mod run;
mod script;
mod service;
#[cfg(test)]
mod tests;

#[cfg(test)]
pub(super) use {run::connection, service::boxed};

/// Plays an input of the fuzz target: [`script::CONTROL`] bytes that say how, and a stream.
///
/// # Panics
///
/// If the own reader does what it must not.
pub fn http1(bytes: &[u8]) {
    if let Some(script) = script::Script::read(bytes) {
        laws::hold(&script);
    }
}
