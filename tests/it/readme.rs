//! The README, held against the code.

use clap::{CommandFactory, Parser};
use hookward::{
    cli::Cli,
    clock::UnixMs,
    config::{LoadOptions, Secrets, lint},
    decision::Code,
    layer::status_of,
};

const README: &str = include_str!("../../README.md");

/// The rows of the table that follows a marker: the cells of each.
fn rows(marker: &str) -> Vec<Vec<&'static str>> {
    let (_, after) = README.split_once(&format!("<!-- {marker}:")).expect("the marker is there");
    let table = after.lines().skip(1).take_while(|line| line.starts_with('|')).skip(2);
    let cells = |line: &'static str| -> Vec<_> {
        let mut cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        cells[0] = cells[0].trim_matches('`');
        cells
    };
    table.map(cells).collect()
}

/// The fenced blocks of a language in a page.
fn blocks<'page>(page: &'page str, language: &str) -> Vec<&'page str> {
    let parts = page.split("\n```").skip(1).step_by(2);
    parts.filter_map(|part| part.strip_prefix(&format!("{language}\n"))).collect()
}

/// What stands between backticks, outside of blocks.
fn spans() -> impl Iterator<Item = &'static str> {
    let prose = README.split("\n```").step_by(2);
    prose.flat_map(|text| text.split('`').skip(1).step_by(2))
}

/// The calls of the program in its shell blocks and between backticks, as words after the program's
/// name.
fn calls() -> Vec<Vec<String>> {
    let lines = blocks(README, "sh").into_iter().flat_map(str::lines);
    let calls = lines.chain(spans()).filter_map(|line| {
        let line = line.split(" #").next().unwrap_or_default();
        let line = line.split(['>', '|']).next().unwrap_or_default();
        line.strip_prefix("cargo run --release -- ").or(line.strip_prefix("hookward "))
    });
    calls.map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
}

#[test]
fn the_first_block_holds_the_two_commands() {
    let first = README.split("```").nth(1).unwrap();
    assert_eq!(first, "sh\ncargo run --release -- demo\ncargo test\n");
}

#[test]
fn the_decisions_are_those_of_the_code() {
    let status = |code: Code| match (code, status_of(code)) {
        (Code::Forwarded, _) => "upstream's".to_owned(),
        (Code::SenderGone, _) => "499, never sent".to_owned(),
        (_, Some(status)) => status.as_u16().to_string(),
        (code, None) => panic!("{code} has no status"),
    };
    let row = |code: &Code| vec![code.as_str().into(), status(*code), code.about().into()];
    let want: Vec<Vec<String>> = Code::ALL.iter().map(row).collect();
    assert_eq!(rows("decisions"), want);
}

#[test]
fn the_findings_of_check_are_those_of_the_code() {
    let row = |(name, severity, about): &(&str, hookward::config::Severity, &str)| {
        vec![(*name).to_owned(), severity.to_string(), (*about).to_owned()]
    };
    let want: Vec<_> = lint::TABLE.iter().map(row).collect();
    let table: String =
        want.iter().map(|row| format!("| `{}` | {} | {} |\n", row[0], row[1], row[2])).collect();
    assert_eq!(rows("lints"), want, "the README should have\n{table}");
}

#[test]
fn every_configuration_is_accepted() {
    let examples = blocks(README, "toml");
    assert!(examples.len() >= 4, "{}", examples.len());
    let dir = tempfile::tempdir().unwrap();
    let networks = r#"{ "hooks": ["192.0.2.0/24"] }"#;
    std::fs::write(dir.path().join("github-meta.json"), networks).unwrap();
    let definitions = include_str!("../../docs/definitions.md");
    let (introduction, _) = definitions.split_once("## Keys").unwrap();
    for example in examples.into_iter().chain(blocks(introduction, "toml")) {
        // What is left out in an excerpt is what every configuration has.
        let mut text = format!("{example}\n");
        if !text.contains("[server]") {
            text.push_str("[server]\nlisten = [\"127.0.0.1:8080\"]\n");
        }
        if !text.contains("[routes.") {
            text.push_str(
                "[routes.x]\npath = \"/x\"\nprovider = \"slack\"\nsecrets = [{ env = \"X\" }]\n\
                 upstream = \"http://127.0.0.1:3000\"\n",
            );
        }
        let path = dir.path().join("hookward.toml");
        std::fs::write(&path, &text).unwrap();
        let now = UnixMs::from_secs(1_790_000_000);
        let options = LoadOptions { secrets: Secrets::Skip, ..LoadOptions::new(now) };
        if let Err(problems) = lint::load_and_lint(&path, &options) {
            let said: Vec<_> = problems.iter().map(ToString::to_string).collect();
            panic!("{text}\n{}", said.join("\n"));
        }
    }
}

#[test]
fn every_call_is_one_and_every_command_is_there() {
    let calls = calls();
    assert!(calls.len() >= 15, "{calls:?}");
    for call in &calls {
        let words = std::iter::once("hookward").chain(call.iter().map(String::as_str));
        if let Err(error) = Cli::try_parse_from(words) {
            panic!("{call:?}: {error}");
        }
    }
    for command in Cli::command().get_subcommands() {
        let name = command.get_name();
        assert!(calls.iter().any(|call| call[0] == name), "hookward {name}");
    }
}

#[test]
fn numbers_of_the_readme_are_those_of_the_catalogue() {
    let count = hookward::providers::names().count();
    assert!(
        README.contains("more than two hundred providers") && (201..300).contains(&count),
        "{count}"
    );
}
