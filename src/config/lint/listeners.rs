//! Who may connect, who is believed, and where the gateway would call itself.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use http::Uri;

use super::{Context, Finding, route_key};
use crate::config::model::{Config, Target};
use crate::net::breadth::cover_half;

pub(super) fn lint(cx: &mut Context<'_>) {
    trusted_proxies(cx);
    upstreams(cx);
    echo(cx);
}

fn trusted_proxies(cx: &mut Context<'_>) {
    if !cover_half(&cx.loaded.config.server.trusted_proxies) {
        return;
    }
    let problem = cx
        .problem(
            Finding::TrustsEverybody,
            "server.trusted_proxies",
            "trusted_proxies trust everybody",
        )
        .detail("anybody can claim any address, and HTTPS, in a header")
        .suggest("trusted_proxies = [\"10.244.0.0/16\"]   # only the proxies in front of it");
    cx.found.push(problem);
}

fn upstreams(cx: &mut Context<'_>) {
    let own = own_listeners(&cx.loaded.config);
    for route in cx.routes() {
        for target in &route.upstream.targets {
            let Target::Url(url) = target else { continue };
            let Some(listener) = own.iter().find(|listener| is_same(url, **listener)) else {
                continue;
            };
            let problem = cx
                .problem(
                    Finding::UpstreamIsSelf,
                    &route_key(route, "upstream.urls"),
                    format!("the upstream {} is this gateway's own listener", authority(url)),
                )
                .detail(format!("it listens on {listener}: every delivery would go round"));
            cx.found.push(problem);
        }
    }
}

fn own_listeners(config: &Config) -> Vec<SocketAddr> {
    let admin = config.admin.iter().flat_map(|admin| admin.listen.iter().chain(&admin.probes));
    config.server.listen.iter().chain(admin).copied().collect()
}

fn authority(url: &Uri) -> &str {
    url.authority().map_or("", http::uri::Authority::as_str)
}

/// Whether connecting to the URL ends at the listener.
pub(crate) fn is_same(url: &Uri, listener: SocketAddr) -> bool {
    let default = if url.scheme_str() == Some("https") { 443 } else { 80 };
    let port = url.port_u16().unwrap_or(default);
    let Some(host) = url.host().filter(|_| port == listener.port()) else { return false };
    let listens_on = listener.ip().to_canonical();
    let host = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
    if host.eq_ignore_ascii_case("localhost") || host.to_ascii_lowercase().ends_with(".localhost") {
        return listens_on.is_unspecified() || listens_on.is_loopback();
    }
    let Ok(address) = host.parse::<IpAddr>() else { return false };
    // Connecting to the unspecified address reaches the machine itself.
    let address = match address.to_canonical() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        other => other,
    };
    match listens_on {
        IpAddr::V4(ip) if ip.is_unspecified() => address.is_loopback() && address.is_ipv4(),
        // A socket on [::] takes IPv4 too on most systems.
        IpAddr::V6(ip) if ip.is_unspecified() => address.is_loopback(),
        other => address == other,
    }
}

fn echo(cx: &mut Context<'_>) {
    let server = &cx.loaded.config.server;
    let exposed = |listener: &&SocketAddr| !listener.ip().to_canonical().is_loopback();
    let Some(listener) = server.listen.iter().find(exposed) else { return };
    for route in cx.routes() {
        if !route.upstream.targets.contains(&Target::Echo) {
            continue;
        }
        let problem = cx
            .problem(
                Finding::EchoExposed,
                &route_key(route, "upstream"),
                "builtin:echo is for trying things out on loopback only",
            )
            .detail(format!("the gateway listens on {listener}, where others can reach it"))
            .suggest("listen = [\"127.0.0.1:8080\"], or the URL of a real receiver");
        cx.found.push(problem);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(url: &str, listener: &str) -> bool {
        is_same(&url.parse().unwrap(), listener.parse().unwrap())
    }

    #[test]
    fn the_gateway_knows_itself_in_every_spelling() {
        for (url, listener) in [
            ("http://127.0.0.1:8080/x", "127.0.0.1:8080"),
            ("http://127.0.0.1:8080", "0.0.0.0:8080"),
            ("http://127.9.9.9:8080", "0.0.0.0:8080"),
            ("http://localhost:8080", "127.0.0.1:8080"),
            ("http://LocalHost.:8080", "0.0.0.0:8080"),
            ("http://a.localhost:8080", "[::1]:8080"),
            ("http://0.0.0.0:8080", "127.0.0.1:8080"),
            ("http://[::]:8080", "[::1]:8080"),
            ("http://[::1]:8080", "[::]:8080"),
            ("http://127.0.0.1:8080", "[::]:8080"),
            ("http://[::ffff:127.0.0.1]:8080", "127.0.0.1:8080"),
            ("http://127.0.0.1", "0.0.0.0:80"),
            ("https://10.0.0.1", "10.0.0.1:443"),
        ] {
            assert!(same(url, listener), "{url} {listener}");
        }
    }

    #[test]
    fn others_are_others() {
        for (url, listener) in [
            ("http://127.0.0.1:8081", "127.0.0.1:8080"),
            ("http://10.0.0.1:8080", "127.0.0.1:8080"),
            ("http://10.0.0.1:8080", "0.0.0.0:8080"),
            ("http://[::1]:8080", "0.0.0.0:8080"),
            ("http://localhost:8080", "10.0.0.1:8080"),
            ("http://notlocalhost:8080", "127.0.0.1:8080"),
            ("http://127.0.0.1", "127.0.0.1:443"),
        ] {
            assert!(!same(url, listener), "{url} {listener}");
        }
    }
}
