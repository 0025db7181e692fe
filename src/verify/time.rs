//! Signed times: strict readings of what senders write.

use crate::clock::UnixMs;

/// How a provider writes its timestamps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Unix milliseconds.
    Milliseconds,
    /// RFC 3339.
    Rfc3339,
    /// RFC 3339, perhaps without an offset: then it is UTC.
    Rfc3339Utc,
    /// Unix seconds.
    #[default]
    Seconds,
}

impl Unit {
    /// The names of the language.
    pub(crate) const NAMES: &'static [&'static str] =
        &["seconds", "milliseconds", "rfc3339", "rfc3339-utc"];

    /// Reads a name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "seconds" => Self::Seconds,
            "milliseconds" => Self::Milliseconds,
            "rfc3339" => Self::Rfc3339,
            "rfc3339-utc" => Self::Rfc3339Utc,
            _ => return None,
        })
    }

    /// The number of digits that times of this unit have between 2001 and 2286.
    pub(crate) const fn width(self) -> Option<usize> {
        match self {
            Self::Seconds => Some(10),
            Self::Milliseconds => Some(13),
            Self::Rfc3339 | Self::Rfc3339Utc => None,
        }
    }

    /// Reads a timestamp; `None` for anything that is not exactly of the form.
    pub(crate) fn read(self, text: &[u8]) -> Option<UnixMs> {
        match self {
            Self::Seconds => digits(text).map(UnixMs::from_secs),
            Self::Milliseconds => digits(text).map(UnixMs),
            Self::Rfc3339 => rfc3339(text),
            Self::Rfc3339Utc => rfc3339(text).or_else(|| rfc3339(&[text, b"Z"].concat())),
        }
    }

    /// Writes a timestamp as the provider does.
    pub(crate) fn write(self, at: UnixMs) -> String {
        match self {
            Self::Seconds => at.secs().to_string(),
            Self::Milliseconds => at.0.to_string(),
            Self::Rfc3339 | Self::Rfc3339Utc => {
                let text = jiff::Timestamp::from_second(at.secs()).unwrap_or_default().to_string();
                let bare = text.strip_suffix('Z').filter(|_| self == Self::Rfc3339Utc);
                bare.map(ToOwned::to_owned).unwrap_or(text)
            }
        }
    }
}

/// ASCII digits without sign or leading zero, short enough that nothing overflows.
fn digits(text: &[u8]) -> Option<i64> {
    if !is_digits(text) || text.len() > 15 {
        return None;
    }
    text.iter().try_fold(0_i64, |n, b| Some(n * 10 + i64::from(b.checked_sub(b'0')?)))
}

/// Whether it is ASCII digits without sign or leading zero.
pub(crate) fn is_digits(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_digit)
        && (text == b"0" || text.first().is_some_and(|b| *b != b'0'))
}

/// `YYYY-MM-DDTHH:MM:SS[.f…](Z|±HH:MM)`, capital letters, no leap second.
///
/// No such text is a proper prefix or suffix of another, which templates rely on.
pub(crate) fn rfc3339(text: &[u8]) -> Option<UnixMs> {
    let (stamp, rest) = text.split_at_checked(19)?;
    let (fraction_ms, zone) = fraction(rest)?;
    let offset_min = match zone {
        b"Z" => 0,
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (two(*h1, *h2)?, two(*m1, *m2)?);
            let minutes = (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)?;
            if *sign == b'-' { -minutes } else { minutes }
        }
        _ => return None,
    };
    let [y1, y2, y3, y4, b'-', mo1, mo2, b'-', d1, d2, b'T', rest @ ..] = stamp else {
        return None;
    };
    let [h1, h2, b':', mi1, mi2, b':', s1, s2] = rest else { return None };
    let year = two(*y1, *y2)? * 100 + two(*y3, *y4)?;
    let (month, day) = (two(*mo1, *mo2)?, two(*d1, *d2)?);
    let (hour, minute, second) = (two(*h1, *h2)?, two(*mi1, *mi2)?, two(*s1, *s2)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let date = jiff::civil::Date::new(
        i16::try_from(year).ok()?,
        i8::try_from(month).ok()?,
        i8::try_from(day).ok()?,
    )
    .ok()?;
    let midnight = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second();
    let secs = midnight + hour * 3600 + minute * 60 + second - offset_min * 60;
    Some(UnixMs(secs * 1000 + fraction_ms))
}

/// Milliseconds of an optional fraction of at most nine digits, and what follows it.
fn fraction(rest: &[u8]) -> Option<(i64, &[u8])> {
    let Some(digits) = rest.strip_prefix(b".") else { return Some((0, rest)) };
    let len = digits.iter().take_while(|b| b.is_ascii_digit()).count();
    let (digits, zone) = digits.split_at_checked(len)?;
    if !(1..=9).contains(&len) {
        return None;
    }
    let ms = digits
        .iter()
        .chain(std::iter::repeat(&b'0'))
        .take(3)
        .fold(0, |n, b| n * 10 + i64::from(*b) - i64::from(b'0'));
    Some((ms, zone))
}

fn two(tens: u8, ones: u8) -> Option<i64> {
    (tens.is_ascii_digit() && ones.is_ascii_digit())
        .then(|| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
}

/// Whether it is a UUID in its usual form, lower or upper case.
pub(crate) fn is_uuid(text: &[u8]) -> bool {
    text.len() == 36
        && text.iter().enumerate().all(|(i, b)| match i {
            8 | 13 | 18 | 23 => *b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_strict() {
        assert_eq!(Unit::Seconds.read(b"1760000000"), Some(UnixMs(1_760_000_000_000)));
        assert_eq!(Unit::Milliseconds.read(b"1760000000123"), Some(UnixMs(1_760_000_000_123)));
        assert_eq!(Unit::Seconds.read(b"0"), Some(UnixMs(0)));
        let long = [b'9'; 16];
        for bad in ["", "-1", "+1", "01", "1.5", " 1", "1 ", "1e3", "0x1", "\u{661}"] {
            assert_eq!(Unit::Seconds.read(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(Unit::Seconds.read(&long), None);
    }

    #[test]
    fn rfc3339_is_strict() {
        let at = |text: &str| rfc3339(text.as_bytes()).map(|t| t.0);
        assert_eq!(at("2025-10-09T08:53:20Z"), Some(1_760_000_000_000));
        assert_eq!(at("2025-10-09T10:53:20+02:00"), Some(1_760_000_000_000));
        assert_eq!(at("2025-10-09T08:53:20.634234626Z"), Some(1_760_000_000_634));
        assert_eq!(at("2024-02-29T00:00:00-00:30"), Some(1_709_166_600_000));
        for bad in [
            "",
            "2025-10-09",
            "2025-10-09T08:53:20",
            "2025-10-09t08:53:20Z",
            "2025-10-09 08:53:20Z",
            "2025-10-09T08:53:20z",
            "2025-10-09T08:53:60Z",
            "2025-10-09T24:00:00Z",
            "2025-02-29T00:00:00Z",
            "2025-10-09T08:53:20.Z",
            "2025-10-09T08:53:20.1234567890Z",
            "2025-10-09T08:53:20+0200",
            "2025-10-09T08:53:20+24:00",
            "2025-10-09T08:53:20ZZ",
            "+025-10-09T08:53:20Z",
        ] {
            assert_eq!(at(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_missing_offset_may_mean_utc() {
        let at = |text: &str| Unit::Rfc3339Utc.read(text.as_bytes()).map(|t| t.0);
        assert_eq!(at("2025-10-09T08:53:20"), Some(1_760_000_000_000));
        assert_eq!(at("2025-10-09T08:53:20.634234"), Some(1_760_000_000_634));
        assert_eq!(at("2025-10-09T08:53:20Z"), Some(1_760_000_000_000));
        assert_eq!(at("2025-10-09T10:53:20+02:00"), Some(1_760_000_000_000));
        for bad in ["", "2025-10-09", "2025-10-09T08:53", "2025-10-09T08:53:20.", "1760000000"] {
            assert_eq!(at(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        for unit in [Unit::Seconds, Unit::Milliseconds, Unit::Rfc3339, Unit::Rfc3339Utc] {
            let at = UnixMs::from_secs(1_760_000_000);
            assert_eq!(unit.read(unit.write(at).as_bytes()), Some(at));
        }
    }
}
