//! Whether a signed time is near enough to now.

use std::time::Duration;

use super::{Claim, Scheme, claim::read_time};
use crate::{
    clock::UnixMs,
    decision::{Code, Detail, Refusal},
    verify::{Head, source::Message, time::Unit},
};

/// Exists only after a timestamp was found within the tolerance.
#[derive(Debug)]
#[expect(clippy::manual_non_exhaustive, reason = "not even the rest of this crate may make one")]
pub struct Fresh {
    /// The signed time.
    pub signed_at: UnixMs,
    /// The tolerance that was applied.
    pub tolerance: Duration,
    _sealed: (),
}

impl Scheme {
    /// Judges the timestamp; `None` where the scheme has none.
    ///
    /// # Errors
    ///
    /// Missing, malformed, too old, too far ahead. Exactly at the tolerance is near enough.
    pub fn judge_time(
        &self,
        claim: &Claim,
        head: Head<'_>,
        body: &[u8],
        now: UnixMs,
    ) -> Result<Option<Fresh>, Refusal> {
        let group = self.groups.get(claim.group);
        let Some((source, unit)) = group.and_then(|group| group.timestamp.as_ref()) else {
            return Ok(None);
        };
        let signed_at = match claim.at {
            Some(at) => at,
            None => {
                let json = self.look_into(head, body);
                read_time(source, *unit, &Message { head, body, json: json.as_deref() })?
            }
        };
        let tolerance = self.tolerance;
        let away_ms = now.0.abs_diff(signed_at.0);
        let is_near = |away_ms: u64| u128::from(away_ms) <= tolerance.as_millis();
        if is_near(away_ms) {
            return Ok(Some(Fresh { signed_at, tolerance, _sealed: () }));
        }
        let future = signed_at > now;
        let code = if future { Code::TimestampInFuture } else { Code::TimestampExpired };
        // Senders confuse the two, and the signature holds all the same.
        let (other, meant) = match unit {
            Unit::Seconds => (UnixMs(signed_at.0 / 1000), "milliseconds"),
            Unit::Milliseconds => (UnixMs::from_secs(signed_at.0), "seconds"),
            Unit::Rfc3339 => (signed_at, ""),
        };
        let meant = is_near(now.0.abs_diff(other.0)).then_some(meant);
        let (secs, allowed_secs) = (away_ms / 1000, tolerance.as_secs());
        let skew = Detail::Skew { secs, allowed_secs, future, meant };
        Err(Refusal { code, detail: skew, retry_after_secs: None })
    }
}
