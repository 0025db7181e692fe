//! `hookward verify --vectors`: verdicts of other people's packages against ours.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::json;

use super::Format;
use crate::{
    cli::{
        Exit, input,
        style::{one_line, print},
    },
    providers,
    verify::vectors::{Case, Outcome},
};

#[derive(Debug, Default)]
struct Tally {
    agreed: usize,
    disagreed: Vec<Disagreement>,
    unsupported: BTreeMap<String, usize>,
}

#[derive(Debug)]
struct Disagreement {
    file: String,
    provider: String,
    case: String,
    expected: &'static str,
    got: String,
}

/// Judges every case of every file.
pub(super) fn run(paths: &[PathBuf], format: Format) -> Result<Exit, String> {
    let mut tally = Tally::default();
    for file in files(paths)? {
        tally.file(&file)?;
    }
    if tally.is_empty() {
        return Err("there is no case in what was named".to_owned());
    }
    let text = match format {
        Format::Text => tally.text(),
        Format::Json => tally.json(),
    };
    Ok(match print(&text) {
        Exit::Yes if tally.disagreed.is_empty() && tally.unsupported.is_empty() => Exit::Yes,
        Exit::Yes => Exit::No,
        failed => failed,
    })
}

/// Files as they are; of a folder every `.jsonl`, sorted.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let failed = |error: std::io::Error| format!("cannot read {}: {error}", path.display());
        let mut found = fs::read_dir(path)
            .map_err(failed)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(failed)?;
        found.retain(|file| file.extension().is_some_and(|end| end == "jsonl"));
        if found.is_empty() {
            return Err(format!("{} holds no .jsonl file", path.display()));
        }
        found.sort();
        files.append(&mut found);
    }
    Ok(files)
}

impl Tally {
    fn is_empty(&self) -> bool {
        self.agreed == 0 && self.disagreed.is_empty() && self.unsupported.is_empty()
    }

    fn file(&mut self, path: &Path) -> Result<(), String> {
        let text = input::read_text(path)?;
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let case = Case::read(line)
                .map_err(|error| format!("{}:{}: {error}", path.display(), number + 1))?;
            let lookup = |provider: &str, variant: Option<&str>| {
                providers::by_case(provider, variant).map(Arc::clone)
            };
            match case.judge(&lookup) {
                Outcome::Agreed => self.agreed += 1,
                Outcome::Unsupported(name) => *self.unsupported.entry(name).or_default() += 1,
                Outcome::Disagreed { accept, refusal } => self.disagreed.push(Disagreement {
                    file: path.display().to_string(),
                    provider: case.provider,
                    case: case.name,
                    expected: if accept { "accept" } else { "reject" },
                    got: match refusal {
                        Some(refusal) => format!("reject, {refusal}"),
                        None => "accept".to_owned(),
                    },
                }),
            }
        }
        Ok(())
    }

    fn text(&self) -> String {
        let mut out = String::new();
        for d in &self.disagreed {
            let line = format!(
                "{} {}: expected {}, got {} ({})",
                d.provider, d.case, d.expected, d.got, d.file
            );
            let _infallible = writeln!(out, "{}", one_line(&line));
        }
        for (name, count) in &self.unsupported {
            let _infallible = writeln!(out, "unsupported: {} ({count})", one_line(name));
        }
        let unsupported: usize = self.unsupported.values().sum();
        let _infallible = writeln!(
            out,
            "{} agreed, {} disagreed, {unsupported} unsupported",
            self.agreed,
            self.disagreed.len()
        );
        out
    }

    fn json(&self) -> String {
        let disagreements: Vec<_> = self
            .disagreed
            .iter()
            .map(|d| {
                json!({
                    "file": d.file, "provider": d.provider, "case": d.case,
                    "expected": d.expected, "got": d.got,
                })
            })
            .collect();
        let all = json!({
            "agreed": self.agreed,
            "disagreed": self.disagreed.len(),
            "unsupported": self.unsupported.values().sum::<usize>(),
            "disagreements": disagreements,
            "unsupported_by_name": self.unsupported,
        });
        format!("{all}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"provider":"telegram","case":"c","secret":"s","method":"POST","url":"https://h/x","headers":{"X-Telegram-Bot-Api-Secret-Token":"s"},"body_b64":"","now":1760000000,"tolerance_s":null,"verdict":"accept"}"#;

    fn run_on(text: &str) -> Result<(Exit, Tally), String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jsonl");
        fs::write(&path, text).unwrap();
        let mut tally = Tally::default();
        tally.file(&path)?;
        Ok((run(&[folder.path().to_owned()], Format::Text)?, tally))
    }

    #[test]
    fn only_full_agreement_is_a_yes() {
        let (exit, tally) = run_on(LINE).unwrap();
        assert_eq!(
            (exit, tally.text().as_str()),
            (Exit::Yes, "1 agreed, 0 disagreed, 0 unsupported\n")
        );
        let (exit, tally) = run_on(&LINE.replace("accept", "reject")).unwrap();
        assert_eq!(exit, Exit::No);
        assert!(tally.text().starts_with("telegram c: expected reject, got accept ("));
        let (exit, tally) = run_on(&LINE.replace("telegram", "nobody")).unwrap();
        assert_eq!(exit, Exit::No);
        assert_eq!(tally.text(), "unsupported: nobody (1)\n0 agreed, 0 disagreed, 1 unsupported\n");
        let json: serde_json::Value = serde_json::from_str(&tally.json()).unwrap();
        assert_eq!(json["unsupported_by_name"]["nobody"], 1);
    }

    #[test]
    fn a_laxer_probe_is_a_disagreement_and_a_stricter_one_is_not() {
        let probe = LINE.replace("\"verdict\"", "\"probe\":true,\"verdict\"");
        assert_eq!(run_on(&probe.replace("accept", "reject")).unwrap().0, Exit::No);
        let other = probe.replace("\"secret\":\"s\"", "\"secret\":\"t\"");
        assert_eq!(run_on(&other).unwrap().0, Exit::Yes);
    }

    #[test]
    fn what_cannot_be_read_is_a_wrong_call() {
        assert!(run_on("{}").unwrap_err().contains("a.jsonl:1: "));
        assert!(run_on("\n").unwrap_err().contains("no case"));
        assert!(run(&["/nowhere/at/all".into()], Format::Text).is_err());
        assert!(run(&[tempfile::tempdir().unwrap().path().into()], Format::Text).is_err());
    }
}
