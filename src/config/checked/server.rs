//! `[server]`, `[admin]` and `[log]`.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
};

use tracing_subscriber::EnvFilter;

use super::{Context, address, limits, path};
use crate::config::{
    model::{Admin, AuditSink, Certificate, Log, ProxyProtocol, Server},
    raw,
};

/// `None` only if a problem was reported.
pub(super) fn server(
    cx: &Context<'_>,
    raw: Option<&raw::Server>,
    tls: Vec<Certificate>,
) -> Option<Server> {
    let none = raw::Server::default();
    let raw = raw.unwrap_or(&none);
    let key = format_args!("server.listen");
    let listen = raw.listen.as_deref().unwrap_or_default();
    if listen.is_empty() {
        cx.problems.missing(key, "where to listen", "listen = [\"127.0.0.1:8080\"]");
    }
    let listen = addresses(cx, "server.listen", listen);
    let trusted = raw.trusted_proxies.as_deref().unwrap_or_default();
    let key = format_args!("server.trusted_proxies");
    let trusted_proxies = address::networks(cx, key, trusted);
    let proxy_protocol = raw.proxy_protocol.unwrap_or_default();
    if proxy_protocol == ProxyProtocol::Required && trusted.is_empty() {
        cx.problems.error_try(
            format_args!("server.proxy_protocol"),
            "every connection would be closed: a PROXY header is taken from trusted_proxies only",
            "trusted_proxies = [\"10.0.0.0/8\"]   # your load balancer",
        );
    }
    let limits = limits::limits(cx, raw.limits.as_ref());
    if limits.connections_per_source > limits.connections && raw.limits.is_some() {
        let written = raw.limits.as_ref().is_some_and(|l| l.connections_per_source.is_some());
        if written {
            let key = format_args!("server.limits.connections_per_source");
            cx.problems.error(key, "one source may not have more connections than there are");
        }
    }
    Some(Server {
        listen,
        tls,
        answers: raw.answers.unwrap_or_default(),
        trusted_proxies,
        proxy_protocol,
        limits,
    })
}

pub(super) fn admin(cx: &Context<'_>, raw: &raw::Admin) -> Admin {
    let key = format_args!("admin.listen");
    let hosts = raw.hosts.iter().flatten().enumerate();
    Admin {
        listen: raw.listen.as_deref().and_then(|text| address::socket(cx, key, text)),
        hosts: hosts
            .filter_map(|(n, host)| path::host(cx, format_args!("admin.hosts[{n}]"), host))
            .collect(),
        probes: addresses(cx, "admin.probes", raw.probes.as_deref().unwrap_or_default()),
    }
}

fn addresses(cx: &Context<'_>, key: &str, texts: &[String]) -> Vec<SocketAddr> {
    let texts = texts.iter().enumerate();
    texts.filter_map(|(n, text)| address::socket(cx, format_args!("{key}[{n}]"), text)).collect()
}

/// Two listeners on one address would be a start that fails.
pub(super) fn no_address_twice(
    cx: &Context<'_>,
    server: Option<&raw::Server>,
    admin: Option<&raw::Admin>,
) {
    let listen = server.and_then(|server| server.listen.as_deref()).unwrap_or_default();
    let listen = listen.iter().enumerate().map(|(n, text)| (text, format!("server.listen[{n}]")));
    let admins = admin.and_then(|admin| admin.listen.as_ref());
    let admins = admins.iter().map(|text| (*text, "admin.listen".to_owned()));
    let probes = admin.and_then(|admin| admin.probes.as_deref()).unwrap_or_default();
    let probes = probes.iter().enumerate().map(|(n, text)| (text, format!("admin.probes[{n}]")));
    let mut by_port: HashMap<u16, Vec<(IpAddr, String)>> = HashMap::new();
    for (text, key) in listen.chain(admins).chain(probes) {
        let Ok(address) = text.parse::<SocketAddr>() else { continue };
        // Port 0 is a new one each time.
        if address.port() == 0 {
            continue;
        }
        let taken = by_port.entry(address.port()).or_default();
        if let Some((_, first)) = taken.iter().find(|(ip, _)| overlap(*ip, address.ip())) {
            cx.problems.error(format_args!("{key}"), format_args!("{text} is taken by {first}"));
        }
        taken.push((address.ip(), key));
    }
}

/// Whether listening on both with one port would fail.
const fn overlap(one: IpAddr, other: IpAddr) -> bool {
    match (one, other) {
        (IpAddr::V4(a), IpAddr::V4(b)) => {
            a.to_bits() == b.to_bits() || a.is_unspecified() || b.is_unspecified()
        }
        (IpAddr::V6(a), IpAddr::V6(b)) => {
            a.to_bits() == b.to_bits() || a.is_unspecified() || b.is_unspecified()
        }
        _ => false,
    }
}

pub(super) fn log(cx: &Context<'_>, raw: Option<&raw::Log>) -> Log {
    let none = raw::Log::default();
    let raw = raw.unwrap_or(&none);
    let level = raw.level.as_deref().unwrap_or("info");
    let is_word = !level.contains(['=', ',', '[']);
    if is_word && !LEVELS.contains(&level) {
        cx.problems.unknown(format_args!("log.level"), "level", level, LEVELS.iter().copied());
    } else if let Err(error) = EnvFilter::builder().parse(level) {
        cx.problems.error(format_args!("log.level"), error);
    }
    let audit = match raw.audit.as_deref() {
        None => None,
        Some("-") => Some(AuditSink::Stdout),
        Some(path) if path.trim().is_empty() => {
            cx.problems.error_try(
                format_args!("log.audit"),
                "no file is named",
                "audit = \"audit.jsonl\"   # or \"-\" for standard output",
            );
            None
        }
        Some(path) => Some(AuditSink::File(cx.disk.resolve(path.as_ref()))),
    };
    Log { format: raw.format.unwrap_or_default(), level: level.to_owned(), audit }
}

const LEVELS: &[&str] = &["error", "warn", "info", "debug", "trace", "off"];
