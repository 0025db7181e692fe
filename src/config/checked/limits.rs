//! `[server.limits]`.

use std::time::Duration;

use super::{Context, keys, memory};
use crate::config::{model::Limits, raw};

const MIB: u64 = 1 << 20;
const HOUR: Duration = Duration::from_secs(3600);

pub(super) fn limits(cx: &Context<'_>, raw: Option<&raw::Limits>) -> Limits {
    let none = raw::Limits::default();
    let raw = raw.unwrap_or(&none);
    let time = |name: &str, value, default_secs, low_ms| {
        let bounds = (Duration::from_millis(low_ms), HOUR);
        let default = Duration::from_secs(default_secs);
        keys::time(cx, format_args!("server.limits.{name}"), value, default, bounds)
    };
    let count = |name: &str, value, default| {
        keys::count(cx, format_args!("server.limits.{name}"), value, default)
    };
    Limits {
        connections: count("connections", raw.connections, 10_000),
        connections_per_source: count("connections_per_source", raw.connections_per_source, 256),
        header_bytes: keys::size(
            cx,
            format_args!("server.limits.header_bytes"),
            raw.header_bytes,
            32 << 10,
            (1 << 10, MIB),
        ),
        header_timeout: time("header_timeout", raw.header_timeout, 10, 100),
        body_timeout: time("body_timeout", raw.body_timeout, 15, 100),
        idle_timeout: time("idle_timeout", raw.idle_timeout, 75, 100),
        body_memory: keys::size(
            cx,
            format_args!("server.limits.body_memory"),
            raw.body_memory,
            memory::default_body_memory(),
            (64 << 10, 1 << 40),
        ),
        shutdown_grace: time("shutdown_grace", raw.shutdown_grace, 30, 0),
    }
}
