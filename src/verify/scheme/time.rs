//! Whether a signed time is near enough to now.

use std::time::Duration;

use super::{Claim, Scheme, Verified, claim::read_time};
use crate::{
    clock::UnixMs,
    decision::{Code, Detail, Refusal},
    verify::{Head, source::Message, time::Unit},
};

/// How far clocks may differ where a proof says from when on it holds.
const SKEW: Duration = Duration::from_secs(300);

/// Exists only after a timestamp was found within the tolerance.
#[derive(Debug)]
#[expect(clippy::manual_non_exhaustive, reason = "not even the rest of this crate may make one")]
pub struct Fresh {
    /// The signed time; `None` where the proof only says until when it holds.
    pub signed_at: Option<UnixMs>,
    /// The last instant at which the same bytes can be found fresh.
    pub until: UnixMs,
    _sealed: (),
}

impl Scheme {
    /// Judges the timestamp, and what the proof itself says of its time; `None` where there is
    /// neither. Without a proof that has held, only the timestamp is judged.
    ///
    /// # Errors
    ///
    /// Missing, malformed, too old, too far ahead. Exactly at the tolerance is near enough; exactly
    /// at its end, a proof no longer holds (RFC 7519, section 4.1.4).
    pub fn judge_time(
        &self,
        claim: &Claim,
        verified: Option<&Verified>,
        head: Head<'_>,
        body: &[u8],
        now: UnixMs,
    ) -> Result<Option<Fresh>, Refusal> {
        let end = match verified {
            Some(verified) => own_time(verified, now)?,
            None => None,
        };
        let Some((signed_at, unit)) = self.signed_at(claim, verified, head, body)? else {
            return Ok(end.map(|until| Fresh { signed_at: None, until, _sealed: () }));
        };
        let tolerance = self.tolerance;
        let away_ms = now.0.abs_diff(signed_at.0);
        let is_near = |away_ms: u64| u128::from(away_ms) <= tolerance.as_millis();
        if is_near(away_ms) {
            let tolerance_ms = i64::try_from(tolerance.as_millis()).unwrap_or(i64::MAX);
            let last = UnixMs(signed_at.0.saturating_add(tolerance_ms));
            let until = end.map_or(last, |end| end.min(last));
            return Ok(Some(Fresh { signed_at: Some(signed_at), until, _sealed: () }));
        }
        let future = signed_at > now;
        let code = if future { Code::TimestampInFuture } else { Code::TimestampExpired };
        // Senders confuse the two, and the signature holds all the same.
        let (other, meant) = match unit {
            Unit::Seconds => (UnixMs(signed_at.0 / 1000), "milliseconds"),
            Unit::Milliseconds => (UnixMs::from_secs(signed_at.0), "seconds"),
            Unit::Rfc3339 | Unit::Rfc3339Utc => (signed_at, ""),
        };
        let meant = is_near(now.0.abs_diff(other.0)).then_some(meant);
        let (secs, allowed_secs) = (away_ms / 1000, tolerance.as_secs());
        let skew = Detail::Skew { secs, allowed_secs, future, meant };
        Err(Refusal { code, detail: skew, retry_after_secs: None })
    }

    /// The timestamp and its unit, if the scheme has one.
    fn signed_at(
        &self,
        claim: &Claim,
        verified: Option<&Verified>,
        head: Head<'_>,
        body: &[u8],
    ) -> Result<Option<(UnixMs, Unit)>, Refusal> {
        let group = self.groups.get(claim.group);
        let Some((source, unit)) = group.and_then(|group| group.timestamp.as_ref()) else {
            return Ok(None);
        };
        let known = claim.at.or_else(|| verified.and_then(|verified| verified.signed_at));
        if let Some(at) = known {
            return Ok(Some((at, *unit)));
        }
        if source.is_in_proof() && verified.is_none() {
            return Ok(None);
        }
        let looked = self.look_into(head, body);
        let at = read_time(source, *unit, &Message::new(head, body).with(&looked))?;
        Ok(Some((at, *unit)))
    }
}

/// Judges what the proof says of its own time; its end, if it has one.
fn own_time(verified: &Verified, now: UnixMs) -> Result<Option<UnixMs>, Refusal> {
    let refuse = |code, away_ms: i64, allowed_secs| {
        let secs = away_ms.unsigned_abs().div_ceil(1000);
        let future = code == Code::TimestampInFuture;
        let detail = Detail::Skew { secs, allowed_secs, future, meant: None };
        Err(Refusal { code, detail, retry_after_secs: None })
    };
    if let Some(end) = verified.expires_at.filter(|end| now >= *end) {
        return refuse(Code::TimestampExpired, now.0.saturating_sub(end.0), 0);
    }
    if let Some(begin) = verified.not_before {
        let ahead_ms = begin.0.saturating_sub(now.0);
        if u128::try_from(ahead_ms).is_ok_and(|ahead| ahead > SKEW.as_millis()) {
            return refuse(Code::TimestampInFuture, ahead_ms, SKEW.as_secs());
        }
    }
    Ok(verified.expires_at)
}
