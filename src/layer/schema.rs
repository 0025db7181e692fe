//! Admits payloads that satisfy the route's JSON Schema.
//!
//! The last check: the dearest, and only for those whose every other check held.
//!
//! Rejects: `schema_violation`, `payload_malformed`, `unsupported_encoding`.

use bytes::Bytes;

use crate::{
    config::model::Check,
    decision::{Code, Refusal},
    delivery::{Delivery, Held},
};

use super::{
    check::{Judge, Unproven},
    event::Wanted,
    payload::Payload,
};

/// `body.schema` and `body.schemas`.
#[derive(Clone, Debug)]
pub struct SatisfySchema;

/// Shows that the payload satisfies the schema, if the route has one for it.
#[derive(Debug)]
pub struct Satisfied {
    /// Whether there was a schema.
    pub(super) judged: bool,
}

impl<P> Judge<Bytes, (P, Held<Wanted>)> for SatisfySchema {
    const CHECK: Check = Check::Schema;
    type Proof = Satisfied;

    fn judge(
        &self,
        delivery: &mut Delivery<Bytes, (P, Held<Wanted>)>,
    ) -> Result<Satisfied, Unproven> {
        let route = delivery.record.route();
        let rules = &route.body;
        let kind = delivery.record.event_type.as_deref();
        let own = kind.and_then(|kind| rules.schemas.get(kind));
        let Some(schema) = own.or(rules.schema.as_ref()) else {
            return Ok(Satisfied { judged: false });
        };
        let mut unread = Payload::default();
        let payload = match &mut delivery.proof.1 {
            Held::Proven(wanted) => &mut wanted.payload,
            Held::Waived => &mut unread,
        };
        let value = payload.read(&route.scheme, &delivery.head, &delivery.body)?;
        match schema.validate(value) {
            Ok(()) => Ok(Satisfied { judged: true }),
            Err(violation) => Err(Refusal::new(Code::SchemaViolation, violation).into()),
        }
    }
}
