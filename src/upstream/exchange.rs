//! One exchange with a receiver: send, wait, answer, within one deadline.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header, request::Parts, uri::PathAndQuery};
use http_body::Body;
use http_body_util::Full;
use hyper::{body::Incoming, client::conn::TrySendError};
use tokio::time::{Instant, timeout_at};

use super::{
    Outgoing, Upstream, UpstreamBody,
    build::{Place, PlaceKind},
    connect::{ConnectError, Origin},
    echo, headers,
    pool::{Kind, Lease},
};
use crate::decision::{Code, Refusal};

/// A receiver's answer.
#[derive(Debug)]
pub struct Answer {
    /// The status as the receiver sent it: what settles a reservation.
    pub status: StatusCode,
    /// What the sender gets: `map_status` applied, hop-by-hop headers removed.
    pub response: Response<UpstreamBody>,
}

type Outbound = Request<Full<Bytes>>;

/// What does not change from one receiver to the next.
struct Task<'a> {
    upstream: &'a Upstream,
    target: PathAndQuery,
    remainder: Option<(usize, usize)>,
    method: Method,
    kind: Kind,
    started: Instant,
    deadline: Instant,
}

/// Why one receiver did not answer.
enum Failure {
    /// Not one byte of the request was written; it may go elsewhere.
    Untouched(Box<Outbound>, Refusal),
    /// It may have been received; it must not be sent again.
    Sent(Refusal),
}

impl Upstream {
    /// Sends a request to the first receiver that takes it, and waits for its status line.
    ///
    /// `head` is the sender's, `body` the body as it was verified. The whole exchange, up to the
    /// last byte of the answer's body, has the configured timeout; a body that is not complete by
    /// then breaks off with an error. The time runs from the call on; the future holds nothing of
    /// `out`.
    ///
    /// # Errors
    ///
    /// - `upstream_unreachable`: no connection could be made
    /// - `upstream_error`: a connection broke, or what came over it is not HTTP
    /// - `upstream_timeout`: no status line within the timeout
    /// - `upstream_unhealthy`: every receiver fails its health check
    pub fn exchange(
        &self,
        out: &Outgoing<'_>,
        head: Parts,
        body: Bytes,
    ) -> impl Future<Output = Result<Answer, Refusal>> + Send + use<'_> {
        // Not part of the future, which would hold every intermediate value for its whole life.
        let (task, request) = self.task(out, head, body);
        async move {
            match timeout_at(task.deadline, task.run(request)).await {
                Ok(Ok(response)) => Ok(self.answer(response)),
                Ok(Err(refusal)) => Err(refusal),
                Err(_) => Err(Refusal::new(
                    Code::UpstreamTimeout,
                    format!("no answer within {:?}", self.timeout),
                )),
            }
        }
    }

    /// Makes the request that receivers get, but for what differs from one to the next.
    fn task(&self, out: &Outgoing<'_>, mut head: Parts, body: Bytes) -> (Task<'_>, Outbound) {
        let started = Instant::now();
        self.rules.prepare(&mut head, out, body.len());
        if let Some(signer) = &self.signer {
            signer.sign(&mut head.headers, out, &body);
        }
        let target = match head.uri.path_and_query() {
            Some(target) => target.clone(),
            None => PathAndQuery::from_static("/"),
        };
        let task = Task {
            upstream: self,
            target,
            remainder: out.remainder,
            method: head.method.clone(),
            kind: Kind::of(body.len()),
            started,
            deadline: started + self.timeout,
        };
        head.version = http::Version::HTTP_11;
        head.extensions.clear();
        (task, Request::from_parts(head, Full::new(body)))
    }

    fn answer(&self, mut response: Response<UpstreamBody>) -> Answer {
        let status = response.status();
        if let Some(mapped) = self.map_status.get(&status.as_u16()) {
            *response.status_mut() = *mapped;
            // The receiver's own words for its status do not describe ours.
            response.extensions_mut().clear();
            if [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(mapped) {
                *response.body_mut() = UpstreamBody::fixed(Bytes::new());
                response.headers_mut().remove(header::CONTENT_LENGTH);
            }
        }
        Answer { status, response }
    }

    fn unhealthy(&self) -> Refusal {
        let refusal =
            Refusal::new(Code::UpstreamUnhealthy, "every receiver fails its health check");
        let interval = self.health.as_ref().map_or(0, |health| health.interval.as_secs());
        refusal.retry_after(u32::try_from(interval).unwrap_or(u32::MAX).max(1))
    }
}

impl Task<'_> {
    /// Offers the request to one receiver after the other until one takes it.
    async fn run(&self, mut request: Outbound) -> Result<Response<UpstreamBody>, Refusal> {
        let mut refusal = None;
        for place in self.upstream.order(self.started) {
            self.address(&mut request, place)?;
            let origin = match &place.kind {
                PlaceKind::Echo => return Ok(echo::answer(request).await),
                PlaceKind::Remote(origin) => origin,
            };
            match self.offer(origin, request).await {
                Ok(response) => return Ok(response),
                Err(Failure::Sent(refusal)) => return Err(refusal),
                Err(Failure::Untouched(back, why)) => {
                    place.vitals.rest(Instant::now());
                    request = *back;
                    refusal = Some(why);
                }
            }
        }
        Err(refusal.unwrap_or_else(|| self.upstream.unhealthy()))
    }

    /// Writes the receiver's own path and `Host` into the head.
    fn address(&self, request: &mut Outbound, place: &Place) -> Result<(), Refusal> {
        *request.uri_mut() = place
            .path
            .apply(&self.target, self.remainder)
            .map_err(|_| Refusal::new(Code::BadRequest, "the path is too long for the upstream"))?;
        if let PlaceKind::Remote(origin) = &place.kind
            && !self.upstream.rules.sets_host()
        {
            request.headers_mut().insert(header::HOST, origin.authority.clone());
        }
        Ok(())
    }

    /// Sends over an idle connection, or over a new one.
    ///
    /// The receiver may close an idle connection at any time. If that is seen before a byte was
    /// written, the request comes back and goes over the next one.
    async fn offer(
        &self,
        origin: &Arc<Origin>,
        mut request: Outbound,
    ) -> Result<Response<UpstreamBody>, Failure> {
        loop {
            let idle = origin.pool.take(self.kind, self.started);
            let fresh = idle.is_none();
            let mut lease = match idle {
                Some(lease) => lease,
                // Boxed, because it is large, seldom needed, and would be part of every exchange.
                None => match Box::pin(origin.connect(self.kind)).await {
                    Ok(lease) => lease,
                    Err(error) => return Err(unreachable(origin, &error, request)),
                },
            };
            let sent = lease.sender.try_send_request(request);
            match sent.await {
                Ok(response) => return self.receive(origin, lease, response),
                Err(error) => match failed(origin, error) {
                    Failure::Untouched(back, _) if !fresh => request = *back,
                    failure => return Err(failure),
                },
            }
        }
    }

    fn receive(
        &self,
        origin: &Origin,
        lease: Lease,
        response: Response<Incoming>,
    ) -> Result<Response<UpstreamBody>, Failure> {
        let status = response.status();
        if status == StatusCode::SWITCHING_PROTOCOLS {
            return Err(Failure::Sent(broken(origin, "it switched protocols unasked")));
        }
        let (mut head, body) = response.into_parts();
        // The version is of a connection, not of an answer: an HTTP/1.0 upstream's is none of the sender's.
        head.version = http::Version::HTTP_11;
        let bodiless = self.method == Method::HEAD || status == StatusCode::NOT_MODIFIED;
        headers::clean(&mut head.headers, body.size_hint().exact(), bodiless);
        Ok(Response::from_parts(head, UpstreamBody::stream(body, self.deadline, lease)))
    }
}

#[cold]
fn unreachable(origin: &Origin, error: &ConnectError, request: Outbound) -> Failure {
    let why = format!("{}: {error}", origin.name());
    Failure::Untouched(Box::new(request), Refusal::new(Code::UpstreamUnreachable, why))
}

#[cold]
fn failed(origin: &Origin, mut error: TrySendError<Outbound>) -> Failure {
    let back = error.take_message();
    let refusal = broken(origin, &error.into_error().to_string());
    match back {
        Some(back) => Failure::Untouched(Box::new(back), refusal),
        None => Failure::Sent(refusal),
    }
}

#[cold]
fn broken(origin: &Origin, why: &str) -> Refusal {
    Refusal::new(Code::UpstreamError, format!("{}: {why}", origin.name()))
}
