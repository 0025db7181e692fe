//! `hookward run`: the gateway.

use std::{path::Path, sync::Arc};

use crate::{
    clock::Clock,
    process::{Options, Process, StartError},
    telemetry,
};

use super::{
    Exit,
    config_arg::ConfigArg,
    style::{Style, failed, usage},
};

/// Runs the gateway
///
/// SIGHUP reloads the configuration, with secrets, certificates and schemas; SIGTERM drains.
#[derive(Debug, Default, clap::Args)]
pub struct Args {
    #[command(flatten)]
    config: ConfigArg,
    /// Reload by itself: compares the contents of every file that was read, every 10 seconds
    #[arg(long)]
    watch: bool,
    /// For trying things out: loopback only, refusals say why, one readable line per decision
    #[arg(long)]
    dev: bool,
}

/// Runs until the process is told to end.
pub fn run(args: &Args) -> Exit {
    let path = match args.config.path() {
        Ok(path) => path,
        Err(message) => return usage(&message),
    };
    let mut options = Options::new(path.clone(), Clock::system());
    options.log = true;
    options.signals = true;
    options.watch = args.watch;
    options.dev = args.dev;
    if args.dev {
        options.observer = Some(Arc::new(|conclusion, took| {
            eprintln!("{}", telemetry::readable(conclusion, took));
        }));
    }
    match Process::start(options) {
        Ok(process) => {
            process.run_until_told();
            Exit::Yes
        }
        Err(error) => report(&path, &error),
    }
}

fn report(path: &Path, error: &StartError) -> Exit {
    match error {
        StartError::Config(problems) => {
            eprint!("{}", super::check::report(path, None, problems, Style::stderr()));
            Exit::No
        }
        other => failed(&other.to_string()),
    }
}
