//! What can be measured: each scenario is a function that starts gateways, races them and reports.

mod cores;
mod entries;
mod example;
mod growth;
mod latency;
mod memory;
mod report;
mod throughput;
mod tls;
mod verdicts;

use std::fmt;

use clap::ValueEnum;

pub use self::{example::example, report::Report};
use crate::{bench::Bench, failure::Failure};

/// What can be measured.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Scenario {
    /// Who refuses forged and repeated deliveries, and changes no byte of the others
    Check,
    /// CPU a request, everything on
    Plain,
    /// The same with an audit line for each decision
    Audit,
    /// Bodies of 256 B to 256 KiB
    Sizes,
    /// Refusals: every signature is wrong
    Forged,
    /// Open loop at a fixed rate, with real-time scheduling where it is permitted
    Latency,
    /// TLS: connections that stay open, and full handshakes
    Tls,
    /// Resident memory, busy and with idle connections
    Memory,
    /// One and two cores
    Cores,
    /// One, two and eight secrets a route
    Secrets,
    /// One, a hundred and ten thousand routes
    Routes,
    /// Replay entries, a thousand and more
    Entries,
    /// One connection to two thousand
    Connections,
    /// Everything
    All,
}

impl Scenario {
    /// Measures it.
    ///
    /// # Errors
    ///
    /// A gateway is missing or did not start, or the load generator failed.
    pub fn run(self, bench: &Bench) -> Result<Report, Failure> {
        match self {
            Self::Check => verdicts::check(bench),
            Self::Plain => throughput::plain(bench),
            Self::Audit => throughput::audit(bench),
            Self::Forged => throughput::forged(bench),
            Self::Sizes => growth::sizes(bench),
            Self::Secrets => growth::secrets(bench),
            Self::Routes => growth::routes(bench),
            Self::Connections => growth::connections(bench),
            Self::Cores => cores::cores(bench),
            Self::Entries => entries::entries(bench),
            Self::Latency => latency::latency(bench),
            Self::Tls => tls::tls(bench),
            Self::Memory => memory::memory(bench),
            Self::All => Ok(Report::default()),
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.to_possible_value();
        f.write_str(value.as_ref().map_or("", |value| value.get_name()))
    }
}

/// The scenarios in the order asked for, with `all` spelt out.
pub fn chosen(asked: &[Scenario]) -> Vec<Scenario> {
    if !asked.contains(&Scenario::All) {
        return asked.to_vec();
    }
    Scenario::value_variants().iter().copied().filter(|one| *one != Scenario::All).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_every_other_one() {
        assert_eq!(chosen(&[Scenario::Tls]), [Scenario::Tls]);
        let all = chosen(&[Scenario::Plain, Scenario::All]);
        assert_eq!(all.len(), Scenario::value_variants().len() - 1);
        assert!(!all.contains(&Scenario::All));
        assert_eq!(Scenario::Check.to_string(), "check");
    }
}
