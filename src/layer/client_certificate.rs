//! Admits requests of connections whose client showed the certificate that the route wants.
//!
//! Rejects: `source_not_allowed`.
//!
//! The chain was judged in the handshake. What is compared here belongs to the connection itself:
//! no header, of a trusted proxy neither, ever stands for a certificate. A route cannot monitor
//! this check.

use crate::{
    config::model::Check,
    decision::{Code, Refusal},
    delivery::Delivery,
    net::ClientCertificate,
};

use super::check::{Judge, Unproven};

/// Compares the connection's certificate with the route's `client_certificate`.
#[derive(Clone, Debug)]
pub struct RequireCertificate;

/// Shows that the certificate is the right one, or that the route asks for none.
#[derive(Debug)]
pub struct RightCertificate(());

impl<B, P> Judge<B, P> for RequireCertificate {
    const CHECK: Check = Check::Source;
    type Proof = RightCertificate;

    fn judge(&self, delivery: &mut Delivery<B, P>) -> Result<RightCertificate, Unproven> {
        let Some(rule) = &delivery.route().client_certificate else {
            return Ok(RightCertificate(()));
        };
        let Some(shown) = delivery.head.extensions.get::<ClientCertificate>() else {
            let why = "the connection shows no client certificate";
            return Err(Refusal::new(Code::SourceNotAllowed, why).into());
        };
        let why = if !shown.is_valid_at(delivery.record.now) {
            "is not valid at this time"
        } else if !shown.counts_for(&delivery.record.host) {
            "was shown to another server name"
        } else {
            match rule.judge(shown) {
                Ok(()) => return Ok(RightCertificate(())),
                Err(mismatch) => mismatch.about(),
            }
        };
        let subject: String = shown.subject().chars().take(SUBJECT_SHOWN).collect();
        let detail = format!("the client certificate of {subject} {why}");
        Err(Refusal::new(Code::SourceNotAllowed, detail).into())
    }
}

/// How much of a subject goes into a detail, in characters.
const SUBJECT_SHOWN: usize = 256;
