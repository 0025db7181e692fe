//! `[fetch]`.

use std::time::Duration;

use super::{Context, keys};
use crate::config::{model::Fetch, raw};

pub(super) fn fetch(cx: &Context<'_>, raw: Option<&raw::Fetch>, ca_pem: Option<Vec<u8>>) -> Fetch {
    let none = raw::Fetch::default();
    let (raw, default) = (raw.unwrap_or(&none), Fetch::default());
    let key = format_args!("fetch.timeout");
    let bounds = (Duration::from_millis(100), Duration::from_secs(60));
    let timeout = keys::time(cx, key, raw.timeout, default.timeout, bounds);
    let key = format_args!("fetch.max_bytes");
    let bounds = (1 << 10, 64 << 20);
    let max_bytes = keys::size(cx, key, raw.max_bytes, default.max_bytes, bounds);
    if raw.cache.as_ref().is_some_and(|path| path.as_os_str().is_empty()) {
        cx.problems.error(format_args!("fetch.cache"), "no directory is named");
    }
    Fetch {
        allow_private: raw.allow_private.unwrap_or(default.allow_private),
        ca_pem,
        timeout,
        max_bytes,
        cache: raw.cache.as_deref().map(|path| cx.disk.resolve(path)),
    }
}
