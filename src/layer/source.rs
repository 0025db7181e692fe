//! Admits requests whose source address is on the route's list.
//!
//! Rejects: `source_not_allowed`.

use crate::{
    config::model::Check,
    decision::{Code, Refusal},
    delivery::Delivery,
};

use super::check::{Judge, Unproven};

/// Compares the client's address, not a header, with `allow_from`.
#[derive(Clone, Debug)]
pub struct AllowSource;

/// Shows that the source is on the list, or that there is no list.
#[derive(Debug)]
pub struct AllowedSource(());

impl<B, P> Judge<B, P> for AllowSource {
    const CHECK: Check = Check::Source;
    type Proof = AllowedSource;

    fn judge(&self, delivery: &mut Delivery<B, P>) -> Result<AllowedSource, Unproven> {
        let Some(list) = &delivery.route().allow_from else { return Ok(AllowedSource(())) };
        if list.contains(delivery.record.source) {
            return Ok(AllowedSource(()));
        }
        Err(Refusal::new(Code::SourceNotAllowed, "not in allow_from").into())
    }
}
