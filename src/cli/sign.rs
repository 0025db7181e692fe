//! `hookward sign`.

mod print;
mod send;

use super::Exit;

/// Makes a request as a provider would.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
pub fn run(_args: &Args) -> Exit {
    todo!()
}
