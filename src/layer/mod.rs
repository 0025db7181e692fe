//! The tower layers, one file each, in the order of [`stack`].
//!
//! A layer takes a [`Delivery`](crate::delivery::Delivery), adds one proof, and hands it on; or it
//! ends the request with a [`Refused`]. `respond` alone knows what either looks like as HTTP.
//!
//! A service of your own gets the same protection without a proxy through [`VerifyLayer`].

pub mod body;
pub mod challenge;
pub mod check;
pub mod claim;
pub mod client_certificate;
pub mod edge;
pub mod embed;
pub mod event;
pub mod forward;
pub mod handshake;
pub mod keys;
pub mod outlive;
mod payload;
mod proxy;
pub mod replay;
mod respond;
pub mod route;
pub mod route_rate;
pub mod schema;
pub mod signature;
pub mod source;
pub mod source_rate;
pub mod stack;
pub mod timestamp;
pub mod transport;

pub use edge::{Edge, Peer};
pub use embed::{Verify, VerifyLayer};
pub use proxy::{Proxy, proxy};
pub use respond::status_of;
pub use stack::Admitted;

use http::Response;

use crate::{body::AnswerBody, config::model::Check, decision::Refusal, delivery::Record};

/// A future on the heap. There are two a request: one from the reservation on, one for the exchange
/// with the upstream; and a third where the body has to be waited for.
type Boxed<T> = std::pin::Pin<Box<dyn Future<Output = T> + Send>>;

/// What came back from behind the stack.
#[derive(Debug)]
pub struct Answer<R = AnswerBody> {
    /// As the sender will see it.
    pub response: Response<R>,
    /// What is known of the request.
    pub record: Box<Record>,
}

/// A request that did not get to the upstream's answer: refused, or acknowledged by ourselves.
#[derive(Debug)]
pub struct Refused {
    /// Why.
    pub refusal: Refusal,
    /// What is known of the request.
    pub record: Box<Record>,
}

impl Refused {
    fn by(check: Check, refusal: Refusal, mut record: Box<Record>) -> Self {
        record.checks.fail(check, refusal.clone());
        Self { refusal, record }
    }
}
