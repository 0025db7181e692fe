//! Turns decisions into responses. The only place that knows status codes.

use std::sync::LazyLock;

use bytes::Bytes;
use http::{
    HeaderValue, Response, StatusCode,
    header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER},
};

use crate::{
    config::model::Answers,
    decision::{Code, Refusal},
    delivery::Record,
    gateway::Route,
    verify::handshake::Reply,
};

/// The status that a decision becomes; `None` where it is the upstream's own (`forwarded`) or is
/// never sent.
pub const fn status_of(code: Code) -> Option<StatusCode> {
    Some(match code {
        Code::Forwarded => return None,
        Code::Duplicate | Code::Handshake => StatusCode::OK,
        Code::EventIgnored => StatusCode::NO_CONTENT,
        Code::BadRequest
        | Code::PayloadMalformed
        | Code::TimestampMalformed
        | Code::SignatureMalformed
        | Code::AmbiguousHeader => StatusCode::BAD_REQUEST,
        Code::SignatureMissing
        | Code::SignatureMismatch
        | Code::TimestampMissing
        | Code::TimestampExpired
        | Code::TimestampInFuture
        | Code::IdMissing => StatusCode::UNAUTHORIZED,
        Code::InsecureTransport | Code::SourceNotAllowed | Code::HandshakeRefused => {
            StatusCode::FORBIDDEN
        }
        Code::NoRoute => StatusCode::NOT_FOUND,
        Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Code::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
        Code::Replayed => StatusCode::CONFLICT,
        Code::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::UnsupportedMediaType | Code::UnsupportedEncoding => {
            StatusCode::UNSUPPORTED_MEDIA_TYPE
        }
        Code::SchemaViolation | Code::EventNotAllowed => StatusCode::UNPROCESSABLE_ENTITY,
        Code::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        Code::SenderGone => return None,
        Code::UpstreamUnreachable | Code::UpstreamError => StatusCode::BAD_GATEWAY,
        Code::UpstreamTimeout => StatusCode::GATEWAY_TIMEOUT,
        Code::InFlight
        | Code::Overloaded
        | Code::StoreUnavailable
        | Code::UpstreamUnhealthy
        | Code::KeyUnavailable
        | Code::SourceListUnavailable
        | Code::InternalError => StatusCode::SERVICE_UNAVAILABLE,
    })
}

/// The answer to a request that the gateway refused or acknowledged itself.
pub(super) fn respond<R: From<Bytes>>(refusal: &Refusal, record: &Record) -> Response<R> {
    let route = record.route.as_deref();
    // A sender that broke off may have closed only the half that it writes to.
    let status = status_of(refusal.code).unwrap_or(StatusCode::BAD_REQUEST);
    let reply = record.reply.as_deref().filter(|_| refusal.code == Code::Handshake);
    let mut response = if let Some(reply) = reply {
        handshake(reply, status)
    } else if status.is_success() {
        acknowledgement(refusal.code, status, route)
    } else {
        problem(refusal.code, status, route)
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(secs) = refusal.retry_after_secs {
        headers.insert(RETRY_AFTER, HeaderValue::from(secs));
    }
    if let (Code::MethodNotAllowed, Some(route)) = (refusal.code, route) {
        headers.insert(ALLOW, route.allow.clone());
    }
    response
}

/// What the provider's handshake is answered with.
fn handshake<R: From<Bytes>>(reply: &Reply, usual: StatusCode) -> Response<R> {
    let mut response = Response::new(R::from(Bytes::copy_from_slice(&reply.body)));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(usual);
    response.headers_mut().extend(reply.headers.iter().cloned());
    response
}

/// A refusal of ours must not be one after which the sender gives up its subscription, and a
/// temporary one not one after which it gives up the delivery.
fn softened(status: StatusCode, route: Option<&Route>) -> StatusCode {
    let Some(route) = route else { return status };
    let temporary = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT);
    let definition = &route.definition;
    let is_final = temporary && definition.final_statuses.contains(status.as_u16());
    let is_too_much = is_final || definition.destructive.contains(status.as_u16());
    if is_too_much { StatusCode::SERVICE_UNAVAILABLE } else { status }
}

/// The upstream's answer as the sender sees it: its own, unless the provider wants to read its
/// acknowledgement and nothing else for a success.
pub(super) fn forwarded<R: From<Bytes>>(response: Response<R>, record: &Record) -> Response<R> {
    let route = record.route.as_deref();
    if !response.status().is_success() || !route.is_some_and(replaces_success) {
        return response;
    }
    let mut response = acknowledgement(Code::Forwarded, response.status(), route);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Whether an upstream's success is not passed on as it is.
pub(super) fn replaces_success(route: &Route) -> bool {
    route.definition.acknowledgement.as_ref().is_some_and(|wanted| wanted.replace)
}

/// What the provider wants to read as a "thank you", else the code as JSON.
fn acknowledgement<R: From<Bytes>>(
    code: Code,
    status: StatusCode,
    route: Option<&Route>,
) -> Response<R> {
    let wanted = route.and_then(|route| route.definition.acknowledgement.as_ref());
    let (status, content_type, body) = match wanted {
        Some(wanted) => {
            let content_type = wanted.content_type.as_deref().map(HeaderValue::from_str);
            (
                StatusCode::from_u16(wanted.status).unwrap_or(status),
                content_type.and_then(Result::ok),
                Bytes::copy_from_slice(wanted.body.as_bytes()),
            )
        }
        None if status == StatusCode::NO_CONTENT => (status, None, Bytes::new()),
        None => {
            let json = HeaderValue::from_static("application/json");
            (status, Some(json), Bytes::from(format!("{{\"code\":\"{code}\"}}\n")))
        }
    };
    let mut response = Response::new(R::from(body));
    *response.status_mut() = status;
    if let Some(content_type) = content_type {
        response.headers_mut().insert(CONTENT_TYPE, content_type);
    }
    response
}

/// RFC 9457 problem details. Under `answers = "uniform"` a 401 or 403 does not say which it is.
fn problem<R: From<Bytes>>(code: Code, usual: StatusCode, route: Option<&Route>) -> Response<R> {
    let status = softened(usual, route);
    let said = (!is_uniform(usual, route)).then_some(code);
    let ready = match said {
        None => UNIFORM.get(usize::from(usual == StatusCode::FORBIDDEN)),
        Some(code) => PROBLEMS.get(code as usize),
    };
    let body = match ready {
        Some(body) if status == usual => body.clone(),
        _ => problem_json(said, status),
    };
    let mut response = Response::new(R::from(body));
    *response.status_mut() = status;
    let problem_type = HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(CONTENT_TYPE, problem_type);
    response
}

/// Whether an answer must not differ from others of its status.
pub(super) fn is_uniform(status: StatusCode, route: Option<&Route>) -> bool {
    route.is_none_or(|route| route.answers == Answers::Uniform)
        && matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
}

/// Every problem as it is usually sent, made once.
static PROBLEMS: LazyLock<Vec<Bytes>> = LazyLock::new(|| {
    // What has no status of its own is answered as `respond` does.
    let status = |code: Code| status_of(code).unwrap_or(StatusCode::BAD_REQUEST);
    let statuses = Code::ALL.iter().map(|code| (*code, status(*code)));
    statuses.map(|(code, status)| problem_json(Some(code), status)).collect()
});

static UNIFORM: LazyLock<[Bytes; 2]> = LazyLock::new(|| {
    [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].map(|status| problem_json(None, status))
});

pub(super) fn problem_json(code: Option<Code>, status: StatusCode) -> Bytes {
    let title = status.canonical_reason().unwrap_or_default();
    let mut object = serde_json::json!({
        "type": "about:blank",
        "title": title,
        "status": status.as_u16(),
    });
    if let (Some(code), Some(members)) = (code, object.as_object_mut()) {
        members.insert("code".to_owned(), code.as_str().into());
        members.insert("detail".to_owned(), code.about().into());
    }
    Bytes::from(format!("{object}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_documented_status() {
        let expected = [
            (200, vec!["duplicate", "handshake"]),
            (204, vec!["event_ignored"]),
            (
                400,
                vec![
                    "bad_request",
                    "payload_malformed",
                    "timestamp_malformed",
                    "signature_malformed",
                    "ambiguous_header",
                ],
            ),
            (
                401,
                vec![
                    "signature_missing",
                    "signature_mismatch",
                    "timestamp_missing",
                    "timestamp_expired",
                    "timestamp_in_future",
                    "id_missing",
                ],
            ),
            (403, vec!["insecure_transport", "source_not_allowed", "handshake_refused"]),
            (404, vec!["no_route"]),
            (405, vec!["method_not_allowed"]),
            (408, vec!["body_timeout"]),
            (409, vec!["replayed"]),
            (413, vec!["body_too_large"]),
            (415, vec!["unsupported_media_type", "unsupported_encoding"]),
            (422, vec!["schema_violation", "event_not_allowed"]),
            (429, vec!["rate_limited"]),
            (502, vec!["upstream_unreachable", "upstream_error"]),
            (504, vec!["upstream_timeout"]),
            (
                503,
                vec![
                    "in_flight",
                    "overloaded",
                    "store_unavailable",
                    "upstream_unhealthy",
                    "key_unavailable",
                    "source_list_unavailable",
                    "internal_error",
                ],
            ),
        ];
        let mut named = 0;
        for (status, codes) in expected {
            for text in codes {
                let code = Code::ALL.iter().find(|code| code.as_str() == text).unwrap();
                assert_eq!(status_of(*code).unwrap().as_u16(), status, "{text}");
                named += 1;
            }
        }
        assert_eq!(named + 2, Code::ALL.len(), "all but forwarded and sender_gone");
    }
}
