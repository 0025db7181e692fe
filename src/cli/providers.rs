//! `hookward providers`.

use super::Exit;

/// Shows the catalogue, or one definition.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
pub fn run(_args: &Args) -> Exit {
    todo!()
}
