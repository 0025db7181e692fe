//! The stack as hyper wants it: one service a connection.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use tower::Service;

use crate::{
    body::AnswerBody,
    gateway::Gateway,
    layer::{Peer, Proxy, proxy},
    net::ClientCertificate,
    server::{Connection, Inbound},
};

/// One connection's stack, and the certificate that its client showed.
#[derive(Clone)]
pub(super) struct Serve {
    proxy: Proxy,
    certificate: Option<ClientCertificate>,
}

impl Serve {
    pub(super) fn new(gateway: &Arc<Gateway>, connection: &Connection) -> Self {
        let peer = Peer { address: connection.source(), tls: connection.is_tls() };
        Self { proxy: proxy(gateway, peer), certificate: connection.certificate().cloned() }
    }
}

impl hyper::service::Service<Request<Inbound>> for Serve {
    type Response = Response<AnswerBody>;
    type Error = Infallible;
    type Future = Answered<<Proxy as Service<Request<Inbound>>>::Future>;

    fn call(&self, mut request: Request<Inbound>) -> Self::Future {
        if let Some(certificate) = &self.certificate {
            request.extensions_mut().insert(certificate.clone());
        }
        // Every layer is always ready: what may have to wait waits in its future.
        Answered { future: self.proxy.clone().call(request) }
    }
}

pin_project_lite::pin_project! {
    /// Turns the body that the panic catcher boxed into an answer's.
    pub(super) struct Answered<F> {
        #[pin]
        future: F,
    }
}

impl<F, B> Future for Answered<F>
where
    F: Future<Output = Result<Response<B>, Infallible>>,
    AnswerBody: From<B>,
{
    type Output = Result<Response<AnswerBody>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().future.poll(cx).map(|result| result.map(|answer| answer.map(Into::into)))
    }
}
