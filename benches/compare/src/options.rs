//! What can be asked for.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand};

use crate::scenarios::Scenario;

/// Compares Hookward with nginx and HAProxy on this machine, over loopback.
#[derive(Debug, Parser)]
#[command(args_conflicts_with_subcommands = true, subcommand_precedence_over_arg = true)]
pub struct Cli {
    /// A part of the comparison that runs as a process of its own.
    #[command(subcommand)]
    pub part: Option<Part>,
    /// The comparison itself.
    #[command(flatten)]
    pub options: Options,
}

/// What runs as a process of its own.
#[derive(Debug, Subcommand)]
pub enum Part {
    /// Sends what the plan (JSON) says, and prints the outcome.
    #[command(hide = true)]
    Load {
        /// The plan.
        plan: String,
    },
    /// Receives what the gateways let through.
    #[command(hide = true)]
    Upstream {
        /// Where to listen.
        address: SocketAddr,
        /// Judges every body.
        #[arg(long)]
        verify: bool,
    },
}

/// What to measure, and how.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// What to measure; `all` is everything
    #[arg(value_enum, default_value = "plain")]
    pub scenarios: Vec<Scenario>,
    /// Seconds of a measured burst
    #[arg(long, default_value_t = 0.3)]
    pub burst: f64,
    /// Seconds before each burst that do not count
    #[arg(long, default_value_t = 0.08)]
    pub warmup: f64,
    /// Rounds; in each, every gateway gets two bursts. Scenarios with many variants take half of them
    #[arg(long, default_value_t = 10)]
    pub rounds: usize,
    /// Connections at the same time
    #[arg(long, default_value_t = 32)]
    pub connections: usize,
    /// Bytes of a body
    #[arg(long, default_value_t = 1024)]
    pub size: usize,
    /// Requests a second of the scenario `latency`
    #[arg(long, default_value_t = 2_000)]
    pub rate: u32,
    /// Seconds of a measured stretch of the scenario `latency`
    #[arg(long, default_value_t = 1.5)]
    pub stretch: f64,
    /// The most replay entries of the scenario `entries`: each power of ten from a thousand on
    #[arg(long, default_value_t = 1_000_000)]
    pub entries: u64,
    /// CPUs of the gateway
    #[arg(long, default_value = "0")]
    pub gateway_cpus: String,
    /// CPUs of the gateway where it has two, in the scenario `cores`
    #[arg(long, default_value = "0,1")]
    pub two_cpus: String,
    /// CPUs of the load generator and of the receiver
    #[arg(long, default_value = "1")]
    pub load_cpus: String,
    /// The gateway's program
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/release/hookward"))]
    pub hookward: String,
    /// Prints tables as Markdown
    #[arg(long)]
    pub markdown: bool,
    /// A page in which the blocks that were measured are replaced; may be given several times
    #[arg(long)]
    pub write: Vec<PathBuf>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
        let cli = Cli::parse_from(["compare"]);
        assert_eq!(cli.options.scenarios, [Scenario::Plain]);
        let cli = Cli::parse_from(["compare", "tls", "memory", "--rounds", "3", "--write", "a"]);
        assert_eq!(cli.options.scenarios, [Scenario::Tls, Scenario::Memory]);
        let part = Cli::parse_from(["compare", "upstream", "127.0.0.1:1", "--verify"]).part;
        assert!(matches!(part, Some(Part::Upstream { verify: true, .. })));
    }
}
