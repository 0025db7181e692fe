//! `hookward run`.

use super::Exit;

/// Runs the gateway.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
pub fn run(_args: &Args) -> Exit {
    todo!()
}
