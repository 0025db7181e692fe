//! What serves a connection's requests.

use std::convert::Infallible;

use http::{Request, Response};
use hyper::service::Service;

use super::inbound::Inbound;
use crate::body::AnswerBody;

/// A service that answers every request; implemented by all that fit.
pub trait AnswerService:
    Service<
        Request<Inbound>,
        Response = Response<AnswerBody>,
        Error = Infallible,
        Future: Send + 'static,
    > + Send
    + 'static
{
}

impl<S> AnswerService for S where
    S: Service<
            Request<Inbound>,
            Response = Response<AnswerBody>,
            Error = Infallible,
            Future: Send + 'static,
        > + Send
        + 'static
{
}
