//! The stack with the forwarder behind it: what the gateway's listeners serve.

use std::{any::Any, sync::Arc};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header::CONTENT_TYPE};
use http_body::Body;
use http_body_util::Full;
use tower::Layer;
use tower_http::catch_panic::{CatchPanic, CatchPanicLayer};

use crate::gateway::Gateway;

use super::{
    edge::Peer,
    forward::Forward,
    respond::problem_json,
    stack::{Stack, stack},
};
use crate::decision::Code;

/// The gateway as one service, from request to response; one a connection.
///
/// A panic is answered with 503 `internal_error`, and reserved replay keys are released by it.
pub fn proxy(gateway: &Arc<Gateway>, peer: Peer) -> Proxy {
    CatchPanicLayer::custom(answer_panic as fn(_) -> _).layer(stack(gateway, Some(peer), Forward))
}

/// What [`proxy`] makes.
pub type Proxy = CatchPanic<Stack<Forward>, fn(Box<dyn Any + Send>) -> Response<Full<Bytes>>>;

// The panic's message goes to standard error by Rust's own hook; the record is concluded when it
// is dropped. Nothing of either is for the sender.
fn answer_panic(_: Box<dyn Any + Send>) -> Response<Full<Bytes>> {
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let mut response = Response::new(Full::new(problem_json(Some(Code::InternalError), status)));
    *response.status_mut() = status;
    let problem = HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(CONTENT_TYPE, problem);
    response
}

#[expect(dead_code, reason = "proves at compile time that the stack is a service over any body")]
fn is_a_service<B>(proxy: Proxy) -> impl tower::Service<Request<B>>
where
    B: Body<Data = Bytes, Error: Into<tower::BoxError>> + Send + Unpin + 'static,
{
    proxy
}

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        future::poll_fn,
        sync::atomic::{AtomicUsize, Ordering},
        task::Poll,
    };

    use hmac::{Hmac, KeyInit, Mac};
    use http_body_util::BodyExt;
    use tower::{ServiceExt, service_fn};

    use super::*;
    use crate::{
        body::AnswerBody,
        delivery::Delivery,
        layer::{Admitted, Answer, Refused},
    };

    const SECRET: &str = "a-secret-of-16-bytes-or-more";

    fn gateway() -> Arc<Gateway> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hookward.toml");
        let text = format!(
            "[server]\nlisten = [\"127.0.0.1:0\"]\n[routes.r]\npath = \"/r\"\nprovider = \"github\"\n\
             secrets = [{{ value = \"{SECRET}\" }}]\nupstream = \"builtin:echo\"\n"
        );
        std::fs::write(&path, text).unwrap();
        Gateway::from_file(&path).unwrap()
    }

    fn signed() -> Request<Full<Bytes>> {
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
        mac.update(b"{}");
        let signature = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
        let request =
            Request::post("/r").header("host", "h").header("x-hub-signature-256", signature);
        request.body(Full::new(Bytes::from_static(b"{}"))).unwrap()
    }

    #[tokio::test]
    async fn a_panic_is_answered_counted_and_releases_what_was_reserved() {
        let gateway = gateway();
        let calls = Arc::new(AtomicUsize::new(0));
        let polls = Arc::clone(&calls);
        // Panics at the first and at a later poll, then answers.
        let onward = service_fn(move |delivery: Delivery<Bytes, Admitted>| {
            let polls = Arc::clone(&polls);
            let mut record = Some(delivery.record);
            poll_fn(move |cx| match polls.fetch_add(1, Ordering::Relaxed) {
                0 | 2 => panic!("a fault that this test is about"),
                1 => {
                    cx.waker().wake_by_ref();
                    Poll::Pending
                }
                _ => {
                    let mut record = record.take().unwrap();
                    record.upstream_status = Some(200);
                    let response = Response::new(AnswerBody::from(Bytes::new()));
                    Poll::Ready(Ok::<_, Refused>(Answer { response, record }))
                }
            })
        });
        let peer = Peer { address: [127, 0, 0, 1].into(), tls: false };
        let service = CatchPanicLayer::custom(answer_panic as fn(_) -> _).layer(stack(
            &gateway,
            Some(peer),
            onward,
        ));
        for _ in 0..2 {
            let answered: Result<_, Infallible> = service.clone().oneshot(signed()).await;
            let (head, mut body) = answered.unwrap().into_parts();
            assert_eq!(head.status, 503);
            let body = body.frame().await.unwrap().unwrap().into_data().unwrap();
            assert!(body.windows(14).any(|w| w == b"internal_error"), "{body:?}");
            // What panicked is not gone on with.
            assert_eq!(gateway.shared().exchanges.len(), 0);
            assert_eq!(gateway.shared().bodies.used(), 0);
        }
        let counted = r#"hookward_requests_total{route="r",decision="internal_error"} 2"#;
        let metrics = gateway.shared().telemetry.scrape();
        assert!(metrics.contains(counted), "{metrics}");
        for status in [200, 409] {
            let answered: Result<_, Infallible> = service.clone().oneshot(signed()).await;
            assert_eq!(answered.unwrap().status(), status);
        }
        assert_eq!(calls.load(Ordering::Relaxed), 4);
    }
}
