//! What a request hands over: owned, compact, not yet in words.

use std::{net::IpAddr, sync::Arc};

use crate::{
    clock::UnixMs,
    config::model::Check,
    decision::{Code, Refusal},
    delivery::{CheckOutcome, Checks, NearMiss, RequestId},
    net::Remark,
    telemetry::conclude::{Conclusion, Identity},
};

/// Everything that an audit line says.
#[derive(Debug)]
pub(in crate::telemetry) struct AuditEvent {
    pub(super) time: UnixMs,
    pub(super) request_id: RequestId,
    pub(super) identity: Arc<Identity>,
    pub(super) code: Code,
    pub(super) status: u16,
    pub(super) refusal: Option<Refusal>,
    pub(super) checks: Checks,
    pub(super) remark: Option<Remark>,
    pub(super) key_id: Option<Arc<str>>,
    pub(super) event_id: Option<Box<str>>,
    pub(super) event_type: Option<Box<str>>,
    pub(super) source: IpAddr,
    pub(super) bytes: u64,
    pub(super) body_sha256: Option<[u8; 32]>,
    pub(super) took_us: u64,
    pub(super) upstream_status: Option<u16>,
    pub(super) upstream_us: Option<u64>,
    pub(super) near_miss: Option<NearMiss>,
}

impl AuditEvent {
    pub(in crate::telemetry) fn new(
        conclusion: &Conclusion<'_>,
        identity: Arc<Identity>,
        took_us: u64,
    ) -> Self {
        let record = conclusion.record;
        let told = |(_, outcome): (Check, &CheckOutcome)| matches!(outcome, CheckOutcome::Fail(_));
        // A refusal that a check made stands there already.
        let refusal = conclusion.refusal.filter(|_| !record.checks.iter().any(told));
        Self {
            time: record.time,
            request_id: record.request_id.clone(),
            identity,
            code: conclusion.code,
            status: conclusion.status,
            refusal: refusal.cloned(),
            checks: record.checks.clone(),
            remark: record.remark,
            key_id: record.key_id.clone(),
            event_id: record.event_id.clone(),
            event_type: record.event_type.clone(),
            source: record.source,
            bytes: record.bytes,
            body_sha256: record.body_sha256,
            took_us,
            upstream_status: record.upstream_status,
            upstream_us: record.upstream_us,
            near_miss: record.near_miss.clone(),
        }
    }
}
