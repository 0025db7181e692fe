//! `hookward providers`.

mod page;
mod pasteable;
mod summary;

use serde_json::Value;

use self::summary::{FAMILIES, Summary};
use super::{
    Exit,
    style::{Ink, Style, Table, print, usage},
};
use crate::providers;

/// Shows the catalogue, or one definition.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A provider: its definition as TOML that can be pasted into a configuration
    name: Option<String>,
    /// Only names and titles that contain this
    #[arg(long, value_name = "TEXT", conflicts_with = "name")]
    find: Option<String>,
    /// Only schemes of this family
    #[arg(long, value_name = "FAMILY", value_parser = FAMILIES, conflicts_with = "name")]
    family: Option<String>,
    /// Only those that greet: a challenge, a ping, a confirmation
    #[arg(long, conflicts_with = "name")]
    handshake: bool,
    /// Only those whose signature covers the whole body
    #[arg(long, conflicts_with = "name")]
    covers_body: bool,
    /// Only definitions with this evidence
    #[arg(
        long,
        value_name = "EVIDENCE",
        value_parser = ["sdk", "docs", "third-party"],
        conflicts_with = "name"
    )]
    evidence: Option<String>,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A table, or TOML
    Text,
    /// JSON
    Json,
    /// The catalogue as a page for people: docs/providers.md
    Markdown,
}

/// The columns of [`Summary::cells`].
const COLUMNS: &[&str] = &[
    "NAME",
    "TITLE",
    "FAMILY",
    "ALGORITHM",
    "FRESHNESS",
    "REPLAY KEY",
    "RETRIES",
    "HANDSHAKE",
    "EVIDENCE",
];

/// Runs the command.
pub fn run(args: &Args) -> Exit {
    let Some(name) = &args.name else { return print(&catalogue(args, Style::stdout())) };
    match one(name, args.format) {
        Ok(text) => print(&text),
        Err(message) => usage(&message),
    }
}

/// Says that there is no such provider, and which one was probably meant.
pub(super) fn unknown(name: &str) -> String {
    let wanted = name.to_ascii_lowercase();
    let near = |known: &&'static str| {
        let distance = strsim::damerau_levenshtein(&wanted, known);
        distance * 3 <= known.len().max(3) || (wanted.len() > 2 && known.contains(&wanted))
    };
    let mut close: Vec<_> = providers::names().filter(near).collect();
    close.sort_by_key(|known| strsim::damerau_levenshtein(&wanted, known));
    // Another case of a name is that name.
    close.truncate(if close.first() == Some(&wanted.as_str()) { 1 } else { 3 });
    let hint = match close.as_slice() {
        [] => "`hookward providers` lists them all".to_owned(),
        close => format!("did you mean {}?", close.join(" or ")),
    };
    format!("there is no provider \"{}\"; {hint}", super::style::one_line(name))
}

fn catalogue(args: &Args, style: Style) -> String {
    let wanted: Vec<_> = Summary::all().filter(|summary| is_wanted(summary, args)).collect();
    if args.format == Format::Json {
        let rows: Vec<_> = wanted.iter().map(Summary::to_json).collect();
        return format!("{:#}\n", Value::Array(rows));
    }
    if args.format == Format::Markdown {
        return page::page(&wanted);
    }
    let mut table = Table::new(COLUMNS);
    for summary in &wanted {
        table.push(None, summary.cells());
    }
    let count = wanted.len();
    let end = format!("{count} of {} providers\n", providers::names().count());
    format!("{}{}", table.render(style), style.paint(Ink::Dim, end))
}

fn is_wanted(summary: &Summary, args: &Args) -> bool {
    let is = |wanted: &Option<String>, own: &str| wanted.as_ref().is_none_or(|w| w == own);
    let contains = |text: &str| {
        let find = args.find.as_deref().unwrap_or_default().to_ascii_lowercase();
        text.to_ascii_lowercase().contains(&find)
    };
    (!args.handshake || summary.greets())
        && (!args.covers_body || summary.covers_body)
        && is(&args.family, summary.family)
        && is(&args.evidence, &summary.evidence)
        && (contains(summary.name) || contains(&summary.title))
}

fn one(name: &str, format: Format) -> Result<String, String> {
    let (Some(source), Some(summary)) = (providers::source(name), Summary::of(name)) else {
        return Err(unknown(name));
    };
    Ok(match format {
        Format::Text | Format::Markdown => pasteable::pasteable(name, source),
        Format::Json => {
            let mut object = summary.to_json();
            let written = toml::from_str::<Value>(source).unwrap_or_default();
            if let Some(object) = object.as_object_mut() {
                object.insert("definition".to_owned(), written);
            }
            format!("{object:#}\n")
        }
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Call {
        #[command(flatten)]
        args: Args,
    }

    fn call(words: &[&str]) -> Args {
        Call::parse_from([&["providers"], words].concat()).args
    }

    #[test]
    fn the_table_has_a_row_for_each() {
        let text = catalogue(&call(&[]), Style::plain());
        assert_eq!(text.lines().count(), providers::names().count() + 2);
        let github = text.lines().find(|line| line.starts_with("github ")).unwrap();
        let words: Vec<_> = github.split_whitespace().collect();
        assert_eq!(
            words,
            [
                "github",
                "GitHub",
                "hmac",
                "hmac-sha256",
                "none",
                "signed",
                "bytes",
                "none",
                "none",
                "sdk"
            ]
        );
        let stripe = text.lines().find(|line| line.starts_with("stripe ")).unwrap();
        assert!(stripe.contains("5m") && stripe.contains("event id"), "{stripe}");
    }

    #[test]
    fn filters_narrow_it_down() {
        let names = |words: &[&str]| {
            let rows: Value = serde_json::from_str(&catalogue(
                &call(&[words, &["--format", "json"]].concat()),
                Style::plain(),
            ))
            .unwrap();
            let name = |row: &Value| row["name"].as_str().unwrap().to_owned();
            rows.as_array().unwrap().iter().map(name).collect::<Vec<_>>()
        };
        assert_eq!(names(&["--find", "GetResponse"]), ["getresponse", "getresponse-callback"]);
        assert!(names(&["--family", "token"]).contains(&"telegram".to_owned()));
        assert!(names(&["--family", "jwt-body"]).contains(&"plaid".to_owned()));
        assert!(names(&["--family", "certificate"]).contains(&"aws-sns".to_owned()));
        assert!(names(&["--handshake"]).contains(&"dropbox".to_owned()));
        assert!(!names(&["--covers-body"]).contains(&"mailgun".to_owned()));
        assert!(!names(&["--evidence", "sdk"]).contains(&"telegram".to_owned()));
        assert_eq!(names(&["--find", "no such thing"]), [""; 0]);
    }

    #[test]
    fn every_family_is_there() {
        for family in FAMILIES {
            assert!(Summary::all().any(|summary| summary.family == family), "{family}");
        }
    }

    #[test]
    fn the_page_for_people_is_the_catalogue() {
        let page = include_str!("../../docs/providers.md");
        let made = catalogue(&call(&["--format", "markdown"]), Style::plain());
        assert!(
            page == made,
            "docs/providers.md is old: cargo run -- providers --format markdown > docs/providers.md"
        );
    }

    #[test]
    fn json_of_one_has_the_definition() {
        let value: Value = serde_json::from_str(&one("stripe", Format::Json).unwrap()).unwrap();
        assert_eq!(value["name"], "stripe");
        assert_eq!(value["definition"]["timestamp"]["from"], "pair:t");
    }

    #[test]
    fn a_slip_of_the_pen_is_recognised() {
        assert!(unknown("gihtub").contains("did you mean github?"), "{}", unknown("gihtub"));
        assert!(unknown("adyen-plattform").contains("adyen-platform"));
        assert!(unknown("qqqqqqqq").contains("`hookward providers` lists"));
        assert_eq!(one("gihtub", Format::Text).unwrap_err(), unknown("gihtub"));
    }
}
