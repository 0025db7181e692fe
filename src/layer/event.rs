//! Admits events that the route wants: by type, and by filters that are finer than types.
//!
//! Acknowledges: `event_ignored`. Rejects: `event_not_allowed` (where the route says so), and
//! `payload_malformed` or `unsupported_encoding` where the payload must be read for it.

use bytes::Bytes;

use crate::{
    config::model::{Check, Filter, FilterSubject, FilterTest, OnUnlisted},
    decision::{Code, Refusal},
    delivery::Delivery,
    wildcard,
};

use super::{
    check::{Judge, Unproven},
    payload::Payload,
};

/// `events`, `filters` and `on_unlisted_event`.
#[derive(Clone, Debug)]
pub struct WantEvent;

/// Shows that the route wants the event; keeps the payload if it was read.
#[derive(Debug)]
pub struct Wanted {
    pub(super) payload: Payload,
}

impl<P> Judge<Bytes, P> for WantEvent {
    const CHECK: Check = Check::Events;
    type Proof = Wanted;

    fn judge(&self, delivery: &mut Delivery<Bytes, P>) -> Result<Wanted, Unproven> {
        let route = delivery.route();
        let mut payload = Payload::default();
        if !route.events.is_empty() {
            if route.scheme.reads_kind_in_body() {
                payload.read(&route.scheme, &delivery.head, &delivery.body)?;
            }
            let kind = delivery.record.event_type.as_deref();
            let listed =
                |kind: &str| route.events.iter().any(|event| wildcard::matches(event, kind));
            if !kind.is_some_and(listed) {
                return Err(unwanted(route.on_unlisted_event, "the type is not in events").into());
            }
        }
        for filter in &route.filters {
            if !holds(filter, delivery, &mut payload)? {
                return Err(unwanted(route.on_unlisted_event, "a filter does not hold").into());
            }
        }
        Ok(Wanted { payload })
    }
}

fn unwanted(rule: OnUnlisted, why: &'static str) -> Refusal {
    match rule {
        OnUnlisted::Acknowledge => Refusal::new(Code::EventIgnored, why),
        OnUnlisted::Reject => Refusal::new(Code::EventNotAllowed, why),
    }
}

fn holds<P>(
    filter: &Filter,
    delivery: &Delivery<Bytes, P>,
    payload: &mut Payload,
) -> Result<bool, Refusal> {
    use serde_json::Value;
    let text = |text: String| Some(Value::String(text));
    let owned;
    let subject = match &filter.subject {
        FilterSubject::Header(name) => {
            let value = delivery.head.headers.get(name);
            owned = value.and_then(|v| text(String::from_utf8_lossy(v.as_bytes()).into_owned()));
            owned.as_ref()
        }
        FilterSubject::Query(name) => {
            let query = delivery.head.uri.query().unwrap_or_default();
            let value = super::payload::pairs(query).find(|(key, _)| key == name);
            owned = value.and_then(|(_, value)| text(value));
            owned.as_ref()
        }
        FilterSubject::Json(pointer) => {
            let scheme = &delivery.route().scheme;
            payload.read(scheme, &delivery.head, &delivery.body)?.pointer(pointer)
        }
    };
    Ok(match &filter.test {
        FilterTest::Exists(there) => subject.is_some() == *there,
        FilterTest::Equals(value) => subject == Some(value),
        FilterTest::In(values) => subject.is_some_and(|subject| values.contains(subject)),
        FilterTest::Not(value) => subject != Some(value),
        FilterTest::Glob(pattern) => {
            subject.and_then(Value::as_str).is_some_and(|text| wildcard::matches(pattern, text))
        }
    })
}
