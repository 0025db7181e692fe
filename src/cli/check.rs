//! `hookward check`.

use std::{fmt::Write as _, path::Path};

use super::{
    Exit,
    config_arg::ConfigArg,
    style::{Ink, Style, print, usage},
};
use crate::{
    clock::Clock,
    config::{LoadOptions, Problem, Secrets, Severity, lint::load_and_lint},
};

/// Validates and lints a configuration.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    config: ConfigArg,
    /// How findings are written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Fails on warnings too
    #[arg(long)]
    strict: bool,
    /// Leaves secrets unread, for where they are not at hand
    #[arg(long)]
    no_secrets: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people, with excerpts.
    Text,
    /// One JSON object.
    Json,
}

/// Runs the command.
pub fn run(args: &Args) -> Exit {
    let path = match args.config.path() {
        Ok(path) => path,
        Err(message) => return usage(&message),
    };
    let mut options = LoadOptions::new(Clock::system().unix());
    if args.no_secrets {
        options.secrets = Secrets::Skip;
    }
    let (routes, problems) = match load_and_lint(&path, &options) {
        Ok((loaded, problems)) => (Some(loaded.config.routes.len()), problems),
        Err(problems) => (None, problems),
    };
    let text = match args.format {
        Format::Text => report(&path, routes, &problems, Style::stdout()),
        Format::Json => json(&problems),
    };
    match print(&text) {
        Exit::Yes => verdict(&problems, args.strict),
        failed => failed,
    }
}

/// Notes never fail a check.
fn verdict(problems: &[Problem], strict: bool) -> Exit {
    let fatal = |problem: &Problem| match problem.severity {
        Severity::Error => true,
        Severity::Warning => strict,
        Severity::Note => false,
    };
    if problems.iter().any(fatal) { Exit::No } else { Exit::Yes }
}

fn json(problems: &[Problem]) -> String {
    let findings: Vec<_> = problems.iter().map(Problem::to_json).collect();
    let mut text = serde_json::json!({ "findings": findings }).to_string();
    text.push('\n');
    text
}

pub(super) fn report(
    path: &Path,
    routes: Option<usize>,
    problems: &[Problem],
    style: Style,
) -> String {
    let mut out = String::new();
    for problem in problems {
        let ink = match problem.severity {
            Severity::Error => Ink::Bad,
            Severity::Warning => Ink::Warn,
            Severity::Note => Ink::Dim,
        };
        let text = problem.to_string();
        let name = problem.severity.as_str();
        let rest = text.strip_prefix(name).unwrap_or(&text);
        let _infallible = writeln!(out, "{}{rest}\n", style.paint(ink, name));
    }
    let summary = summary(routes, problems);
    let path = super::style::one_line(&path.display().to_string());
    let _infallible = writeln!(out, "{path}: {summary}");
    out
}

/// Such as `3 routes, 1 warning, 2 notes`.
fn summary(routes: Option<usize>, problems: &[Problem]) -> String {
    let mut parts = Vec::new();
    if let Some(routes) = routes {
        parts.push(counted(routes, "route"));
    }
    for severity in [Severity::Error, Severity::Warning, Severity::Note] {
        let count = problems.iter().filter(|problem| problem.severity == severity).count();
        if count > 0 {
            parts.push(counted(count, severity.as_str()));
        }
    }
    if problems.is_empty() {
        parts.push("nothing to say against it".to_owned());
    }
    parts.join(", ")
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Place;

    fn problems() -> Vec<Problem> {
        let place = Place {
            file: "hookward.toml".into(),
            line: 7,
            column: 1,
            excerpt: "tolerance = \"1h\"".into(),
        };
        vec![
            Problem::warning("a tolerance of 1h").at(Some(place)).suggest("tolerance = \"5m\""),
            Problem::note("github signs no timestamp"),
        ]
    }

    #[test]
    fn findings_then_a_summary() {
        let text = report(Path::new("hookward.toml"), Some(2), &problems(), Style::plain());
        let want = "\
warning: a tolerance of 1h
 --> hookward.toml:7:1
7 | tolerance = \"1h\"
  = try: tolerance = \"5m\"

note: github signs no timestamp

hookward.toml: 2 routes, 1 warning, 1 note
";
        assert_eq!(text, want);
        let clean = report(Path::new("a.toml"), Some(1), &[], Style::plain());
        assert_eq!(clean, "a.toml: 1 route, nothing to say against it\n");
    }

    #[test]
    fn what_fails_a_check() {
        let warnings = problems();
        assert_eq!(verdict(&warnings, false), Exit::Yes);
        assert_eq!(verdict(&warnings, true), Exit::No);
        assert_eq!(verdict(&warnings[1..], true), Exit::Yes);
        assert_eq!(verdict(&[Problem::error("x")], false), Exit::No);
    }

    #[test]
    fn json_is_one_object() {
        let value: serde_json::Value = serde_json::from_str(&json(&problems())).unwrap();
        assert_eq!(value["findings"].as_array().unwrap().len(), 2);
        assert_eq!(value["findings"][0]["line"], 7);
        assert_eq!(json(&[]), "{\"findings\":[]}\n");
    }

    /// What `check` prints about a configuration whose `GOOD` variable alone is set.
    fn check(text: &str) -> String {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("hookward.toml");
        std::fs::write(&file, text).unwrap();
        let env = |name: &str| (name == "GOOD").then(|| "0123456789abcdef0123456789".into());
        let mut options = LoadOptions::new(crate::clock::UnixMs::from_secs(1_800_000_000));
        options.env = std::sync::Arc::new(env);
        let (routes, problems) = match load_and_lint(&file, &options) {
            Ok((loaded, problems)) => (Some(loaded.config.routes.len()), problems),
            Err(problems) => (None, problems),
        };
        let printed = report(&file, routes, &problems, Style::plain());
        printed.replace(&format!("{}/", dir.path().display()), "")
    }

    #[test]
    fn a_configuration_that_hurts_later() {
        insta::assert_snapshot!(check(
            r#"[server]
listen = ["127.0.0.1:8080"]

[routes.forge]
path = "/forge"
provider = "gitlab"
secrets = [{ value = "hunter2" }]
upstream = "http://127.0.0.1:3000"

[routes.github]
path = "/github"
provider = "github"
secrets = [{ env = "GOOD" }]
events = ["push"]
monitor = ["signature"]
upstream = { urls = ["http://127.0.0.1:3000"], timeout = "30s" }
"#
        ));
    }

    #[test]
    fn a_configuration_below_its_policy() {
        insta::assert_snapshot!(check(
            r#"[server]
listen = ["127.0.0.1:8080"]

[replay]
on_error = "allow"

[policy]
require_https = true
require_signature = true
require_timestamp = true
require_replay_protection = true
may_monitor = []

[routes.github]
path = "/github"
provider = "github"
secrets = [{ env = "GOOD" }]
monitor = ["replay"]
upstream = "http://localhost:8080"
"#
        ));
    }

    #[test]
    fn a_configuration_that_cannot_be_read() {
        insta::assert_snapshot!(check(
            r#"[server]
listen = ["127.0.0.1:8080"]
trusted_proxys = ["10.0.0.0/8"]

[routes.github]
path = "/github"
provider = "gihtub"
secrets = [{ env = "UNSET" }]
upstream = "http://127.0.0.1:3000"
"#
        ));
    }
}
