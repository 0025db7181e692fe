//! `[routes.X.rate_limit]`.

use std::num::NonZeroU32;

use super::Context;
use crate::config::{
    model::{Quota, RateLimits},
    raw,
};

pub(super) fn rates(cx: &Context<'_>, route: &str, raw: Option<&raw::RateLimit>) -> RateLimits {
    let Some(raw) = raw else { return RateLimits::default() };
    RateLimits {
        per_source: quota(cx, route, "per_source", raw.per_source.as_ref()),
        failures: quota(cx, route, "failures", raw.failures.as_ref()),
        per_route: quota(cx, route, "per_route", raw.per_route.as_ref()),
    }
}

fn quota(cx: &Context<'_>, route: &str, name: &str, raw: Option<&raw::Quota>) -> Option<Quota> {
    let raw = raw?;
    let Some(rate) = raw.rate else {
        let key = format_args!("routes.{route}.rate_limit.{name}.rate");
        cx.problems.missing(key, "how many in which time", "{ rate = \"100/1m\", burst = 50 }");
        return None;
    };
    let burst = raw.burst.map(NonZeroU32::new);
    if burst == Some(None) {
        let key = format_args!("routes.{route}.rate_limit.{name}.burst");
        cx.problems.error(key, "0 would let nothing through; use 1 or more");
    }
    Some(Quota { count: rate.count, per: rate.per, burst: burst.flatten().unwrap_or(rate.count) })
}
