//! `hookward routes`.

use super::Exit;

/// Shows what is in force.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
pub fn run(_args: &Args) -> Exit {
    todo!()
}
