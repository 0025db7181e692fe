//! From the reservation on, an exchange is finished even if its sender is gone.
//!
//! Otherwise a sender could hang up, its event be handled by the receiver, and the entry be
//! released: the next copy would be handled again.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use crate::gateway::Shared;

use super::{Answer, Boxed, Refused, edge};

/// A future that goes on in a task of its own when it is dropped before it is done: an HTTP/2
/// reset, a lost connection.
pub struct Outlive<R: Send + 'static> {
    exchange: Option<Boxed<Result<Answer<R>, Refused>>>,
    shared: Arc<Shared>,
}

impl<R: Send + 'static> Outlive<R> {
    pub(super) fn new(shared: Arc<Shared>, exchange: Boxed<Result<Answer<R>, Refused>>) -> Self {
        Self { exchange: Some(exchange), shared }
    }
}

impl<R: Send + 'static> Future for Outlive<R> {
    type Output = Result<Answer<R>, Refused>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // Taken out while it is polled, so that a panic in it takes it along.
        let mut exchange = self.exchange.take().expect("not polled again after it was ready");
        let result = exchange.as_mut().poll(cx);
        if result.is_pending() {
            self.exchange = Some(exchange);
        }
        result
    }
}

impl<R: Send + 'static> Drop for Outlive<R> {
    fn drop(&mut self) {
        let Some(exchange) = self.exchange.take() else { return };
        if std::thread::panicking() {
            return;
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let rest = async move { edge::conclude_unseen(exchange.await) };
            self.shared.exchanges.spawn_on(rest, &runtime);
        }
    }
}
