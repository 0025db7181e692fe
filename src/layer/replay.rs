//! Admits what was not delivered yet, and settles the reservation by what became of it.
//!
//! Behind signature and timestamp: strangers write no state. Everything from here on outlives the
//! sender.
//!
//! Rejects: `replayed`, `in_flight`, `store_unavailable`. Acknowledges: `duplicate`.

use std::{
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use tower::{Layer, Service};

use crate::{
    clock::UnixMs,
    config::model::{Check, OnDuplicate, OnReplay, Replay as Rules},
    decision::{Code, Detail, Refusal},
    delivery::{Delivery, Held},
    gateway::Route,
    replay::{Claimed, ContentClaim, Duplicates, Reservation, RouteStore, Taken},
    verify::{Event, Head, Verified},
};

use super::{Answer, Refused, handshake::NoHandshake, outlive::Outlive, timestamp::Timely};

/// Reserves before, settles after.
#[derive(Clone, Debug)]
pub struct ReplayLayer;

/// The service of [`ReplayLayer`].
#[derive(Clone, Debug)]
pub struct Replay<S> {
    next: S,
}

/// Shows that the delivery may go on as far as replay is concerned.
#[derive(Debug)]
pub struct Once {
    /// The sender was authenticated.
    authenticated: bool,
    /// An entry made of covered bytes stands for it, so that a copy will be noticed.
    kept: bool,
}

impl Once {
    /// Whether the sender was authenticated.
    pub(super) const fn authenticated(&self) -> bool {
        self.authenticated
    }

    /// Whether it may be claimed towards the receiver that this is no replay.
    pub(super) const fn kept(&self) -> bool {
        self.kept
    }
}

impl<S> Layer<S> for ReplayLayer {
    type Service = Replay<S>;

    fn layer(&self, next: S) -> Replay<S> {
        Replay { next }
    }
}

/// What was proven when replay is judged.
type Judged<P> = (((P, Held<Verified>), Held<Timely>), NoHandshake);

impl<P, R, S> Service<Delivery<Bytes, Judged<P>>> for Replay<S>
where
    P: Send + 'static,
    R: Send + 'static,
    S: Service<Delivery<Bytes, (Judged<P>, Held<Once>)>, Response = Answer<R>, Error = Refused>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
{
    type Response = Answer<R>;
    type Error = Refused;
    type Future = Outlive<R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        self.next.poll_ready(cx)
    }

    fn call(&mut self, mut delivery: Delivery<Bytes, Judged<P>>) -> Self::Future {
        // The service that was polled ready is the one to call.
        let next = self.next.clone();
        let mut next = std::mem::replace(&mut self.next, next);
        let route = Arc::clone(delivery.route());
        let shared = Arc::clone(&route.shared);
        let exchange = async move {
            let (once, reservation) = match admit(&route, &mut delivery) {
                Ok((once, reservation)) => {
                    if once.authenticated() {
                        delivery.record.checks.pass(Check::Replay);
                    }
                    (Held::Proven(once), reservation)
                }
                Err(refusal) if route.monitors(Check::Replay) => {
                    delivery.record.checks.waive(Check::Replay, refusal);
                    (Held::Waived, None)
                }
                Err(refusal) => return Err(Refused::by(Check::Replay, refusal, delivery.record)),
            };
            let result = next.call(delivery.prove(|p| (p, once))).await;
            if let Some(reservation) = reservation {
                settle(&route, reservation, &result);
            }
            result
        };
        Outlive::new(shared, Box::pin(exchange))
    }
}

/// A reservation that was neither needed nor possible is `None`.
type Admission = (Once, Option<Reservation>);

fn admit<P>(
    route: &Route,
    delivery: &mut Delivery<Bytes, Judged<P>>,
) -> Result<Admission, Refusal> {
    let head = Head::of(&delivery.head);
    let mut event = route.scheme.event(head, &delivery.body);
    let repeats = route.replay.is_some() && route.scheme.repeats(head, &delivery.body);
    let record = &mut delivery.record;
    record.event_id = joined(&event);
    record.event_type = event.kind.take();
    // What a monitored signature or timestamp let through is a stranger's: no state is read or
    // written for it.
    let (((_, Held::Proven(verified)), Held::Proven(timely)), _) = &delivery.proof else {
        return Ok((Once { authenticated: false, kept: false }, None));
    };
    let unkept = Once { authenticated: true, kept: false };
    let Some((rules, store)) = &route.replay else { return Ok((unkept, None)) };
    if repeats {
        return Ok((unkept, None));
    }
    reserve(route, rules, store, verified, timely, &event, record.now)
}

fn reserve(
    route: &Route,
    rules: &Rules,
    store: &Arc<RouteStore>,
    verified: &Verified,
    timely: &Timely,
    event: &Event,
    now: UnixMs,
) -> Result<Admission, Refusal> {
    let clock = &route.shared.clock;
    let content = verified.content_key.map(|key| ContentClaim {
        key,
        body: verified.body_key,
        lifetime: timely.fresh.as_ref().map_or(rules.window, |fresh| {
            let left = fresh.until.0.saturating_sub(now.0);
            Duration::from_millis(u64::try_from(left).unwrap_or_default()) + route.lease
        }),
    });
    let ids: smallvec::SmallVec<[u128; 4]> =
        event.ids.iter().map(|id| crate::verify::fingerprint(id.as_bytes())).collect();
    if content.is_none() && ids.is_empty() {
        return Ok((Once { authenticated: true, kept: false }, None));
    }
    let covered = content.is_some() || event.covered;
    let claimed = Claimed {
        content,
        ids: &ids,
        id_body: verified.body_key,
        duplicates: match rules.on_duplicate {
            OnDuplicate::Forward => Duplicates::Ignore,
            OnDuplicate::Acknowledge | OnDuplicate::Reject => Duplicates::Tell,
        },
        window: rules.window,
    };
    let reservation = store
        .reserve(&claimed, route.lease, clock.mono())
        .map_err(|taken| refusal_for(&taken, rules, clock.mono()))?;
    // Once anything was evicted, nobody can say what was seen before.
    let kept = covered && store.evictions() == 0;
    Ok((Once { authenticated: true, kept }, Some(reservation)))
}

fn refusal_for(taken: &Taken, rules: &Rules, now: Duration) -> Refusal {
    let ago = |first_seen: &Duration| Detail::FirstSeen {
        ago_ms: u64::try_from(now.saturating_sub(*first_seen).as_millis()).unwrap_or(u64::MAX),
    };
    match taken {
        Taken::Replayed { first_seen } => match rules.on_replay {
            OnReplay::Acknowledge => Refusal::new(Code::Duplicate, ago(first_seen)),
            OnReplay::Reject => Refusal::new(Code::Replayed, ago(first_seen)),
        },
        Taken::OtherBody { .. } => {
            Refusal::new(Code::Replayed, "the same token or id came with another body before")
        }
        Taken::Duplicate { first_seen } => match rules.on_duplicate {
            OnDuplicate::Reject => Refusal::new(Code::Replayed, ago(first_seen)),
            OnDuplicate::Acknowledge | OnDuplicate::Forward => {
                Refusal::new(Code::Duplicate, "acknowledged, not forwarded")
            }
        },
        Taken::InFlight => {
            Refusal::new(Code::InFlight, "a copy is being forwarded right now").retry_after(5)
        }
        Taken::Full => {
            Refusal::new(Code::StoreUnavailable, "the route's replay.max_entries are used up")
                .retry_after(30)
        }
    }
}

/// The upstream's own status decides; what the gateway itself turned away behind the reservation
/// may come again, except an event that nobody wants.
fn settle<R>(route: &Route, reservation: Reservation, result: &Result<Answer<R>, Refused>) {
    let done = match result {
        Ok(answer) => answer.record.upstream_status.is_some_and(|status| {
            route.replay.as_ref().is_some_and(|(rules, _)| rules.commit_on.contains(status))
        }),
        Err(refused) => refused.refusal.code == Code::EventIgnored,
    };
    if done {
        reservation.commit(route.shared.clock.mono());
    } else {
        reservation.release();
    }
}

fn joined(event: &Event) -> Option<Box<str>> {
    match event.ids.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        several => Some(several.join(",").into()),
    }
}
