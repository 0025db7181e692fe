//! `hookward schema`.

use super::{Exit, style::print};

/// Prints the JSON Schema of the configuration.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
pub fn run(_args: &Args) -> Exit {
    print(&format!("{:#}\n", crate::config::json_schema()))
}
