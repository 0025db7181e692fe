//! Forwarding: connections to the receivers, health, failover, and what their requests look like.

/// The body of an upstream's answer.
pub struct UpstreamBody(hyper::body::Incoming);

impl http_body::Body for UpstreamBody {
    type Data = bytes::Bytes;
    type Error = crate::body::AnswerError;
    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<bytes::Bytes>, Self::Error>>> {
        std::pin::Pin::new(&mut self.get_mut().0).poll_frame(cx).map_err(Into::into)
    }
    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }
    fn size_hint(&self) -> http_body::SizeHint {
        self.0.size_hint()
    }
}
