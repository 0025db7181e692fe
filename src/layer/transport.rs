//! Admits requests that came over HTTPS, where the policy requires it.
//!
//! Rejects: `insecure_transport`.

use crate::{
    config::model::Check,
    decision::{Code, Refusal},
    delivery::Delivery,
};

use super::check::{Judge, Unproven};

/// Looks at how the request came: TLS on the wire, or a trusted proxy's word for it.
#[derive(Clone, Debug)]
pub struct RequireHttps;

/// Shows that the transport is as secure as the policy asks.
#[derive(Debug)]
pub struct SecureEnough(());

impl<B, P> Judge<B, P> for RequireHttps {
    const CHECK: Check = Check::Transport;
    type Proof = SecureEnough;

    fn judge(&self, delivery: &mut Delivery<B, P>) -> Result<SecureEnough, Unproven> {
        if delivery.record.secure || !delivery.route().require_https {
            return Ok(SecureEnough(()));
        }
        Err(Refusal::new(Code::InsecureTransport, "plain HTTP").into())
    }
}
