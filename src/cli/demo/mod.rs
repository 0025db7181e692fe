//! `hookward demo`: the first minute of a new user, with no file at all.

mod deliveries;

use std::{
    fmt::Write as _,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, mpsc},
    time::Duration,
};

use self::deliveries::{Delivery, SECRET, deliveries};
use super::{
    Exit,
    sign::send,
    style::{Ink, Style, failed, print},
};
use crate::{
    clock::Clock,
    decision::Code,
    process::{Options, Process, StartError},
    telemetry::{Conclusion, Observer},
};

/// Shows what the gateway does, with no file at all.
///
/// Starts a gateway on loopback, sends it real deliveries, a forged one, a stale one, a replay and a
/// redelivery, and prints what it decided and why. Then it keeps running, for you to try it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Ends after the table
    #[arg(long)]
    once: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Exit {
    let style = Style::stdout();
    let (tell, told) = mpsc::channel();
    let process = match start(tell, args.once) {
        Ok(process) => process,
        Err(error) => return failed(&error),
    };
    let Some(address) = process.addresses().first().copied() else { return Exit::No };
    let exit = match show(address, &told, style) {
        Ok((text, as_expected)) => match print(&text) {
            Exit::Yes if !as_expected => Exit::No,
            exit => exit,
        },
        Err(error) => failed(&error),
    };
    if args.once || exit != Exit::Yes {
        process.stop();
        return exit;
    }
    let text = format!(
        "Try it: hookward send --provider github --secret {SECRET} --url http://{address}/github\n\
         {}Every decision is shown here; Ctrl-C ends it.\n",
        call().map(|call| format!("(hookward is {call} here.) ")).unwrap_or_default()
    );
    let exit = print(&text);
    std::thread::spawn(move || {
        for decided in told {
            // Somebody who pipes the output and closes it has seen enough.
            if print(&format!("{}\n", decided.line)) != Exit::Yes {
                return;
            }
        }
    });
    process.run_until_told();
    exit
}

/// What the gateway told of one decision.
struct Decided {
    code: Code,
    status: u16,
    why: Option<String>,
    line: String,
}

/// Starts on the port that examples use, or on any other if it is taken.
fn start(tell: mpsc::Sender<Decided>, once: bool) -> Result<Process, String> {
    // A sender cannot be shared between the gateway's threads.
    let tell = Mutex::new(tell);
    let observer: Observer = Arc::new(move |conclusion, took| {
        let tell = tell.lock().unwrap_or_else(PoisonError::into_inner);
        let _nobody_listens = tell.send(decided(conclusion, took));
    });
    let start = |port| {
        let file = Scratch::write(&deliveries::configuration(port))?;
        let mut options = Options::new(file.0.clone(), Clock::system());
        options.dev = true;
        options.signals = !once;
        options.observer = Some(Arc::clone(&observer));
        Process::start(options)
    };
    let started = match start(8080) {
        Err(StartError::Bind(_)) => start(0),
        other => other,
    };
    started.map_err(|error| error.to_string())
}

fn decided(conclusion: &Conclusion<'_>, took: Duration) -> Decided {
    let why = conclusion.refusal.map(|refusal| refusal.detail.to_string());
    let line = crate::telemetry::readable(conclusion, took);
    Decided { code: conclusion.code, status: conclusion.status, why, line }
}

/// Sends everything, and puts what came of it into a table.
fn show(
    address: SocketAddr,
    told: &mpsc::Receiver<Decided>,
    style: Style,
) -> Result<(String, bool), String> {
    let mut text = String::new();
    let heading = format!("  {:<34} {:<7} {:<19} {}", "SENT", "ANSWER", "DECISION", "WHY");
    let _infallible = writeln!(text, "{}", style.paint(Ink::Bold, heading));
    let (mut forwarded, mut refused, mut acknowledged) = (0, 0, 0);
    let mut as_expected = true;
    for Delivery { provider, what, request, expected } in deliveries(address)? {
        let answer = send::send(&request)?;
        let decided = told
            .recv_timeout(Duration::from_secs(10))
            .map_err(|_| "the gateway told of no decision".to_owned())?;
        let (mark, ink) = match decided.code {
            Code::Forwarded => ('✓', Ink::Good),
            Code::Duplicate => ('=', Ink::Warn),
            _ => ('✗', Ink::Bad),
        };
        match decided.code {
            Code::Forwarded => forwarded += 1,
            Code::Duplicate => acknowledged += 1,
            _ => refused += 1,
        }
        let why = decided.why.unwrap_or_else(|| proven(&answer.body));
        let right = decided.code == expected && answer.status.as_u16() == decided.status;
        as_expected &= right;
        let surprise = if right { "" } else { "  (unexpected!)" };
        let _infallible = writeln!(
            text,
            "{} {provider:<7} {what:<26} {:<7} {:<19} {}{surprise}",
            style.paint(ink, mark),
            answer.status.as_u16(),
            decided.code.as_str(),
            why,
        );
    }
    let verdict = if as_expected { "as expected" } else { "NOT as expected" };
    let _infallible = writeln!(
        text,
        "{forwarded} forwarded, {refused} refused, {acknowledged} acknowledged: {verdict}"
    );
    Ok((text, as_expected))
}

/// What the receiver was told, as the receiver inside the gateway says.
fn proven(answer: &[u8]) -> String {
    let heard: serde_json::Value = serde_json::from_slice(answer).unwrap_or_default();
    heard
        .pointer("/hookward/verified")
        .and_then(|text| text.as_str())
        .unwrap_or("nothing was proven")
        .to_owned()
}

/// How to call this program again: as it was called, where that is no name that a shell finds.
fn call() -> Option<String> {
    std::env::args().next().filter(|call| call.contains('/'))
}

/// A file that only this process reads, and that is gone when it is no longer needed.
struct Scratch(PathBuf);

impl Scratch {
    fn write(text: &str) -> std::io::Result<Self> {
        let name = format!("hookward-demo-{:016x}.toml", fastrand::u64(..));
        let path = std::env::temp_dir().join(name);
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        std::io::Write::write_all(&mut options.open(&path)?, text.as_bytes())?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _left_behind = std::fs::remove_file(&self.0);
    }
}
