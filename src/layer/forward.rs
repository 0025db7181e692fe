//! Forwards what was admitted, byte for byte, with what was proven of it.
//!
//! Rejects: `upstream_unreachable`, `upstream_error`, `upstream_timeout`, `upstream_unhealthy`.

use std::{
    sync::{Arc, LazyLock},
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderValue, request::Parts};
use tower::Service;

use crate::{
    body::AnswerBody,
    delivery::{Delivery, Held, Record},
    gateway::Route,
    upstream::{Exchanged, Outgoing},
    verify::Verified,
};

use super::{
    Answer, Boxed, Refused,
    respond::replaces_success,
    stack::{Admitted, whole_of},
};

/// The innermost service of the proxy.
#[derive(Clone, Debug)]
pub struct Forward;

impl Service<Delivery<Bytes, Admitted>> for Forward {
    type Response = Answer<AnswerBody>;
    type Error = Refused;
    type Future = Boxed<Result<Answer<AnswerBody>, Refused>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, delivery: Delivery<Bytes, Admitted>) -> Self::Future {
        let proven = Proven::of(delivery.route(), &delivery.proof);
        let Delivery { head, body, mut record, proof } = delivery;
        // Of the proofs only this is kept: the memory for the body is given back once it was sent.
        let whole = whole_of(proof);
        let route = Arc::clone(record.route());
        Box::pin(async move {
            let Exchanged { took, result } = exchange(&route, &record, proven, head, body).await;
            drop(whole);
            record.upstream_us = Some(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
            match result {
                Ok(exchanged) => {
                    record.upstream_status = Some(exchanged.status.as_u16());
                    let mut response = exchanged.response;
                    if response.status().is_success() && replaces_success(&route) {
                        // Read, so that the connection can serve the next one.
                        response.body_mut().discard().await;
                    }
                    let response = response.map(AnswerBody::Upstream);
                    Ok(Answer { response, record })
                }
                Err(refusal) => Err(Refused { refusal, record }),
            }
        })
    }
}

/// Begins the exchange; the future holds neither the head nor what was made of the record.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the head's memory is given back before the wait"
)]
fn exchange<'a>(
    route: &'a Route,
    record: &Record,
    proven: Proven,
    head: Box<Parts>,
    body: Bytes,
) -> impl Future<Output = Exchanged> + Send + use<'a> {
    let monitored = monitored(record);
    route.upstream.exchange(&outgoing(record, proven, monitored.as_deref()), &head, body)
}

/// What the receiver is told besides the sender's own head and body.
fn outgoing<'a>(record: &'a Record, proven: Proven, monitored: Option<&'a str>) -> Outgoing<'a> {
    Outgoing {
        request_id: record.request_id.value(),
        source: record.source,
        forwarded_for: record.source_value.as_ref(),
        secure: record.secure,
        host: &record.host,
        remainder: record.remainder.as_ref().map(|range| (range.start, range.end)),
        event_id: record.event_id.as_deref(),
        covered_id: record.event_id.as_deref().filter(|_| proven.covers_id),
        event_type: record.event_type.as_deref(),
        key_id: record.key_id.as_deref(),
        verified: proven.header(),
        monitored,
        webhook_id_seed: proven.content_key,
        now: record.now,
    }
}

/// What `Hookward-Verified` says: proofs only, never a waiver.
#[derive(Clone, Copy, Debug)]
pub struct Proven {
    bits: usize,
    /// Whether the signature covers the event id.
    covers_id: bool,
    /// For ids that must be stable over retries.
    content_key: Option<u128>,
}

const NAMES: [&str; 5] = ["signature", "token", "timestamp", "replay", "schema"];

static VALUES: LazyLock<Vec<HeaderValue>> = LazyLock::new(|| {
    let text = |bits: usize| {
        let named = NAMES.iter().enumerate().filter(|(bit, _)| bits & (1 << bit) != 0);
        named.map(|(_, name)| *name).collect::<Vec<_>>().join(", ")
    };
    let value = |bits| HeaderValue::try_from(text(bits)).ok();
    (0..1 << NAMES.len()).map_while(value).collect()
});

impl Proven {
    pub(super) fn of(route: &Route, proof: &Admitted) -> Self {
        let ((((((at_signature, timely), _), once), _), _), satisfied) = proof;
        let verified: Option<&Verified> = at_signature.1.proven();
        let coverage = route.scheme.coverage();
        let (token, signed) = (coverage.token, !coverage.token && !coverage.unproven);
        let bits = [
            verified.is_some() && signed,
            verified.is_some() && token && !coverage.unproven,
            matches!(timely, Held::Proven(timely) if timely.fresh.is_some()),
            matches!(once, Held::Proven(once) if once.kept()),
            matches!(satisfied, Held::Proven(satisfied) if satisfied.judged),
        ];
        let bits = bits.iter().enumerate().map(|(bit, set)| usize::from(*set) << bit).sum();
        let content_key = verified.and_then(|verified| verified.content_key);
        Self { bits, covers_id: verified.is_some() && signed, content_key }
    }

    /// The header; `None` if nothing was proven.
    pub(super) fn header(self) -> Option<&'static HeaderValue> {
        VALUES.get(self.bits).filter(|_| self.bits != 0)
    }
}

/// What `Hookward-Monitored` says: the checks that failed and were waived, with their codes.
pub(super) fn monitored(record: &Record) -> Option<String> {
    let mut text = String::new();
    for (check, refusal) in record.checks.waived() {
        if !text.is_empty() {
            text.push_str(", ");
        }
        text.push_str(check.as_str());
        text.push('=');
        text.push_str(refusal.code.as_str());
    }
    (!text.is_empty()).then_some(text)
}
