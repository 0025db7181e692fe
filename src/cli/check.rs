//! `hookward check`.

use super::Exit;

/// Validates and lints a configuration.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
pub fn run(_args: &Args) -> Exit {
    todo!()
}
