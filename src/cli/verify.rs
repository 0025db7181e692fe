//! `hookward verify`.

use super::Exit;

/// Judges captured requests offline and explains.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
pub fn run(_args: &Args) -> Exit {
    todo!()
}
