//! `/routes/NAME/pair`: the one thing that can be done through the admin listener.
//!
//! `POST` with `{"for_secs": 600}` arms the route, `GET` says how far it has come. No page that a
//! browser shows can do either: JSON has to be announced, which no form does, a foreign origin is
//! refused, and no CORS header ever says otherwise. Nor can another machine.

use std::{net::IpAddr, time::Duration};

use bytes::{Buf as _, Bytes};
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body::Body;
use http_body_util::{BodyExt as _, Full};
use serde::Deserialize;

use crate::{
    net::canonical,
    pairing::{ArmError, PairError, Pairs, Status},
};

/// How long a route may be armed. Whoever is first within that time chooses the key.
const LONGEST: Duration = Duration::from_secs(3600);

/// More is no request of ours, in bytes.
const MAX_BODY: usize = 1024;

/// For the body to arrive.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arm {
    for_secs: u64,
}

/// The route that a path is about. Names of routes need no escapes.
pub(super) fn route_of(path: &str) -> Option<&str> {
    let name = path.strip_prefix("/routes/")?.strip_suffix("/pair")?;
    (!name.is_empty() && !name.contains('/')).then_some(name)
}

/// Answers a request to such a path.
pub(super) async fn answer<B: Body>(
    pairs: &dyn Pairs,
    request: Request<B>,
    peer: IpAddr,
) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let Some(route) = route_of(head.uri.path()) else {
        return problem(StatusCode::NOT_FOUND, "there is /routes/NAME/pair");
    };
    if head.headers.contains_key(header::ORIGIN) {
        return problem(StatusCode::FORBIDDEN, "this is nothing for web pages");
    }
    // A host name is no proof of who asks, and whoever arms a route may choose its key.
    if !canonical(peer).is_loopback() {
        return problem(StatusCode::FORBIDDEN, "routes are armed on the gateway's own machine");
    }
    let done = match head.method {
        Method::GET => pairs.status(route),
        Method::POST => {
            let time = match time(&head.headers, body).await {
                Ok(time) => time,
                Err((status, what)) => return problem(status, what),
            };
            let armed = pairs.arm(route, time).and_then(|()| pairs.status(route));
            if armed.is_ok() {
                tracing::warn!(route, secs = time.as_secs(), "armed: the next key is taken");
            }
            armed
        }
        _ => {
            let mut refused = problem(StatusCode::METHOD_NOT_ALLOWED, "GET or POST");
            refused.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, POST"));
            return refused;
        }
    };
    match done {
        Ok(status) => json(StatusCode::OK, &shown(route, status)),
        Err(error) => problem(status_of(&error), &error.to_string()),
    }
}

/// For how long the route is to be armed.
async fn time<B: Body>(
    headers: &http::HeaderMap,
    body: B,
) -> Result<Duration, (StatusCode, &'static str)> {
    let content_type = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    let media_type = content_type.and_then(|text| text.split(|b| *b == b';').next());
    if !media_type.is_some_and(|t| t.trim_ascii().eq_ignore_ascii_case(b"application/json")) {
        return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, "send application/json"));
    }
    let body = match tokio::time::timeout(PATIENCE, read(body)).await {
        Err(_) => return Err((StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time")),
        Ok(None) => return Err((StatusCode::PAYLOAD_TOO_LARGE, "the body is too large")),
        Ok(Some(body)) => body,
    };
    let bad = (StatusCode::BAD_REQUEST, "send {\"for_secs\": N}, N from 1 to 3600");
    let Ok(Arm { for_secs }) = serde_json::from_slice(&body) else { return Err(bad) };
    let time = Duration::from_secs(for_secs);
    if time.is_zero() || time > LONGEST { Err(bad) } else { Ok(time) }
}

/// The whole body; `None` if it is too large or breaks off.
async fn read<B: Body>(body: B) -> Option<Vec<u8>> {
    let mut body = std::pin::pin!(body);
    let mut all = Vec::new();
    while let Some(frame) = body.as_mut().frame().await {
        if let Ok(mut data) = frame.ok()?.into_data() {
            if all.len() + data.remaining() > MAX_BODY {
                return None;
            }
            all.extend_from_slice(&data.copy_to_bytes(data.remaining()));
        }
    }
    Some(all)
}

const fn status_of(error: &PairError) -> StatusCode {
    match error {
        PairError::NoRoute(_) => StatusCode::NOT_FOUND,
        PairError::Arm(ArmError::Unwritable { .. }) => StatusCode::INTERNAL_SERVER_ERROR,
        PairError::Arm(ArmError::HasKey(_)) | PairError::HasKeys | PairError::NothingToTake(_) => {
            StatusCode::CONFLICT
        }
    }
}

fn shown(route: &str, status: Status) -> serde_json::Value {
    let (word, left) = match status {
        Status::Armed(left) => ("armed", Some(left.as_secs())),
        Status::Captured => ("captured", None),
        Status::Unarmed => ("unarmed", None),
    };
    serde_json::json!({ "route": route, "status": word, "left_secs": left })
}

fn problem(status: StatusCode, detail: &str) -> Response<Full<Bytes>> {
    let title = status.canonical_reason().unwrap_or_default();
    let body = serde_json::json!({ "title": title, "status": status.as_u16(), "detail": detail });
    let mut response = json(status, &body);
    let kind = HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    // What is left of a body is not read.
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

fn json(status: StatusCode, body: &serde_json::Value) -> Response<Full<Bytes>> {
    let mut response = super::text(status, format!("{body}\n"));
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Debug, Default)]
    struct Armed(Mutex<Option<Duration>>);

    impl Pairs for Armed {
        fn arm(&self, route: &str, time: Duration) -> Result<(), PairError> {
            match route {
                "asana" => {
                    *self.0.lock().unwrap() = Some(time);
                    Ok(())
                }
                "full" => Err(PairError::HasKeys),
                "github" => Err(PairError::NothingToTake("github".into())),
                other => Err(PairError::NoRoute(other.to_owned())),
            }
        }

        fn status(&self, _: &str) -> Result<Status, PairError> {
            Ok(self.0.lock().unwrap().map_or(Status::Unarmed, Status::Armed))
        }
    }

    async fn ask(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::from(body.to_owned()))).unwrap();
        let peer = if path.contains("remote") { "192.0.2.7" } else { "::ffff:127.0.0.1" };
        let answer = answer(&Armed::default(), request, peer.parse().unwrap()).await;
        assert!(answer.headers().keys().all(|name| !name.as_str().starts_with("access-control")));
        let status = answer.status().as_u16();
        let body = read(answer.into_body()).await.unwrap();
        (status, String::from_utf8_lossy(&body).into_owned())
    }

    const JSON: (&str, &str) = ("content-type", "application/json; charset=utf-8");

    #[tokio::test]
    async fn a_route_is_armed_for_as_long_as_is_said() {
        let (status, body) = ask("POST", "/routes/asana/pair", &[JSON], "{\"for_secs\":600}").await;
        let want = "{\"left_secs\":600,\"route\":\"asana\",\"status\":\"armed\"}\n";
        assert_eq!((status, body.as_str()), (200, want));
        let (status, body) = ask("GET", "/routes/asana/pair", &[], "").await;
        assert!(status == 200 && body.contains("\"unarmed\""), "{body}");
        for (route, status) in [("full", 409), ("github", 409), ("nowhere", 404)] {
            let path = format!("/routes/{route}/pair");
            assert_eq!(ask("POST", &path, &[JSON], "{\"for_secs\":1}").await.0, status);
        }
    }

    #[tokio::test]
    async fn nothing_that_a_browser_sends_arms() {
        let path = "/routes/asana/pair";
        let good = "{\"for_secs\":600}";
        for form in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""] {
            let headers = [("content-type", form)];
            assert_eq!(ask("POST", path, &headers, good).await.0, 415, "{form}");
        }
        assert_eq!(ask("POST", path, &[], good).await.0, 415);
        for origin in ["https://evil.example", "null", "http://localhost:9900"] {
            assert_eq!(ask("POST", path, &[JSON, ("origin", origin)], good).await.0, 403);
        }
        assert_eq!(ask("POST", "/routes/remote/pair", &[JSON], good).await.0, 403);
        for method in ["OPTIONS", "PUT", "DELETE", "PATCH", "HEAD"] {
            assert_eq!(ask(method, path, &[JSON], good).await.0, 405, "{method}");
        }
    }

    #[tokio::test]
    async fn what_is_not_understood_arms_nothing() {
        for bad in [
            "",
            "{}",
            "null",
            "{\"for_secs\":0}",
            "{\"for_secs\":3601}",
            "{\"for_secs\":-1}",
            "{\"for_secs\":\"600\"}",
            "{\"for_secs\":1.5}",
            "{\"for_secs\":600,\"x\":1}",
            "{\"for_secs\":1,\"for_secs\":2}",
        ] {
            assert_eq!(ask("POST", "/routes/asana/pair", &[JSON], bad).await.0, 400, "{bad}");
        }
        let huge = format!("{{\"for_secs\":600{}}}", " ".repeat(MAX_BODY));
        assert_eq!(ask("POST", "/routes/asana/pair", &[JSON], &huge).await.0, 413);
    }

    #[test]
    fn only_this_path_is_one() {
        assert_eq!(route_of("/routes/a.b-c_1/pair"), Some("a.b-c_1"));
        for other in ["/routes//pair", "/routes/a/b/pair", "/routes/a/pair/", "/routes/a", "/pair"]
        {
            assert_eq!(route_of(other), None, "{other}");
        }
    }
}
