//! `hookward init`.

use super::Exit;

/// Prints a commented configuration.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
pub fn run(_args: &Args) -> Exit {
    todo!()
}
