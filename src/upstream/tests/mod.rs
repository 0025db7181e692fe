//! Exchanges over real sockets with a receiver that fails in every way.

mod exchange;
mod failover;
mod failures;
mod pooling;
mod receiver;
mod reload;
mod tls;

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, request::Parts};
use http_body_util::BodyExt;

use super::{
    Answer, Build, BuildError, Origins, Outgoing, TlsContext, Upstream, UpstreamBody, parse_url,
};
use crate::{
    body::AnswerError,
    clock::UnixMs,
    config::model::{self, Target},
    decision::{Code, Refusal},
};

static VERIFIED: HeaderValue = HeaderValue::from_static("signature, replay");
static REQUEST_ID: HeaderValue = HeaderValue::from_static("0123");

pub(super) fn outgoing() -> Outgoing<'static> {
    Outgoing {
        request_id: &REQUEST_ID,
        source: [192, 0, 2, 7].into(),
        forwarded_for: None,
        secure: true,
        host: "fallback.example",
        remainder: None,
        event_id: Some("evt_1"),
        covered_id: Some("evt_1"),
        event_type: Some("Push Hook"),
        key_id: Some("2026"),
        verified: Some(&VERIFIED),
        monitored: None,
        webhook_id_seed: Some(7),
        now: UnixMs::from_secs(1_760_000_000),
    }
}

/// Field lines as a receiver reads them.
pub(super) fn fields(lines: &[u8]) -> HeaderMap {
    let text = [lines, b"\r\n"].concat();
    let mut fields = [httparse::EMPTY_HEADER; 100];
    let httparse::Status::Complete((_, fields)) =
        httparse::parse_headers(&text, &mut fields).unwrap()
    else {
        panic!("a line without an end")
    };
    let read = fields.iter().map(|field| {
        let name: HeaderName = field.name.parse().unwrap();
        (name, HeaderValue::from_bytes(field.value).unwrap())
    });
    let mut map = HeaderMap::new();
    for (name, value) in read {
        map.append(name, value);
    }
    map
}

/// An upstream with these URLs and short timeouts.
fn settings(urls: &[&str]) -> model::Upstream {
    let target = |url: &&str| match *url {
        "builtin:echo" => Target::Echo,
        url => Target::Url(parse_url(url).unwrap()),
    };
    model::Upstream {
        targets: urls.iter().map(target).collect(),
        timeout: Duration::from_secs(5),
        connect_timeout: Duration::from_secs(1),
        idle_timeout: Duration::from_secs(4),
        health: None,
        headers: Vec::new(),
        map_status: BTreeMap::new(),
        sign: Vec::new(),
        ca_pem: None,
    }
}

fn build(settings: &model::Upstream) -> Upstream {
    rebuild(settings, &Origins::default(), None)
}

fn rebuild(settings: &model::Upstream, origins: &Origins, previous: Option<&Upstream>) -> Upstream {
    try_build(settings, origins, previous).unwrap()
}

fn try_build(
    settings: &model::Upstream,
    origins: &Origins,
    previous: Option<&Upstream>,
) -> Result<Upstream, BuildError> {
    let tls = TlsContext::new();
    let (route, provider, protected) = ("route", "provider", Vec::new());
    Upstream::build(Build { settings, route, provider, protected, tls: &tls, origins, previous })
}

fn to(url: &str) -> Upstream {
    build(&settings(&[url]))
}

/// A port on which nothing listens.
async fn closed_port() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

fn post(path: &str) -> Parts {
    Request::post(path).header("Host", "hooks.example.com").body(()).unwrap().into_parts().0
}

async fn send(upstream: &Upstream, body: &'static [u8]) -> Result<Answer, Refusal> {
    upstream.exchange(&outgoing(), &post("/a?b=c"), Bytes::from_static(body)).await.result
}

/// The code of the refusal that sending ends in.
async fn refused(upstream: &Upstream) -> Code {
    let refusal = send(upstream, b"{}").await.unwrap_err();
    assert!(!refusal.detail.to_string().is_empty());
    refusal.code
}

async fn read(mut body: UpstreamBody) -> Result<Vec<u8>, AnswerError> {
    let mut whole = Vec::new();
    while let Some(frame) = body.frame().await {
        whole.extend(frame?.into_data().unwrap_or_default());
    }
    Ok(whole)
}

/// Sends, expects an answer, and reads it to its end.
async fn delivered(upstream: &Upstream, body: &'static [u8]) -> (u16, String) {
    let answer = send(upstream, body).await.unwrap();
    let status = answer.response.status().as_u16();
    let body = read(answer.response.into_body()).await.unwrap();
    (status, String::from_utf8(body).unwrap())
}

/// Lets every other task run until none has anything to do.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[test]
fn an_exchange_can_move_between_threads() {
    fn is_send<T: Send>(_: &T) {}
    let upstream = to("builtin:echo");
    let exchange = upstream.exchange(&outgoing(), &post("/"), Bytes::new());
    is_send(&exchange);
    // It is part of every request's future.
    assert!(size_of_val(&exchange) < 2048, "{} bytes", size_of_val(&exchange));
}
