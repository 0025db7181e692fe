//! `builtin:echo`: a receiver inside the gateway that says what arrived.

use std::{borrow::Cow, collections::BTreeMap};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, header, request::Parts};
use http_body_util::{BodyExt, Full};
use serde::Serialize;

use super::UpstreamBody;

/// What the answer's JSON says. A header that came several times is joined with `, `.
#[derive(Serialize)]
struct Arrived<'a> {
    method: &'a str,
    path: &'a str,
    query: &'a str,
    /// What the gateway said of the delivery, by the end of the header's name.
    hookward: BTreeMap<String, Cow<'a, str>>,
    headers: BTreeMap<&'a str, Cow<'a, str>>,
    /// The body, if it is text.
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a str>,
    /// The body in base64, if it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    body_b64: Option<String>,
}

/// Answers 200 with what arrived, as a receiver would have seen it.
pub(super) async fn answer(request: Request<Full<Bytes>>) -> Response<UpstreamBody> {
    let (request, mut body) = request.into_parts();
    // A body that is whole is one frame, or none.
    let body = body.frame().await.and_then(Result::ok).and_then(|frame| frame.into_data().ok());
    describe(&request, &body.unwrap_or_default())
}

fn describe(request: &Parts, body: &[u8]) -> Response<UpstreamBody> {
    let text = std::str::from_utf8(body).ok();
    let arrived = Arrived {
        method: request.method.as_str(),
        path: request.uri.path(),
        query: request.uri.query().unwrap_or_default(),
        hookward: said(&request.headers),
        headers: joined(&request.headers),
        body: text,
        body_b64: text.is_none().then(|| STANDARD.encode(body)),
    };
    // Texts and maps of texts: there is nothing that JSON cannot express.
    let json = serde_json::to_vec_pretty(&arrived).unwrap_or_default();
    let mut response = Response::new(UpstreamBody::fixed(Bytes::from(json)));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

fn joined(headers: &HeaderMap) -> BTreeMap<&str, Cow<'_, str>> {
    let mut joined = BTreeMap::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        joined
            .entry(name.as_str())
            .and_modify(|so_far: &mut Cow<'_, str>| {
                let so_far = so_far.to_mut();
                so_far.push_str(", ");
                so_far.push_str(&value);
            })
            .or_insert(value);
    }
    joined
}

/// `Hookward-Event-Id` as `event_id`, and so on.
fn said(headers: &HeaderMap) -> BTreeMap<String, Cow<'_, str>> {
    let ours = headers.iter().filter_map(|(name, value)| {
        let name = name.as_str().strip_prefix("hookward-")?;
        Some((name.replace('-', "_"), String::from_utf8_lossy(value.as_bytes())))
    });
    ours.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    async fn echoed(request: http::request::Builder, body: &'static [u8]) -> Value {
        let response = answer(request.body(Full::from(body)).unwrap()).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "application/json");
        let frame = response.into_body().frame().await.unwrap().unwrap();
        serde_json::from_slice(&frame.into_data().unwrap()).unwrap()
    }

    #[tokio::test]
    async fn it_says_what_arrived() {
        let request = Request::post("/a/b?x=%20&y")
            .header("X-Twice", "1")
            .header("X-Twice", "2")
            .header("Hookward-Event-Id", "evt_1");
        assert_eq!(
            echoed(request, b"{\"a\": 1}").await,
            json!({
                "method": "POST",
                "path": "/a/b",
                "query": "x=%20&y",
                "headers": { "x-twice": "1, 2", "hookward-event-id": "evt_1" },
                "hookward": { "event_id": "evt_1" },
                "body": "{\"a\": 1}",
            })
        );
    }

    #[tokio::test]
    async fn a_body_that_is_no_text_is_base64() {
        let value = echoed(Request::post("/"), b"\xff\x00").await;
        assert_eq!(value["body_b64"], "/wA=");
        assert_eq!(value.get("body"), None);
    }
}
