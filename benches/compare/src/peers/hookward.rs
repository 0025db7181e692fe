//! Hookward with everything on: signature, replay, rate limits, metrics.

use super::{Command, Peer, Site};
use crate::message::{path, secret};

/// How Hookward is set up.
#[derive(Clone, Debug)]
pub struct Hookward {
    /// Its program.
    pub program: String,
    /// What tells it from others in a table; may be empty.
    pub variant: String,
    /// How many routes it has, each with secrets of its own.
    pub routes: usize,
    /// How many secrets a route has.
    pub secrets: usize,
    /// Whether it writes an audit line for each decision.
    pub audit: bool,
}

impl Hookward {
    /// One route, one secret, no audit.
    pub fn new(program: &str) -> Self {
        let program = program.to_owned();
        Self { program, variant: String::new(), routes: 1, secrets: 1, audit: false }
    }

    fn route(&self, number: usize, site: &Site) -> String {
        let secrets: Vec<_> = (0..self.secrets)
            .map(|nth| format!("{{ value = \"{}\", id = \"s{nth}\" }}", secret(number, nth)))
            .collect();
        // One route may take all deliveries of a run; the others share what is left.
        let most = if number == 0 { "replay.max_entries = 15_000_000\n" } else { "" };
        format!(
            "
[routes.r{number:05}]
path = \"{}\"
provider = \"github\"
secrets = [{}]
upstream = \"http://{}\"
{most}\
rate_limit.per_source = {LIMIT}
rate_limit.failures = {LIMIT}
rate_limit.per_route = {LIMIT}
",
            path(number),
            secrets.join(", "),
            site.upstream
        )
    }
}

impl Peer for Hookward {
    fn name(&self) -> String {
        match self.variant.as_str() {
            "" => "Hookward, everything on".into(),
            variant => format!("Hookward, {variant}"),
        }
    }

    fn command(&self, site: &Site) -> Command {
        let mut file = format!("[server]\nlisten = [\"{}\"]\n", site.listen);
        if let Some(files) = &site.tls {
            let (certificate, key) = (&files.certificate, &files.key);
            file += &format!(
                "[[server.tls]]\ncertificate = \"{certificate}\"\nprivate_key = \"{key}\"\n"
            );
        }
        // All senders of a measurement come from one address.
        file += "[server.limits]\nconnections_per_source = 10_000\n";
        file += "[admin]\nlisten = \"127.0.0.1:0\"\n";
        file += "[replay]\nmax_entries = 30_000_000\n";
        if self.audit {
            file += &format!("[log]\naudit = \"{}/audit.jsonl\"\n", site.folder);
        }
        file.extend((0..self.routes).map(|number| self.route(number, site)));
        let configuration = format!("{}/hookward.toml", site.folder);
        Command {
            program: self.program.clone(),
            arguments: vec!["run".into(), "-c".into(), configuration],
            file: ("hookward.toml", file),
        }
    }

    fn refuses_with(&self) -> u16 {
        401
    }
}

/// In force, and never reached.
const LIMIT: &str = "{ rate = \"100000000/1m\", burst = 1000000 }";
