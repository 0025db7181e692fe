//! `builtin:echo`: a receiver inside the gateway that says what arrived.

use std::{borrow::Cow, collections::BTreeMap};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use httparse::Header;
use serde::Serialize;

use super::{UpstreamBody, wire::Message};

/// The most fields that are described.
const MAX_FIELDS: usize = 256;

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
pub(super) fn answer(message: &Message) -> Response<UpstreamBody> {
    let bytes = message.whole().concat();
    let mut fields = vec![httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut request = httparse::Request::new(&mut fields);
    match request.parse(&bytes) {
        Ok(httparse::Status::Complete(length)) => {
            describe(&request, bytes.get(length..).unwrap_or_default())
        }
        // More fields than anybody sends: nothing else of our own making can be wrong.
        Ok(httparse::Status::Partial) | Err(_) => {
            let mut response = Response::new(UpstreamBody::fixed(Bytes::new()));
            *response.status_mut() = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
            response
        }
    }
}

fn describe(request: &httparse::Request<'_, '_>, body: &[u8]) -> Response<UpstreamBody> {
    let text = std::str::from_utf8(body).ok();
    let target = request.path.unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let arrived = Arrived {
        method: request.method.unwrap_or_default(),
        path,
        query,
        hookward: said(request.headers),
        headers: joined(request.headers),
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

fn joined<'a>(fields: &[Header<'a>]) -> BTreeMap<&'a str, Cow<'a, str>> {
    let mut joined = BTreeMap::new();
    for field in fields {
        let value = String::from_utf8_lossy(field.value);
        joined
            .entry(field.name)
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
fn said<'a>(fields: &[Header<'a>]) -> BTreeMap<String, Cow<'a, str>> {
    let ours = fields.iter().filter_map(|field| {
        let name = field.name.strip_prefix("hookward-")?;
        Some((name.replace('-', "_"), String::from_utf8_lossy(field.value)))
    });
    ours.collect()
}

#[cfg(test)]
mod tests {
    use http::Method;
    use http_body_util::BodyExt;
    use serde_json::{Value, json};

    use super::{super::wire::put, *};

    async fn echoed(target: &str, fields: &[(&str, &str)], body: &'static [u8]) -> Value {
        let body = Bytes::from_static(body);
        let mut message = Message::new(&Method::POST, 64, &body);
        let target = |bytes: &mut Vec<u8>| {
            bytes.extend_from_slice(target.as_bytes());
            Ok::<_, ()>(())
        };
        message.address(&Method::POST, target, None).unwrap();
        for (name, value) in fields {
            put(message.fields(), name, value.as_bytes());
        }
        message.finish(body);
        let response = answer(&message);
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "application/json");
        let frame = response.into_body().frame().await.unwrap().unwrap();
        serde_json::from_slice(&frame.into_data().unwrap()).unwrap()
    }

    #[tokio::test]
    async fn it_says_what_arrived() {
        let fields = [("x-twice", "1"), ("x-twice", "2"), ("hookward-event-id", "evt_1")];
        assert_eq!(
            echoed("/a/b?x=%20&y", &fields, b"{\"a\": 1}").await,
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
        let value = echoed("/", &[], b"\xff\x00").await;
        assert_eq!(value["body_b64"], "/wA=");
        assert_eq!(value.get("body"), None);
    }
}
