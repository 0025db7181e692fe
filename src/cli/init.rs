//! `hookward init`.

use std::{
    fmt::Write as _,
    net::{Ipv4Addr, SocketAddr},
};

use super::{
    Exit,
    providers::unknown,
    style::{print, usage},
};
use crate::{
    config::lint::is_same,
    providers,
    verify::{Scheme, SchemeOptions},
};

/// Prints a commented configuration.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Whose deliveries to receive; `hookward providers` lists them
    #[arg(value_name = "PROVIDER", default_value = "github")]
    providers: Vec<String>,
    /// Where deliveries go: http://…, https://… or builtin:echo
    #[arg(long, value_name = "URL")]
    upstream: String,
}

/// Runs the command.
pub fn run(args: &Args) -> Exit {
    match configuration(&args.providers, &args.upstream) {
        Ok(text) => print(&text),
        Err(message) => usage(&message),
    }
}

fn configuration(names: &[String], upstream: &str) -> Result<String, String> {
    check_upstream(upstream)?;
    let mut wanted: Vec<&str> = Vec::new();
    for name in names {
        if providers::raw(name).is_none() {
            return Err(unknown(name));
        }
        if !wanted.contains(&name.as_str()) {
            wanted.push(name);
        }
    }
    let mut out = format!(
        "[server]\nlisten = [\"{}\"]   # plain HTTP; beyond loopback add [[server.tls]] or \
         trusted_proxies\n",
        listener(upstream)
    );
    for (at, name) in wanted.iter().enumerate() {
        route(&mut out, name, upstream, at == 0);
    }
    // What a provider must be told takes lines; those between tables make room for them.
    if out.lines().count() > 2 + 6 * wanted.len() {
        out = out.replace("\n\n", "\n");
    }
    Ok(out)
}

fn check_upstream(upstream: &str) -> Result<(), String> {
    let is_url = upstream.parse::<http::Uri>().is_ok_and(|url| {
        matches!(url.scheme_str(), Some("http" | "https")) && url.host().is_some()
    });
    if is_url || upstream == "builtin:echo" {
        return Ok(());
    }
    Err(format!(
        "--upstream {upstream:?} is no URL; write http://HOST:PORT or https://HOST, with a path to \
         send everything there, or builtin:echo to try things out"
    ))
}

/// An address that the upstream does not have itself.
fn listener(upstream: &str) -> SocketAddr {
    let usual = SocketAddr::from((Ipv4Addr::LOCALHOST, 8080));
    let is_taken = upstream.parse().is_ok_and(|url| is_same(&url, usual));
    if is_taken { SocketAddr::from((Ipv4Addr::LOCALHOST, 8081)) } else { usual }
}

/// One route: five lines, and what the provider must be told.
fn route(out: &mut String, name: &str, upstream: &str, is_first: bool) {
    let about = |text: &str| if is_first { format!("   # {text}") } else { String::new() };
    let raw = providers::raw(name);
    let docs = raw.and_then(|raw| raw.docs.as_deref()).unwrap_or_default();
    let _infallible = write!(
        out,
        "\n[routes.{name}]   # {docs}\n\
         path     = \"/{name}\"\n\
         provider = \"{name}\"{}\n",
        about("any of `hookward providers`"),
    );
    if let Some((key, what)) = keys_of(name) {
        let variable = format!("{}_{what}", name.to_uppercase().replace('-', "_"));
        let about = about("or { file = \"…\" }; any of several verifies");
        let _infallible = writeln!(out, "{key:<8} = [{{ env = {variable:?} }}]{about}");
    }
    let required = raw
        .and_then(|raw| raw.expect.as_ref())
        .into_iter()
        .flatten()
        .filter(|(_, expect)| expect.is_required());
    for (key, expect) in required {
        let about = expect.about.as_deref().unwrap_or("what the provider was told");
        let value = stand_in(name, key);
        let _infallible = writeln!(out, "expect.{key} = {value:?}   # {about}");
    }
    let _infallible = writeln!(
        out,
        "upstream = {upstream:?}{}",
        about("without a path the request's own is kept"),
    );
}

/// What stands for something that the operator has to say.
fn stand_in(name: &str, key: &str) -> String {
    if key == "url" { format!("https://hooks.example.com/{name}") } else { key.to_owned() }
}

/// The key of a route that says what it verifies with, and what a variable of that is called; `None`
/// where the provider publishes its keys, sends them along, or proves nothing.
fn keys_of(name: &str) -> Option<(&'static str, &'static str)> {
    let definition = providers::builtin(name)?;
    let told = definition.expect.keys().map(|key| (key.clone(), stand_in(name, key)));
    let options = SchemeOptions { expect: told.collect(), ..SchemeOptions::default() };
    let takes = Scheme::compile(definition, &options).ok()?.takes();
    if takes.secrets {
        return Some(("secrets", "WEBHOOK_SECRET"));
    }
    let is_given = takes.certificates || !definition.public_keys.is_empty();
    (takes.public_keys && !is_given).then_some(("public_keys", "PUBLIC_KEY"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn init(names: &[&str], upstream: &str) -> Result<String, String> {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        configuration(&names, upstream)
    }

    #[test]
    fn two_providers_take_fourteen_lines() {
        let text = init(&["github", "stripe"], "http://127.0.0.1:3000").unwrap();
        assert_eq!(text.lines().count(), 14, "{text}");
        let told = init(&["square", "trello"], "http://127.0.0.1:3000").unwrap();
        assert_eq!(told.lines().count(), 14, "{told}");
        assert!(text.contains("secrets  = [{ env = \"GITHUB_WEBHOOK_SECRET\" }]"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 120), "{text}");
        let asymmetric = init(&["discord"], "http://127.0.0.1:3000").unwrap();
        assert!(asymmetric.contains("public_keys = [{ env = \"DISCORD_PUBLIC_KEY\" }]"));
    }

    #[test]
    fn wrong_calls_are_explained() {
        assert!(init(&["gihtub"], "http://h").unwrap_err().contains("did you mean github?"));
        assert!(init(&["GitHub"], "http://h").unwrap_err().contains("did you mean github?"));
        assert!(init(&["nothing-like-it"], "http://h").unwrap_err().contains("hookward providers"));
        for bad in ["", "127.0.0.1:3000", "ftp://h/", "http://", "/path", "builtin:nothing"] {
            assert!(init(&["github"], bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_gateway_does_not_take_its_upstreams_address() {
        let text = init(&["github"], "http://localhost:8080/hooks").unwrap();
        assert!(text.contains("127.0.0.1:8081"), "{text}");
        assert!(init(&["github"], "http://localhost:3000").unwrap().contains("127.0.0.1:8080"));
    }

    #[test]
    fn a_provider_named_twice_is_one_route() {
        let once = init(&["slack"], "builtin:echo").unwrap();
        assert_eq!(init(&["slack", "slack"], "builtin:echo").unwrap(), once);
    }

    #[test]
    fn check_accepts_what_init_prints() {
        use crate::{
            clock::UnixMs,
            config::{LoadOptions, Secrets, lint::load_and_lint},
        };
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("hookward.toml");
        let options = LoadOptions {
            secrets: Secrets::Skip,
            ..LoadOptions::new(UnixMs::from_secs(1_800_000_000))
        };
        for name in providers::names() {
            let text = init(&[name], "http://127.0.0.1:3000/hooks").unwrap();
            std::fs::write(&file, &text).unwrap();
            if let Err(problems) = load_and_lint(&file, &options) {
                panic!("{name}: {problems:#?}\n{text}");
            }
        }
    }
}
