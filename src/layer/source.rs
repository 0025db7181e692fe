//! Admits requests whose source address is on the route's list.
//!
//! Rejects: `source_not_allowed`; `source_list_unavailable` as long as a list was never fetched.

use crate::{
    config::model::Check,
    decision::{Code, Refusal},
    delivery::Delivery,
    gateway::Standing,
};

use super::check::{Judge, Unproven};

/// When a sender should try again that may be on a list which is still missing.
const RETRY_AFTER_SECS: u32 = 30;

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
        let refusal = match list.judge(delivery.record.source) {
            Standing::Allowed => return Ok(AllowedSource(())),
            Standing::NotAllowed => Refusal::new(Code::SourceNotAllowed, "not in allow_from"),
            // It may be the provider: it should try again.
            Standing::Unknown => {
                let detail = "not in allow_from as far as it is known: a list was never fetched";
                Refusal::new(Code::SourceListUnavailable, detail).retry_after(RETRY_AFTER_SECS)
            }
        };
        Err(refusal.into())
    }
}
