//! How long an answer may be used before it is asked for again.

use std::time::Duration;

use http::{
    HeaderMap, HeaderName,
    header::{AGE, CACHE_CONTROL, DATE, EXPIRES},
};
use jiff::fmt::rfc2822;

/// However short-lived an answer says it is.
pub(super) const FLOOR: Duration = Duration::from_secs(5 * 60);
/// However long-lived an answer says it is.
pub(super) const CEILING: Duration = Duration::from_secs(24 * 3600);
/// Where an answer says nothing.
const UNSAID: Duration = Duration::from_secs(3600);

/// The lifetime by `Cache-Control` and `Age`, else by `Expires` and `Date` (RFC 9111 section 4.2),
/// between floor and ceiling.
pub(super) fn of(headers: &HeaderMap) -> Duration {
    let said = by_cache_control(headers).or_else(|| by_expires(headers));
    said.unwrap_or(UNSAID).clamp(FLOOR, CEILING)
}

fn by_cache_control(headers: &HeaderMap) -> Option<Duration> {
    let lines = headers.get_all(CACHE_CONTROL).iter().filter_map(|line| line.to_str().ok());
    // Of several, the shortest.
    let shortest = lines.flat_map(|line| line.split(',')).filter_map(directive).min()?;
    let age = text(headers, &AGE).and_then(|age| age.trim().parse().ok()).unwrap_or(0);
    Some(Duration::from_secs(shortest.saturating_sub(age)))
}

/// What one directive says, in seconds.
fn directive(text: &str) -> Option<u64> {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    let name = name.trim();
    if name.eq_ignore_ascii_case("no-store") || name.eq_ignore_ascii_case("no-cache") {
        return Some(0);
    }
    if !name.eq_ignore_ascii_case("max-age") {
        return None;
    }
    // What is no number is taken for the shortest.
    Some(value.trim().trim_matches('"').parse().unwrap_or(0))
}

fn by_expires(headers: &HeaderMap) -> Option<Duration> {
    let time =
        |name| rfc2822::parse(text(headers, &name)?).ok().map(|at| at.timestamp().as_second());
    let left = time(EXPIRES)?.checked_sub(time(DATE)?)?;
    Some(Duration::from_secs(u64::try_from(left).unwrap_or(0)))
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(lines: &[(HeaderName, &str)]) -> u64 {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(name, value.parse().unwrap());
        }
        of(&headers).as_secs()
    }

    #[test]
    fn what_is_said_counts_within_bounds() {
        assert_eq!(secs(&[]), 3600);
        assert_eq!(secs(&[(CACHE_CONTROL, "public, max-age=1800, must-revalidate")]), 1800);
        assert_eq!(secs(&[(CACHE_CONTROL, "Max-Age=\"1800\"")]), 1800);
        assert_eq!(secs(&[(CACHE_CONTROL, "max-age=1800"), (AGE, "600")]), 1200);
        assert_eq!(secs(&[(CACHE_CONTROL, "max-age=7200"), (CACHE_CONTROL, "max-age=1800")]), 1800);
        for short in ["max-age=0", "no-store", "no-cache, max-age=7200", "max-age=x", "max-age=-1"]
        {
            assert_eq!(secs(&[(CACHE_CONTROL, short)]), 300, "{short}");
        }
        assert_eq!(secs(&[(CACHE_CONTROL, "max-age=99999999999")]), 86_400);
        assert_eq!(secs(&[(CACHE_CONTROL, "private")]), 3600);
    }

    #[test]
    fn expires_counts_where_cache_control_is_silent() {
        let date = (DATE, "Sun, 06 Nov 1994 08:00:00 GMT");
        let expires = |at| (EXPIRES, at);
        assert_eq!(secs(&[date.clone(), expires("Sun, 06 Nov 1994 08:30:00 GMT")]), 1800);
        assert_eq!(secs(&[date.clone(), expires("Sun, 06 Nov 1994 07:30:00 GMT")]), 300);
        assert_eq!(secs(&[date.clone(), expires("0")]), 3600);
        assert_eq!(secs(&[expires("Sun, 06 Nov 1994 08:30:00 GMT")]), 3600);
        let both = [date, expires("Sun, 06 Nov 1994 20:00:00 GMT"), (CACHE_CONTROL, "max-age=600")];
        assert_eq!(secs(&both), 600);
    }
}
