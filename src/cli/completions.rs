//! `hookward completions`.

use super::Exit;

/// Prints shell completions.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
pub fn run(_args: &Args) -> Exit {
    todo!()
}
