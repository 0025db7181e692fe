//! `hookward verify`.

mod judge;
mod request;
mod target;
mod vectors;

use std::path::PathBuf;

use super::{Exit, config_arg::ConfigArg, style::usage};
use target::Target;

/// Judges captured requests offline and explains.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["request", "vectors"]))]
pub struct Args {
    /// Captured requests, - for standard input: raw HTTP/1.1, or lines of the vector format
    #[arg(long, value_name = "FILE", num_args = 1..)]
    request: Vec<PathBuf>,
    /// Files, or folders of files, of cases with a verdict
    #[arg(long, value_name = "PATH", num_args = 1.., conflicts_with_all = ["provider", "secret", "public_key", "file", "route", "at", "expect", "url"])]
    vectors: Vec<PathBuf>,
    /// Judges by this provider's definition
    #[arg(long, value_name = "NAME", conflicts_with_all = ["file", "route"])]
    provider: Option<String>,
    /// A secret, or env:NAME, or file:PATH; may be given several times
    #[arg(long, value_name = "SECRET", requires = "provider")]
    secret: Vec<String>,
    /// A public key in any form, or env:NAME, or file:PATH, where the provider signs with a private
    /// one; may be given several times
    #[arg(long, value_name = "KEY", requires = "provider")]
    public_key: Vec<String>,
    /// The URL registered at the provider, where it signs it; default: the request's own
    #[arg(long, value_name = "URL", requires = "provider")]
    url: Option<String>,
    #[command(flatten)]
    config: ConfigArg,
    /// Judges by this route of the configuration, its events, filters and schema too
    #[arg(long, value_name = "NAME")]
    route: Option<String>,
    /// The time of judgement in Unix seconds; default: the capture's own, else now
    #[arg(long, value_name = "UNIX")]
    at: Option<i64>,
    /// Succeeds if the verdict is this code instead of forwarded; KEY=VALUE, as with `sign`, says
    /// what the scheme must be told
    #[arg(long, value_name = "CODE")]
    expect: Vec<String>,
    /// How findings are written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// One JSON object.
    Json,
}

/// Runs the command.
pub fn run(args: &Args) -> Exit {
    let result = if args.vectors.is_empty() {
        request::run(args)
    } else {
        vectors::run(&args.vectors, args.format)
    };
    result.unwrap_or_else(|message| usage(&message))
}

#[cfg(test)]
mod tests;
