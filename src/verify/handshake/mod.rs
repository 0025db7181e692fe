//! Handshakes: requests by which a provider makes sure of a receiver before it delivers, answered
//! by the gateway itself.
//!
//! A definition's `[[handshake]]` tables say what such a request matches and what is answered. The
//! answer is made of one value of the request at most, the *challenge*: repeated, or authenticated
//! with the route's key. Those that a provider does not sign are judged by the head alone, before
//! anything is known of the sender; so they repeat little, never as HTML, and change nothing.
//!
//! Whoever lets a gateway compute a MAC over a text of his choice can sign deliveries with it. So a
//! challenge that is authenticated has a strict grammar, and signed bytes that
//! fit it are no delivery (`could_be_challenge`).

mod call;
mod compile;
mod grammar;
mod judge;
mod reply;
mod terms;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, collections::BTreeSet, fmt, sync::Arc};

use http::{HeaderName, HeaderValue, Method};
use zeroize::Zeroizing;

use super::{
    Head,
    source::{Lookups, Message},
};
use terms::Terms;

pub(crate) use compile::{Setting, compile};

/// No part of an answer is longer, in bytes.
const MAX_ANSWER: usize = 1024;

/// The handshakes of a definition, compiled for one route.
#[derive(Debug, Default)]
pub struct Handshakes {
    all: Vec<Handshake>,
    lookups: Lookups,
}

/// One of them.
#[derive(Debug)]
struct Handshake {
    name: Arc<str>,
    methods: Vec<Method>,
    is_signed: bool,
    /// Keys of `expect` that the route would have to say.
    lacks: BTreeSet<Box<str>>,
    terms: Terms,
}

/// What a handshake is answered with.
#[derive(Debug)]
pub struct Answer {
    /// The handshake's name.
    pub handshake: Arc<str>,
    /// What is sent.
    pub reply: Reply,
    /// The URL that must be called with success before the answer is sent: `https`, of a host that
    /// the definition names, and without a port.
    pub call: Option<Box<str>>,
    /// The key that the request offers, where the handshake captures one. Unless an operator has
    /// armed the route, such a handshake must be refused.
    pub offered: Option<Offered>,
}

/// A key that a request offers; wiped when dropped.
#[derive(Clone)]
pub struct Offered(pub Zeroizing<Vec<u8>>);

impl fmt::Debug for Offered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// An answer to be sent as it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    /// 200 or 204.
    pub status: u16,
    /// All headers that the handshake is about, those that keep browsers from misreading it too.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub body: Vec<u8>,
}

// It may repeat what a provider keeps to itself, or a key that is being handed over.
impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").field("status", &self.status).finish_non_exhaustive()
    }
}

impl Handshakes {
    /// Whether there are none, so that nothing needs to be looked at.
    pub const fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Their names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(|handshake| &*handshake.name)
    }

    /// Names of handshakes that are refused until the route says something in its `expect` table,
    /// with the keys.
    pub fn lacking(&self) -> impl Iterator<Item = (&str, &str)> {
        self.all
            .iter()
            .flat_map(|handshake| handshake.lacks.iter().map(|key| (&*handshake.name, &**key)))
    }

    /// Whether some handshake offers a key.
    pub fn capture(&self) -> bool {
        self.all.iter().any(|handshake| handshake.terms.captures())
    }

    /// Whether the head is one of a handshake, as far as it can tell.
    pub fn expects(&self, head: Head<'_>) -> bool {
        let message = Message::new(head, &[]);
        self.all.iter().any(|handshake| {
            handshake.methods.contains(head.method) && handshake.terms.may_hold(&message)
        })
    }

    /// Whether bytes that a key has signed could be the challenge of a handshake, which anybody
    /// has signed by asking for it.
    pub(crate) fn could_be_challenge(&self, chunks: &[Cow<'_, [u8]>]) -> bool {
        let mut grammars = self.all.iter().filter_map(|handshake| handshake.terms.oracle());
        grammars.any(|grammar| grammar.fits(chunks.iter().map(|chunk| &**chunk)))
    }
}
