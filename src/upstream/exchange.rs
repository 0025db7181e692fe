//! One exchange with a receiver: send, wait, answer, within one deadline.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Method, Response, StatusCode, header, request::Parts, uri::PathAndQuery};
use tokio::time::{Instant, timeout_at};

use super::{
    Outgoing, Upstream, UpstreamBody,
    body::Arriving,
    build::{Order, Place, PlaceKind},
    connect::{ConnectError, Origin},
    echo, headers,
    pool::Lease,
    wire::{Answered, Broken, Head, Message, talk},
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

/// How an exchange went.
#[derive(Debug)]
pub struct Exchanged {
    /// From the call to the answer's head, or to giving up.
    pub took: Duration,
    /// The answer, or the refusal that the sender gets.
    pub result: Result<Answer, Refusal>,
}

/// One request on its way to whoever takes it.
struct Task<'a> {
    upstream: &'a Upstream,
    /// Who is asked, in this order. The message is addressed to the first.
    order: Order<'a>,
    message: Message,
    line: Line,
    started: Instant,
    deadline: Instant,
}

/// A receiver's answer, and when its head was there.
type Answering = (Response<UpstreamBody>, Instant);

/// What request lines are made of.
struct Line {
    method: Method,
    target: PathAndQuery,
    remainder: Option<(usize, usize)>,
}

/// Why one receiver did not answer.
enum Failure {
    /// Not one byte of the request was written; it may go elsewhere.
    Untouched(Refusal),
    /// It may have been received; it must not be sent again.
    Sent(Refusal),
}

impl Upstream {
    /// Sends a request to the first receiver that takes it, and waits for its status line.
    ///
    /// `head` is the sender's, `body` the body as it was verified. The whole exchange, up to the
    /// last byte of the answer's body, has the configured timeout; a body that is not complete by
    /// then breaks off with an error. The time runs from the call on; the future holds nothing of
    /// `out` and `head`.
    ///
    /// Refusals are:
    /// - `upstream_unreachable`: no connection could be made
    /// - `upstream_error`: a connection broke, or what came over it is not HTTP
    /// - `upstream_timeout`: no status line within the timeout
    /// - `upstream_unhealthy`: every receiver fails its health check
    pub fn exchange(
        &self,
        out: &Outgoing<'_>,
        head: &Parts,
        body: Bytes,
    ) -> impl Future<Output = Exchanged> + Send + use<'_> {
        // Not part of the future, which would hold every intermediate value for its whole life.
        let started = Instant::now();
        let task = self.task(out, head, body, started);
        async move {
            let result = match task {
                Ok(mut task) => timeout_at(started + self.timeout, task.run())
                    .await
                    .unwrap_or_else(|_| Err(self.late())),
                Err(refusal) => Err(refusal),
            };
            // The answer's time has been asked for already.
            let ended = result.as_ref().map_or_else(|_| Instant::now(), |(_, ended)| *ended);
            let result = result.map(|(response, _)| self.answer(response));
            Exchanged { took: ended.duration_since(started), result }
        }
    }

    fn late(&self) -> Refusal {
        Refusal::new(Code::UpstreamTimeout, format!("no answer within {:?}", self.timeout))
    }

    /// Writes the request that the first receiver gets.
    fn task(
        &self,
        out: &Outgoing<'_>,
        head: &Parts,
        body: Bytes,
        started: Instant,
    ) -> Result<Task<'_>, Refusal> {
        let order = self.order(started);
        let target = head.uri.path_and_query();
        let line = Line {
            method: head.method.clone(),
            target: target.cloned().unwrap_or_else(|| PathAndQuery::from_static("/")),
            remainder: out.remainder,
        };
        let mut message = Message::new(&head.method, FIELDS, &body);
        if let Some(first) = order.first() {
            self.address(&mut message, &line, first)?;
        }
        self.rules.write(head, out, body.len(), message.fields());
        if let Some(signer) = &self.signer {
            signer.sign(message.fields(), out, &body);
        }
        message.finish(body);
        let deadline = started + self.timeout;
        Ok(Task { upstream: self, order, message, line, started, deadline })
    }

    /// Writes the receiver's own path and `Host` into the head.
    fn address(&self, message: &mut Message, line: &Line, place: &Place) -> Result<(), Refusal> {
        let target = |bytes: &mut Vec<u8>| place.path.write(&line.target, line.remainder, bytes);
        let host = match &place.kind {
            PlaceKind::Remote(origin) if !self.rules.sets_host() => Some(&origin.authority),
            PlaceKind::Remote(_) | PlaceKind::Echo => None,
        };
        message
            .address(&line.method, target, host)
            .map_err(|_| Refusal::new(Code::BadRequest, "the path is too long for the upstream"))
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
    async fn run(&mut self) -> Result<Answering, Refusal> {
        let mut refusal = None;
        for (nth, &place) in self.order.iter().enumerate() {
            if nth > 0 {
                self.upstream.address(&mut self.message, &self.line, place)?;
            }
            let origin = match &place.kind {
                PlaceKind::Echo => return Ok((echo::answer(&self.message), Instant::now())),
                PlaceKind::Remote(origin) => origin,
            };
            match self.offer(origin).await {
                Ok(response) => return Ok(response),
                Err(Failure::Sent(refusal)) => return Err(refusal),
                Err(Failure::Untouched(why)) => {
                    place.vitals.rest(Instant::now());
                    refusal = Some(why);
                }
            }
        }
        Err(refusal.unwrap_or_else(|| self.upstream.unhealthy()))
    }

    /// Sends over an idle connection, or over a new one.
    ///
    /// The receiver may close an idle connection at any time. If that is seen before a byte was
    /// written, the request goes over the next one.
    async fn offer(&self, origin: &Arc<Origin>) -> Result<Answering, Failure> {
        loop {
            let idle = origin.pool.take(self.started);
            let fresh = idle.is_none();
            let mut lease = match idle {
                Some(lease) => lease,
                // Boxed, because it is large, seldom needed, and would be part of every exchange.
                None => match Box::pin(origin.connect()).await {
                    Ok(lease) => lease,
                    Err(error) => return Err(unreachable(origin, &error)),
                },
            };
            match talk(&mut lease.stream, &self.message).await {
                Ok(answered) => return Ok(self.receive(lease, answered)),
                Err(Broken::Untouched(_)) if !fresh => {}
                Err(error) => return Err(failed(origin, &error)),
            }
        }
    }

    fn receive(&self, lease: Lease, answered: Answered) -> Answering {
        let now = Instant::now();
        let Answered { head: Head { mut parts, framing, persists }, behind, heard_out } = answered;
        let bodiless = self.line.method == Method::HEAD || parts.status == StatusCode::NOT_MODIFIED;
        headers::clean(&mut parts.headers, framing.left(), bodiless);
        let persists = persists && heard_out;
        let body = Arriving { lease, persists, framing, received: behind };
        let body = UpstreamBody::arriving(body, self.deadline, now);
        (Response::from_parts(parts, body), now)
    }
}

#[cold]
fn unreachable(origin: &Origin, error: &ConnectError) -> Failure {
    let why = format!("{}: {error}", origin.name());
    Failure::Untouched(Refusal::new(Code::UpstreamUnreachable, why))
}

#[cold]
fn failed(origin: &Origin, error: &Broken) -> Failure {
    let refusal = Refusal::new(Code::UpstreamError, format!("{}: {error}", origin.name()));
    match error {
        Broken::Untouched(_) => Failure::Untouched(refusal),
        Broken::Io(_) | Broken::Closed | Broken::Answer(_) => Failure::Sent(refusal),
    }
}

/// Room for the fields of most requests, in bytes.
const FIELDS: usize = 1536;
