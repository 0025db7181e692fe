//! Exchanges over real sockets with a receiver that fails in every way.

use super::Outgoing;
use crate::clock::UnixMs;

pub(super) fn outgoing() -> Outgoing<'static> {
    Outgoing {
        request_id: "0123",
        source: [192, 0, 2, 7].into(),
        secure: true,
        host: "fallback.example",
        remainder: None,
        event_id: Some("evt_1"),
        covered_id: Some("evt_1"),
        event_type: Some("Push Hook"),
        key_id: Some("2026"),
        verified: "signature, replay",
        monitored: None,
        webhook_id_seed: Some(7),
        now: UnixMs::from_secs(1_760_000_000),
    }
}
