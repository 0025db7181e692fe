//! `hookward schema`.

use super::Exit;

/// Prints the JSON Schema of the configuration.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
pub fn run(_args: &Args) -> Exit {
    todo!()
}
