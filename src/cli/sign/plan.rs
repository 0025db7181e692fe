//! What to sign with, and where to send it.

use std::{net::SocketAddr, path::Path, sync::Arc};

use super::Args;
use crate::{
    cli::{providers::unknown, secret_arg, style::one_line},
    clock::UnixMs,
    config::{
        self, LoadOptions, Severity,
        model::{Route, Server},
    },
    providers,
    verify::{Definition, Scheme, SchemeOptions, Secret},
};

/// What to sign with, and where to send it.
pub(super) struct Plan {
    pub(super) definition: Arc<Definition>,
    pub(super) scheme: Arc<Scheme>,
    pub(super) secrets: Vec<Secret>,
    pub(super) url: String,
    /// The host to ask for, if it is not the URL's.
    pub(super) host: Option<String>,
}

impl Plan {
    /// A built-in provider and the secrets of the call.
    ///
    /// # Errors
    ///
    /// What is wrong with the call.
    pub(super) fn for_provider(name: &str, args: &Args) -> Result<Self, String> {
        let definition = Arc::clone(providers::builtin(name).ok_or_else(|| unknown(name))?);
        let secrets = said(args)?;
        let url = args.url.clone().unwrap_or_else(|| format!("http://127.0.0.1:8080/{name}"));
        let mut options = SchemeOptions::default();
        if definition.expect.contains_key("url") {
            options.expect.insert("url".to_owned(), url.clone());
        }
        for pair in &args.expect {
            let (key, value) = pair
                .split_once('=')
                .ok_or_else(|| format!("`{pair}` is not of the form KEY=VALUE"))?;
            options.expect.insert(key.to_owned(), value.to_owned());
        }
        let scheme = Scheme::compile(&definition, &options)
            .map_err(|problems| format!("{name}: {}", problems.join("; ")))?;
        Ok(Self { definition, scheme: Arc::new(scheme), secrets, url, host: None })
    }

    /// A route of a configuration.
    ///
    /// # Errors
    ///
    /// What is wrong with the configuration, or that it has no such route.
    pub(super) fn for_route(
        path: &Path,
        name: &str,
        args: &Args,
        now: UnixMs,
    ) -> Result<Self, String> {
        let loaded = config::load(path, &LoadOptions::new(now)).map_err(|problems| {
            let errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
            let first = errors.clone().next().map(|problem| problem.message.as_str());
            format!(
                "{} has {} error(s), the first: {}; see `hookward check -c {}`",
                path.display(),
                errors.count(),
                first.unwrap_or_default(),
                path.display()
            )
        })?;
        let config = loaded.config;
        let Some(route) = config.routes.iter().find(|route| *route.name == *name) else {
            let names: Vec<_> = config.routes.iter().map(|route| &*route.name).collect();
            return Err(format!(
                "there is no route \"{}\"; there is {}",
                one_line(name),
                names.join(", ")
            ));
        };
        let url = args.url.clone().unwrap_or_else(|| url_of(&config.server, route));
        let host = route.hosts.first().filter(|_| args.url.is_none()).cloned();
        let said = said(args)?;
        let secrets = if said.is_empty() { route.secrets.clone() } else { said };
        if secrets.is_empty() {
            return Err(format!(
                "route \"{}\" has public keys, which sign nothing; say --secret file:PRIVATE.pem",
                one_line(name)
            ));
        }
        Ok(Self {
            definition: Arc::clone(&route.definition),
            scheme: Arc::clone(&route.scheme),
            secrets,
            url,
            host,
        })
    }
}

/// The secrets of the call.
fn said(args: &Args) -> Result<Vec<Secret>, String> {
    args.secret.iter().map(|secret| secret_arg::read(secret)).collect()
}

/// Where this machine reaches the route.
fn url_of(server: &Server, route: &Route) -> String {
    let scheme = if server.tls.is_empty() { "http" } else { "https" };
    let listen = server.listen.first().copied().unwrap_or(([127, 0, 0, 1], 8080).into());
    let registered = route.expect.get("url").and_then(|url| url.parse::<http::Uri>().ok());
    let target = registered.as_ref().and_then(http::Uri::path_and_query);
    let target = match target {
        Some(target) => target.as_str().to_owned(),
        None => example(route.paths.first().map_or("/", String::as_str)),
    };
    format!("{scheme}://{}{target}", reachable(listen))
}

/// An unspecified address listens on loopback too.
fn reachable(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => ([127, 0, 0, 1], v4.port()).into(),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => {
            (std::net::Ipv6Addr::LOCALHOST, v6.port()).into()
        }
        other => other,
    }
}

/// A path that a pattern takes: `{name}` is `name`, and `*` is `x`.
fn example(pattern: &str) -> String {
    let pattern = match pattern.strip_suffix('*') {
        Some(before) => format!("{before}x"),
        None => pattern.to_owned(),
    };
    pattern.replace(['{', '}'], "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_have_an_example() {
        for (pattern, path) in
            [("/a", "/a"), ("/a/{b}/c", "/a/b/c"), ("/a/*", "/a/x"), ("/{a}/*", "/a/x"), ("/", "/")]
        {
            assert_eq!(example(pattern), path);
        }
    }

    #[test]
    fn unspecified_is_loopback() {
        for (listen, to) in
            [("0.0.0.0:1", "127.0.0.1:1"), ("[::]:1", "[::1]:1"), ("10.0.0.1:1", "10.0.0.1:1")]
        {
            assert_eq!(reachable(listen.parse().unwrap()).to_string(), to);
        }
    }
}
