//! What serves a connection's requests.

use std::convert::Infallible;

use http::{Request, Response};
use hyper::{body::Incoming, service::Service};

use crate::body::AnswerBody;

/// A service that answers every request; implemented by all that fit.
pub trait AnswerService:
    Service<
        Request<Incoming>,
        Response = Response<AnswerBody>,
        Error = Infallible,
        Future: Send + 'static,
    > + Send
    + 'static
{
}

impl<S> AnswerService for S where
    S: Service<
            Request<Incoming>,
            Response = Response<AnswerBody>,
            Error = Infallible,
            Future: Send + 'static,
        > + Send
        + 'static
{
}
