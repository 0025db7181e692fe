//! The listeners that tell: `/healthz`, `/readyz`, `/metrics`, read-only; and one thing that can be
//! done, `POST /routes/NAME/pair`, on the first kind alone.
//!
//! Two kinds. `admin.listen` is for people on the machine: it answers only what was addressed to a
//! loopback name or a configured one, so that a web page whose name was rebound to this address
//! learns nothing. `admin.probes` are for the orchestrator and take any host. Neither sends CORS
//! headers.

mod host;
mod pair;
mod serve;

pub use serve::serve;

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body::Body;
use http_body_util::Full;

use super::Telemetry;
use crate::pairing::Pairs;

/// Whether deliveries are taken; shared by whoever changes it and whoever is asked.
#[derive(Debug, Default)]
pub struct Readiness(AtomicU8);

/// What `/readyz` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    /// 503: not listening yet.
    Starting = 0,
    /// 200.
    Ready = 1,
    /// 503: shutting down, and finishing what is in flight.
    Draining = 2,
}

impl Readiness {
    /// Changes the state.
    pub fn set(&self, state: State) {
        self.0.store(state as u8, Ordering::SeqCst);
    }

    /// The state.
    pub fn state(&self) -> State {
        match self.0.load(Ordering::SeqCst) {
            0 => State::Starting,
            1 => State::Ready,
            _ => State::Draining,
        }
    }
}

/// Answers for one kind of listener.
#[derive(Debug)]
pub struct Admin {
    telemetry: Arc<Telemetry>,
    readiness: Arc<Readiness>,
    /// Host names taken besides loopback ones; `None`: any host.
    hosts: Option<Vec<String>>,
    /// What can be armed; `None`: nothing can.
    pairs: Option<Arc<dyn Pairs>>,
}

impl Admin {
    /// For `admin.listen`: loopback names, and those in `hosts`.
    pub fn guarded(
        telemetry: Arc<Telemetry>,
        readiness: Arc<Readiness>,
        hosts: impl IntoIterator<Item = String>,
    ) -> Self {
        let hosts = hosts.into_iter().map(|host| host.to_ascii_lowercase()).collect();
        Self { telemetry, readiness, hosts: Some(hosts), pairs: None }
    }

    /// The same, where routes can be armed.
    #[must_use]
    pub fn with_pairs(self, pairs: Arc<dyn Pairs>) -> Self {
        Self { pairs: Some(pairs), ..self }
    }

    /// For `admin.probes`: any host.
    pub const fn probes(telemetry: Arc<Telemetry>, readiness: Arc<Readiness>) -> Self {
        Self { telemetry, readiness, hosts: None, pairs: None }
    }

    /// Answers one request of a connection from this address.
    pub async fn respond<B: Body>(
        &self,
        request: Request<B>,
        peer: IpAddr,
    ) -> Response<Full<Bytes>> {
        match (&self.pairs, pair::route_of(request.uri().path())) {
            (Some(pairs), Some(_)) if self.is_addressed(&request) => {
                pair::answer(&**pairs, request, peer).await
            }
            _ => self.answer(&request),
        }
    }

    /// Whether the request was meant for this listener.
    fn is_addressed<B>(&self, request: &Request<B>) -> bool {
        self.hosts.as_ref().is_none_or(|hosts| host::allowed(request, hosts))
    }

    /// Answers one request that changes nothing; its body is not looked at.
    pub fn answer<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        if !self.is_addressed(request) {
            return text(StatusCode::FORBIDDEN, "this host name is not in admin.hosts\n");
        }
        let path = request.uri().path();
        if !matches!(path, "/healthz" | "/readyz" | "/metrics") {
            return text(StatusCode::NOT_FOUND, "there is /healthz, /readyz and /metrics\n");
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut refused = text(StatusCode::METHOD_NOT_ALLOWED, "read-only\n");
            refused.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            return refused;
        }
        match (path, self.readiness.state()) {
            ("/metrics", _) => {
                let mut response = text(StatusCode::OK, self.telemetry.scrape());
                let open = HeaderValue::from_static(OPEN_METRICS);
                response.headers_mut().insert(header::CONTENT_TYPE, open);
                response
            }
            ("/healthz", _) | (_, State::Ready) => text(StatusCode::OK, "ok\n"),
            (_, State::Starting) => text(StatusCode::SERVICE_UNAVAILABLE, "starting\n"),
            (_, State::Draining) => text(StatusCode::SERVICE_UNAVAILABLE, "draining\n"),
        }
    }
}

fn text(status: StatusCode, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, plain);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let nosniff = HeaderValue::from_static("nosniff");
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
    response
}

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[cfg(test)]
mod tests;
