//! Names, bounds and words from closed lists.

use std::{fmt, time::Duration};

use super::Context;
use crate::config::raw::{Size, Time};

/// A name that becomes a label: 1 to 128 of `[A-Za-z0-9._-]`.
pub(super) fn name(cx: &Context<'_>, key: fmt::Arguments<'_>, name: &str, what: &str) {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    if !(1..=128).contains(&name.len()) || !name.bytes().all(fits) {
        cx.problems.error(
            key,
            format_args!("a {what}'s name is 1 to 128 of A-Z, a-z, 0-9, \".\", \"_\" and \"-\""),
        );
    }
}

/// A duration within bounds, or the default.
pub(super) fn time(
    cx: &Context<'_>,
    key: fmt::Arguments<'_>,
    value: Option<Time>,
    default: Duration,
    (low, high): (Duration, Duration),
) -> Duration {
    let Some(Time(value)) = value else { return default };
    if !(low..=high).contains(&value) {
        cx.problems.error(
            key,
            format_args!(
                "{:?} is out of bounds; use {:?} to {:?}",
                Time::show(value),
                Time::show(low),
                Time::show(high)
            ),
        );
    }
    value
}

/// A size within bounds, or the default.
pub(super) fn size(
    cx: &Context<'_>,
    key: fmt::Arguments<'_>,
    value: Option<Size>,
    default: usize,
    (low, high): (u64, u64),
) -> usize {
    let Some(Size(value)) = value else { return default };
    if !(low..=high).contains(&value) {
        cx.problems.error(
            key,
            format_args!(
                "{:?} is out of bounds; use {:?} to {:?}",
                Size::show(value),
                Size::show(low),
                Size::show(high)
            ),
        );
    }
    usize::try_from(value).unwrap_or(usize::MAX)
}

/// A count from 1 on, or the default.
pub(super) fn count(
    cx: &Context<'_>,
    key: fmt::Arguments<'_>,
    value: Option<u64>,
    default: usize,
) -> usize {
    let Some(value) = value else { return default };
    if value == 0 {
        cx.problems.error(key, "0 would let nothing through; use 1 or more");
    }
    usize::try_from(value).unwrap_or(usize::MAX)
}
