//! `upstream`, in either form.

use std::{collections::BTreeMap, time::Duration};

use http::{HeaderName, HeaderValue, StatusCode, Uri, uri::Scheme};

use super::{Context, keys};
use crate::{
    config::{
        material::RouteMaterial,
        model::{Health, Target, Upstream},
        quoted, raw,
    },
    upstream::parse_url,
};

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(20);
/// What a provider's deadline leaves for the way to us and back.
const MARGIN: Duration = Duration::from_millis(500);
const TIMES: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(3600));

/// `None` only if a problem was reported.
pub(super) fn upstream(
    cx: &Context<'_>,
    route: &str,
    raw: Option<&raw::Upstream>,
    deadline: Option<Duration>,
    own: &RouteMaterial,
) -> Option<Upstream> {
    let base = format!("routes.{route}.upstream");
    let Some(raw) = raw else {
        let example = "upstream = \"http://127.0.0.1:3000/hooks\"";
        cx.problems.missing(format_args!("{base}"), "where deliveries go", example);
        return None;
    };
    let table = &raw.table;
    let time = |name: &str, value, default| {
        keys::time(cx, format_args!("{base}.{name}"), value, default, TIMES)
    };
    if table.sign.as_ref().is_some_and(|sign| sign.secrets.as_ref().is_none_or(Vec::is_empty)) {
        let example = "sign = { secrets = [{ env = \"INNER_SECRET\" }] }";
        let key = format_args!("{base}.sign.secrets");
        cx.problems.missing(key, "what to sign with", example);
    }
    Some(Upstream {
        targets: targets(cx, &base, raw),
        timeout: time("timeout", table.timeout, default_timeout(deadline)),
        connect_timeout: time("connect_timeout", table.connect_timeout, Duration::from_secs(2)),
        idle_timeout: time("idle_timeout", table.idle_timeout, Duration::from_secs(4)),
        health: table.health.as_ref().and_then(|health| self::health(cx, &base, health)),
        headers: headers(cx, &base, table.headers.as_ref()),
        map_status: map_status(cx, &base, table.map_status.as_ref()),
        sign: own.sign.clone(),
        ca_pem: own.ca_pem.clone(),
    })
}

/// The provider's deadline less half a second, else 20 s.
pub(super) fn default_timeout(deadline: Option<Duration>) -> Duration {
    deadline.and_then(|d| d.checked_sub(MARGIN)).filter(|t| !t.is_zero()).unwrap_or(DEFAULT_TIMEOUT)
}

fn targets(cx: &Context<'_>, base: &str, raw: &raw::Upstream) -> Vec<Target> {
    let urls = raw.table.urls.as_deref().unwrap_or_default();
    if urls.is_empty() {
        let example = "urls = [\"http://127.0.0.1:3000/hooks\"]";
        cx.problems.missing(format_args!("{base}.urls"), "where deliveries go", example);
    }
    let mut out = Vec::with_capacity(urls.len());
    for (number, url) in urls.iter().enumerate() {
        match target(url) {
            Ok(target) if out.contains(&target) => {
                cx.problems.error(format_args!("{base}.urls[{number}]"), "the URL is there twice");
            }
            Ok(target) => out.push(target),
            Err(why) if raw.is_string => cx.problems.error(format_args!("{base}"), why),
            Err(why) => cx.problems.error(format_args!("{base}.urls[{number}]"), why),
        }
    }
    out
}

/// Reads an upstream's URL; the text of an error does not repeat it, for it may hold a password.
fn target(text: &str) -> Result<Target, &'static str> {
    if text == "builtin:echo" {
        return Ok(Target::Echo);
    }
    if text.starts_with("builtin:") {
        return Err("there is only \"builtin:echo\"");
    }
    if text.contains('#') {
        return Err("a URL with a fragment; leave \"#\" and what follows away");
    }
    let uri: Uri = text.parse().map_err(|_| "no URL such as \"http://127.0.0.1:3000/hooks\"")?;
    if uri.scheme() != Some(&Scheme::HTTP) && uri.scheme() != Some(&Scheme::HTTPS) {
        return Err("a URL begins with \"http://\" or \"https://\"");
    }
    let authority = uri.authority().ok_or("the URL names no host")?;
    if authority.as_str().contains('@') {
        return Err("a URL must hold no user name or password; set a header in `headers`");
    }
    if authority.host().is_empty() {
        return Err("the URL names no host");
    }
    let port = authority.as_str().strip_prefix(authority.host()).unwrap_or_default();
    if !port.is_empty() && authority.port_u16().is_none_or(|port| port == 0) {
        return Err("the URL's port is none");
    }
    if uri.query().is_some() {
        return Err("a URL with a query; the sender's is passed on");
    }
    if uri.path().contains(['*', '{', '}']) {
        return Err("a URL with a pattern; what the route's \"*\" stood for is appended by itself");
    }
    // Read once more, so that a URL without a path stays one.
    parse_url(text).map(Target::Url).ok_or("no URL such as \"http://127.0.0.1:3000/hooks\"")
}

fn health(cx: &Context<'_>, base: &str, raw: &raw::Health) -> Option<Health> {
    let key = format_args!("{base}.health.path");
    let path = match raw.path.as_deref() {
        None => {
            cx.problems.missing(key, "what is asked", "health = { path = \"/healthz\" }");
            None
        }
        Some(path) => {
            let is_path = path.starts_with('/') && !path.contains('#');
            if !is_path || path.parse::<http::uri::PathAndQuery>().is_err() {
                cx.problems.error(key, format_args!("{path:?} is no path"));
            }
            Some(path.to_owned())
        }
    };
    let key = format_args!("{base}.health.interval");
    let bounds = (Duration::from_millis(100), Duration::from_secs(3600));
    let interval = keys::time(cx, key, raw.interval, Duration::from_secs(5), bounds);
    Some(Health { path: path?, interval })
}

/// Headers that belong to the connection or to us.
const RESERVED: &[&str] = &[
    "connection",
    "content-length",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-request-id",
];

fn headers(
    cx: &Context<'_>,
    base: &str,
    raw: Option<&BTreeMap<String, String>>,
) -> Vec<(HeaderName, HeaderValue)> {
    let mut out: Vec<(HeaderName, HeaderValue)> = Vec::new();
    for (name, value) in raw.into_iter().flatten() {
        let key = format!("{base}.headers.{}", quoted(name));
        let key = format_args!("{key}");
        let Ok(header) = HeaderName::try_from(name.as_str()) else {
            cx.problems.error(key, format_args!("{name:?} is no header name"));
            continue;
        };
        let plain = header.as_str().replace('_', "-");
        if RESERVED.contains(&plain.as_str()) || plain.starts_with("hookward-") {
            cx.problems.error(key, "the gateway sets this header itself");
        }
        if out.iter().any(|(other, _)| *other == header) {
            cx.problems.error(key, "the header is there twice, in another spelling");
        }
        match HeaderValue::try_from(value.as_str()) {
            Ok(mut value) => {
                // It may be a credential of the receiver's.
                value.set_sensitive(true);
                out.push((header, value));
            }
            Err(_) => cx.problems.error(key, "the value has a character that no header may have"),
        }
    }
    out
}

fn map_status(
    cx: &Context<'_>,
    base: &str,
    raw: Option<&BTreeMap<String, u16>>,
) -> BTreeMap<u16, StatusCode> {
    let mut out = BTreeMap::new();
    for (from, to) in raw.into_iter().flatten() {
        let key = format!("{base}.map_status.{}", quoted(from));
        let key = format_args!("{key}");
        let Some(statuses) = statuses(from) else {
            let why =
                format_args!("{from:?} is no status from 200 to 599, nor \"4xx\"").to_string();
            cx.problems.error(key, why);
            continue;
        };
        let target = StatusCode::from_u16(*to).ok().filter(|s| (200..600).contains(&s.as_u16()));
        let Some(target) = target else {
            cx.problems.error(key, format_args!("{to} is no status from 200 to 599"));
            continue;
        };
        if target.is_success() && !(200..300).contains(statuses.start()) {
            cx.problems.error(key, "a failed delivery must not look like a made one");
            continue;
        }
        let is_class = statuses.start() != statuses.end();
        for status in statuses {
            // A status that is written itself is not what its class is.
            if !is_class || raw.is_some_and(|raw| !raw.contains_key(&status.to_string())) {
                out.insert(status, target);
            }
        }
    }
    out
}

/// The statuses that `"410"` or `"4xx"` means.
fn statuses(text: &str) -> Option<std::ops::RangeInclusive<u16>> {
    let status = |text: &str| text.parse::<u16>().ok().filter(|s| (200..600).contains(s));
    match text.strip_suffix("xx") {
        Some(class) => {
            let first = status(&format!("{class}00")).filter(|_| class.len() == 1)?;
            Some(first..=first + 99)
        }
        None => status(text).filter(|_| text.len() == 3).map(|status| status..=status),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        for good in ["http://h", "https://h:8443/a/b/", "http://[::1]:80", "http://10.0.0.1:3000/x"]
        {
            assert!(matches!(target(good), Ok(Target::Url(_))), "{good}");
        }
        assert_eq!(target("builtin:echo"), Ok(Target::Echo));
        for bad in [
            "",
            "h",
            "h:80",
            "/x",
            "ftp://h",
            "http://",
            "http://:80",
            "http://a@h/",
            "http://u:p@h",
            "http://h?x",
            "http://h/x?y=1",
            "http://h/#f",
            "http://h/*",
            "http://h/{a}",
            "http://h:/",
            "http://h:0",
            "http://h:99999",
            "http://h x/",
            "builtin:other",
            "unix:/run/x",
        ] {
            assert!(target(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_timeout_leaves_half_a_second() {
        assert_eq!(default_timeout(None), Duration::from_secs(20));
        let ten = Some(Duration::from_secs(10));
        assert_eq!(default_timeout(ten), Duration::from_millis(9500));
        assert_eq!(default_timeout(Some(Duration::from_millis(400))), Duration::from_secs(20));
    }
}
