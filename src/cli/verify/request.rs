//! `hookward verify --request`: what the gateway would decide, and why.

use std::{fmt::Write as _, path::Path};

use serde_json::json;

use super::{
    Args, Format, Target,
    judge::{Judged, Outcome, judge},
};
use crate::{
    cli::{
        Exit, input,
        meant::nearest,
        style::{Ink, Style, one_line, print},
    },
    decision::Code,
    verify::captured::Captured,
};

/// Judges every request of every file.
pub(super) fn run(args: &Args) -> Result<Exit, String> {
    let expected = expected(args)?;
    let target = Target::of(args)?;
    let mut text = String::new();
    let mut objects = Vec::new();
    let mut as_expected = true;
    for file in &args.request {
        for (name, request) in read(file)? {
            let judged = judge(&target, &request, Target::at(args, &request))?;
            as_expected &= judged.verdict() == expected;
            match args.format {
                Format::Text => text.push_str(&report(&name, &judged, Style::stdout())),
                Format::Json => objects.push(object(&name, &judged)),
            }
        }
    }
    if args.format == Format::Json {
        let _infallible = writeln!(text, "{}", json!({ "requests": objects }));
    }
    Ok(match print(&text) {
        Exit::Yes if as_expected => Exit::Yes,
        Exit::Yes => Exit::No,
        failed => failed,
    })
}

/// The one code that is a success.
fn expected(args: &Args) -> Result<Code, String> {
    let mut codes = args.expect.iter().filter(|text| !text.contains('='));
    let code = match codes.next() {
        None => Code::Forwarded,
        Some(name) => Code::ALL
            .iter()
            .copied()
            .find(|code| code.as_str() == name)
            .ok_or_else(|| no_code(name))?,
    };
    match codes.next() {
        None => Ok(code),
        Some(_) => Err("a request has one verdict: --expect takes one code".to_owned()),
    }
}

fn no_code(name: &str) -> String {
    match nearest(name, Code::ALL.iter().map(|code| code.as_str())) {
        Some(meant) => format!("there is no code {name:?}; did you mean {meant:?}?"),
        None => format!("there is no code {name:?}; it is one of the README's decisions"),
    }
}

/// The requests of a file, `-` for standard input: one as raw HTTP, or one a line as JSON.
fn read(file: &Path) -> Result<Vec<(String, Captured)>, String> {
    let name = file.display().to_string();
    let bytes = input::read(file)?;
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        let request = Captured::from_http(&bytes).map_err(|error| format!("{name}: {error}"))?;
        return Ok(vec![(name, request)]);
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| format!("{name} is not UTF-8"))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(number, line)| {
            let name = format!("{name}:{}", number + 1);
            let request = Captured::from_json(line).map_err(|error| format!("{name}: {error}"))?;
            Ok((name, request))
        })
        .collect()
}

fn report(name: &str, judged: &Judged, style: Style) -> String {
    let mut out = String::new();
    let _infallible = writeln!(out, "{}", style.paint(Ink::Bold, one_line(name)));
    for (step, outcome) in &judged.steps {
        let (mark, ink, detail) = match outcome {
            Outcome::Answered(refusal) => ('=', Ink::Good, refusal.detail.to_string()),
            Outcome::Pass(detail) => ('✓', Ink::Good, detail.clone()),
            Outcome::Fail(refusal) => ('✗', Ink::Bad, refusal.to_string()),
            Outcome::Monitored(refusal) => ('!', Ink::Warn, format!("monitored, {refusal}")),
            Outcome::Moot(why) => ('-', Ink::Dim, (*why).to_owned()),
        };
        let line = format!("  {} {step:<10} {}", style.paint(ink, mark), one_line(&detail));
        let _infallible = writeln!(out, "{}", line.trim_end());
    }
    for miss in &judged.misses {
        let _infallible = writeln!(out, "  {} {miss}", style.paint(Ink::Warn, "near miss:"));
    }
    let code = judged.verdict();
    if code == Code::SignatureMismatch && judged.misses.is_empty() {
        let text = "no near miss: it was made with another key, or changed since";
        let _infallible = writeln!(out, "  {}", style.paint(Ink::Dim, text));
    }
    let ink = if code == Code::Forwarded { Ink::Good } else { Ink::Bad };
    let _infallible = writeln!(out, "  = {}", style.paint(ink, code));
    out
}

fn object(name: &str, judged: &Judged) -> serde_json::Value {
    let step = |(name, outcome): &(&str, Outcome)| {
        let (outcome, detail) = match outcome {
            Outcome::Answered(refusal) => ("answered", refusal.detail.to_string()),
            Outcome::Pass(detail) => ("pass", detail.clone()),
            Outcome::Fail(refusal) => ("fail", refusal.to_string()),
            Outcome::Monitored(refusal) => ("waived", refusal.to_string()),
            Outcome::Moot(why) => ("moot", (*why).to_owned()),
        };
        json!({ "step": name, "outcome": outcome, "detail": detail })
    };
    let misses = judged.misses.iter().map(ToString::to_string);
    json!({
        "request": name,
        "verdict": judged.verdict().as_str(),
        "steps": judged.steps.iter().map(step).collect::<Vec<_>>(),
        "near_misses": misses.collect::<Vec<_>>(),
    })
}
