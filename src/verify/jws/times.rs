//! The times of a token's payload (RFC 7519, section 4.1.4 to 4.1.6).

use serde_json::Value;

use crate::{
    clock::UnixMs,
    decision::{Code, Refusal},
    verify::json::parse_strict,
};

/// When a token holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Times {
    /// From this instant on it no longer holds.
    pub(crate) exp: Option<UnixMs>,
    /// Before this instant it does not hold yet.
    pub(crate) nbf: Option<UnixMs>,
    /// When it was made.
    pub(crate) iat: Option<UnixMs>,
}

/// Why a payload's times cannot be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotTimely {
    /// The payload is no JSON object that all readers read alike.
    NoClaims,
    /// This claim is no whole number of seconds.
    NoTime(&'static str),
}

impl From<NotTimely> for Refusal {
    fn from(problem: NotTimely) -> Self {
        match problem {
            NotTimely::NoClaims => Self::new(
                Code::SignatureMalformed,
                "the token's payload is no JSON object, or has a member twice",
            ),
            NotTimely::NoTime(what) => Self::new(Code::TimestampMalformed, what),
        }
    }
}

/// The last second of the year 9999: what lies beyond is no time that anybody meant.
const LAST: i64 = 253_402_300_799;

/// Reads the times of a verified token's payload, and refuses a payload that is no object or that
/// two readers could read differently.
///
/// # Errors
///
/// A time that is anything but a whole, positive number. Libraries that compare `"99999999999"` as
/// text, or round a float, have let tokens live forever.
pub(crate) fn times(payload: &[u8]) -> Result<Times, NotTimely> {
    let Ok(Value::Object(claims)) = parse_strict(payload) else { return Err(NotTimely::NoClaims) };
    let time = |name: &str, what: &'static str| match claims.get(name) {
        None => Ok(None),
        Some(Value::Number(number)) => number
            .as_i64()
            .filter(|secs| (0..=LAST).contains(secs))
            .map(|secs| Some(UnixMs::from_secs(secs)))
            .ok_or(NotTimely::NoTime(what)),
        Some(_) => Err(NotTimely::NoTime(what)),
    };
    Ok(Times {
        exp: time("exp", "the token's `exp` is no whole number of seconds")?,
        nbf: time("nbf", "the token's `nbf` is no whole number of seconds")?,
        iat: time("iat", "the token's `iat` is no whole number of seconds")?,
    })
}
