//! The commands, one file each, and what they share: exit codes and how output is styled.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub mod check;
pub mod completions;
pub mod config_arg;
pub mod demo;
pub mod init;
mod input;
mod meant;
pub mod pair;
pub mod providers;
pub mod routes;
pub mod run;
pub mod schema;
pub mod secret_arg;
pub mod sign;
pub mod style;
pub mod verify;

/// How a command ended; the process exits with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: yes, or done.
    Yes,
    /// 1: no (a verdict), or something failed.
    No,
    /// 2: the call itself was wrong.
    Usage,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Yes => Self::SUCCESS,
            Exit::No => Self::from(1),
            Exit::Usage => Self::from(2),
        }
    }
}

/// A receiver-side verification gateway for webhooks.
#[derive(Debug, Parser)]
#[command(name = "hookward", version, after_help = AFTER_HELP)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

const AFTER_HELP: &str = "\
Alone, `hookward` is `hookward run`.
Exit codes: 0 yes, 1 no, 2 the call itself was wrong.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the gateway
    ///
    /// SIGHUP reloads the configuration with all that it names; what is wrong changes nothing.
    /// SIGTERM drains: requests in flight come to their end.
    Run(run::Args),
    /// Validates and lints a configuration
    Check(check::Args),
    /// Shows what is in force on each route, and why
    Routes(routes::Args),
    /// Prints a configuration to begin with
    Init(init::Args),
    /// Shows what the gateway does, with no file at all
    ///
    /// Starts a gateway on loopback, sends it real deliveries, a forged one, a stale one, a replay
    /// and a redelivery, and prints what it decided and why. Then it keeps running, for you to try.
    Demo(demo::Args),
    /// Shows the catalogue, or one definition
    Providers(providers::Args),
    /// Judges captured requests offline and explains
    Verify(verify::Args),
    /// Makes a request as a provider would
    Sign(sign::Args),
    /// Makes a request as a provider would, and sends it
    // It is `sign --send`: what that says by itself, and how it prints what is not printed, is left
    // out of the help.
    #[command(mut_arg("send", |arg| arg.hide(true)), mut_arg("format", |arg| arg.hide(true)))]
    Send(sign::Args),
    /// Has a running gateway take the key that a provider hands over
    ///
    /// Asana, for one, shows its key to nobody: it sends it in its first request. Nothing is taken
    /// unless the route is armed; then one key is, once, and never over another one.
    Pair(pair::Args),
    /// Prints the JSON Schema of the configuration, for editors
    Schema(schema::Args),
    /// Prints shell completions
    Completions(completions::Args),
}

/// Parses the command line and runs what it asks for.
pub fn main() -> Exit {
    match Cli::parse().command {
        None => run::run(&run::Args::default()),
        Some(Command::Run(args)) => run::run(&args),
        Some(Command::Init(args)) => init::run(&args),
        Some(Command::Check(args)) => check::run(&args),
        Some(Command::Routes(args)) => routes::run(&args),
        Some(Command::Demo(args)) => demo::run(&args),
        Some(Command::Providers(args)) => providers::run(&args),
        Some(Command::Sign(args)) => sign::run(&args),
        Some(Command::Verify(args)) => verify::run(&args),
        Some(Command::Pair(args)) => pair::run(&args),
        Some(Command::Schema(args)) => schema::run(&args),
        Some(Command::Completions(args)) => completions::run(&args),
        Some(Command::Send(args)) => sign::send(&args),
    }
}
