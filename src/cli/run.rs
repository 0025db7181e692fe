//! `hookward run`: the gateway.

use std::{net::IpAddr, sync::Arc};

use crate::{
    clock::Clock,
    process::{Options, Process, StartError},
};

use super::{Exit, config_arg::ConfigArg, decisions, style::Style};

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
        Err(message) => {
            eprintln!("error: {message}");
            return Exit::Usage;
        }
    };
    let mut options = Options::new(path, Clock::system());
    options.watch = args.watch;
    options.dev = args.dev;
    if args.dev {
        let style = Style::stdout();
        options.observer = Some(Arc::new(move |decided| println!("{}", decisions::line(decided, style))));
    }
    match Process::start(options) {
        Ok(process) => {
            if args.dev {
                announce(&process);
            }
            process.run_until_told();
            Exit::Yes
        }
        Err(error) => {
            report(&error);
            Exit::No
        }
    }
}

fn announce(process: &Process) {
    for address in process.addresses() {
        println!("listening on {address}; every decision is a line");
    }
}

fn report(error: &StartError) {
    match error {
        StartError::Config(problems) => {
            let style = Style::stderr();
            for problem in problems {
                eprintln!("{}", problem.render(style.has_colours()));
            }
        }
        other => eprintln!("error: {other}"),
    }
}

/// Whether an address is of this machine alone.
pub(super) fn is_loopback(address: IpAddr) -> bool {
    crate::net::canonical(address).is_loopback()
}
