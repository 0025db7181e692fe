//! `hookward demo`.

use super::Exit;

/// Shows what the gateway does, with no file at all.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
pub fn run(_args: &Args) -> Exit {
    todo!()
}
