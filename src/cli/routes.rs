//! `hookward routes`.

use std::fmt::Write as _;

use serde_json::json;

use super::{
    Exit, check,
    config_arg::ConfigArg,
    meant::nearest,
    style::{Ink, Style, Table, one_line, print, usage},
};
use crate::{
    clock::{Clock, UnixMs},
    config::{
        LoadOptions, Secrets,
        lint::{facts, load_and_lint},
        model::{Check, Config, Exception, Origin, Route},
    },
};

/// Shows what is in force.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    config: ConfigArg,
    /// Only this route
    name: Option<String>,
    /// How routes are written
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people.
    Table,
    /// One JSON object.
    Json,
}

/// Runs the command.
pub fn run(args: &Args) -> Exit {
    let path = match args.config.path() {
        Ok(path) => path,
        Err(message) => return usage(&message),
    };
    // What is in force can be read where the secrets are not.
    let options =
        LoadOptions { secrets: Secrets::Skip, ..LoadOptions::new(Clock::system().unix()) };
    let loaded = match load_and_lint(&path, &options) {
        Ok((loaded, _)) => loaded,
        Err(problems) => {
            eprint!("{}", check::report(&path, None, &problems, Style::stderr()));
            return Exit::No;
        }
    };
    let wanted: Vec<_> = (loaded.config.routes.iter())
        .filter(|route| args.name.as_ref().is_none_or(|name| **name == *route.name))
        .map(|route| Shown::of(route, &loaded.config))
        .collect();
    if let (Some(name), []) = (&args.name, wanted.as_slice()) {
        return usage(&unknown(name, &loaded.config));
    }
    print(&match args.format {
        Format::Table => table(&wanted, Style::stdout()),
        Format::Json => {
            let routes: Vec<_> = wanted.iter().map(Shown::to_json).collect();
            format!("{:#}\n", json!({ "routes": routes }))
        }
    })
}

fn unknown(name: &str, config: &Config) -> String {
    let names = || config.routes.iter().map(|route| &*route.name);
    match nearest(name, names()) {
        Some(meant) => format!("there is no route {name:?}; did you mean {meant:?}?"),
        None => format!("there is no route {name:?}; {} are configured", names().count()),
    }
}

/// A route as it is shown.
struct Shown<'a> {
    route: &'a Route,
    enforced: Vec<&'static str>,
    monitored: Vec<&'static str>,
    exception: Option<&'a Exception>,
    covered: Vec<String>,
}

impl<'a> Shown<'a> {
    fn of(route: &'a Route, config: &'a Config) -> Self {
        // What every route has need not be said of one.
        let said = |check: &Check| !matches!(check, Check::Route | Check::Claim | Check::Body);
        let in_force = |check: &&Check| said(check) && facts::is_in_force(route, **check);
        let (monitored, enforced): (Vec<_>, Vec<_>) =
            Check::ALL.iter().filter(in_force).partition(|check| route.monitor.contains(check));
        let names = |checks: Vec<&Check>| checks.into_iter().map(|check| check.as_str()).collect();
        let mut enforced: Vec<_> = names(enforced);
        if route.client_certificate.is_some() {
            // Behind `transport`, where the layer stands; it belongs to no check that has a monitor.
            enforced.insert(usize::from(route.require_https), "client_certificate");
        }
        Self {
            route,
            enforced,
            monitored: names(monitored),
            exception: config.policy.exceptions.get(&*route.name),
            covered: facts::covered(route),
        }
    }

    fn to_json(&self) -> serde_json::Value {
        let values: Vec<_> = (self.route.in_force.iter())
            .map(|row| json!({ "key": row.key, "value": value(&row.value), "origin": origin(row.origin) }))
            .collect();
        let exception = self.exception.map(|exception| {
            json!({
                "allow": exception.allow,
                "until": exception.until.map(date),
                "owner": exception.owner,
                "reason": exception.reason,
            })
        });
        json!({
            "name": &*self.route.name,
            "provider": &*self.route.provider,
            "enforced": self.enforced,
            "monitored": self.monitored,
            "excepted": exception,
            "covered": self.covered,
            "values": values,
        })
    }
}

fn table(routes: &[Shown<'_>], style: Style) -> String {
    let mut out = String::new();
    for (at, shown) in routes.iter().enumerate() {
        let line = |out: &mut String, label: &str, text: &str| {
            let text = if text.is_empty() { "nothing" } else { text };
            let _infallible = writeln!(out, "  {label:<9}  {}", one_line(text));
        };
        let break_line = if at == 0 { "" } else { "\n" };
        let _infallible =
            writeln!(out, "{break_line}{}", style.paint(Ink::Bold, one_line(&shown.route.name)));
        line(&mut out, "enforced", &shown.enforced.join(", "));
        line(&mut out, "monitored", &shown.monitored.join(", "));
        line(&mut out, "excepted", &shown.exception.map(excepted).unwrap_or_default());
        line(&mut out, "covered", &shown.covered.join(", "));
        let mut table = Table::new(&["  KEY", "VALUE", "ORIGIN"]);
        for row in &shown.route.in_force {
            let ink = (row.origin == Origin::Default).then_some(Ink::Dim);
            let cells =
                vec![format!("  {}", row.key), row.value.clone(), origin(row.origin).into()];
            table.push(ink, cells);
        }
        out.push_str(&table.render(style));
    }
    out
}

fn excepted(exception: &Exception) -> String {
    let allow: Vec<_> = exception.allow.iter().map(String::as_str).collect();
    let until = exception.until.map(|until| format!(" until {}", date(until)));
    format!(
        "{}{} ({}: {})",
        allow.join(", "),
        until.unwrap_or_default(),
        exception.owner,
        exception.reason
    )
}

fn date(time: UnixMs) -> String {
    jiff::Timestamp::from_millisecond(time.0).map(|time| time.to_string()).unwrap_or_default()
}

/// The value itself where it is TOML, else its text.
fn value(text: &str) -> serde_json::Value {
    let table = toml::from_str::<toml::Table>(&format!("value = {text}")).ok();
    let value = table.and_then(|mut table| table.remove("value"));
    value.and_then(|value| serde_json::to_value(value).ok()).unwrap_or_else(|| text.into())
}

const fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Default => "default",
        Origin::Policy => "policy",
        Origin::Provider => "provider",
        Origin::Route => "route",
        Origin::Shared => "shared",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Loaded;

    fn loaded() -> Loaded {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("hookward.toml");
        let text = "[server]\nlisten = [\"127.0.0.1:8080\"]\n\
                    [policy]\nforbid_algorithms = [\"token\"]\n\
                    [policy.exceptions.forge]\nallow = [\"token\"]\n\
                    until = 2040-01-01T00:00:00Z\nowner = \"a@example.com\"\nreason = \"SEC-1\"\n\
                    [routes.forge]\npath = \"/forge\"\nprovider = \"gitlab\"\n\
                    secrets = [{ env = \"A\" }]\nupstream = \"http://127.0.0.1:3000\"\n\
                    [routes.pay]\npath = \"/pay\"\nprovider = \"stripe\"\n\
                    secrets = [{ env = \"B\" }]\nmonitor = [\"timestamp\"]\n\
                    upstream = \"http://127.0.0.1:3000\"\n";
        std::fs::write(&file, text).unwrap();
        let now = UnixMs::from_secs(1_800_000_000);
        let options = LoadOptions { secrets: Secrets::Skip, ..LoadOptions::new(now) };
        load_and_lint(&file, &options).unwrap().0
    }

    #[test]
    fn what_is_in_force_is_said() {
        let loaded = loaded();
        let shown: Vec<_> =
            loaded.config.routes.iter().map(|r| Shown::of(r, &loaded.config)).collect();
        let text = table(&shown, Style::plain());
        let head = "\
forge
  enforced   signature, replay
  monitored  nothing
  excepted   token until 2040-01-01T00:00:00Z (a@example.com: SEC-1)
  covered    nothing
";
        assert!(text.starts_with(head), "{text}");
        assert!(text.contains("\npay\n  enforced   signature, replay\n  monitored  timestamp\n"));
        assert!(text.contains("  covered    body, timestamp, event id, event type\n"), "{text}");

        let pay = shown[1].to_json();
        assert_eq!(pay["monitored"], json!(["timestamp"]));
        assert_eq!(pay["excepted"], json!(null));
        let path = pay["values"].as_array().unwrap().iter().find(|v| v["key"] == "path").unwrap();
        assert_eq!(*path, json!({ "key": "path", "value": ["/pay"], "origin": "route" }));
        assert!(unknown("apy", &loaded.config).contains("did you mean \"pay\"?"));
    }

    #[test]
    fn values_that_are_no_toml_are_texts() {
        assert_eq!(value("[1, 2]"), json!([1, 2]));
        assert_eq!(value("\"5m\""), json!("5m"));
        assert_eq!(value("2 filters"), json!("2 filters"));
    }
}
