//! One core and two.

use super::{Report, throughput::against};
use crate::{
    bench::{Bench, Setup},
    failure::Failure,
    peers::{Haproxy, Hookward, Nginx, Peer},
    race::{Contender, race},
    table::{Table, median},
};

/// CPU a request with one worker and with two. On a machine of two cores the second worker shares
/// its core with the generator: CPU a request still counts, requests a second do not.
pub fn cores(bench: &Bench) -> Result<Report, Failure> {
    let receiver = bench.receiver(false, false)?;
    let hookward = Hookward::new(&bench.options.hookward);
    let peers: [&dyn Peer; 3] = [&Nginx, &Haproxy::SMALL, &hookward];
    let mut servers = Vec::new();
    for peer in peers {
        for two_cores in [false, true] {
            let setup = Setup { two_cores, ..Setup::plain(&receiver) };
            servers.push((bench.start(peer, setup)?, peer.name(), two_cores));
        }
    }
    let contenders: Vec<_> = servers
        .iter()
        .map(|(server, name, two)| {
            let name = format!("{name}, {}", if *two { "2 cores" } else { "1 core" });
            Contender::new(name, server, bench.burst(server))
        })
        .collect();
    let tracks = race(bench, &contenders, bench.options.rounds.div_ceil(2))?;
    let columns = ["gateway", "1 core: µs", "2 cores: µs", "2 × 1", "1: × nginx", "2: × nginx"];
    let mut table = Table::new(columns);
    let pairs: Vec<_> = tracks.chunks_exact(2).collect();
    let Some([nginx_one, nginx_two]) = pairs.first() else { return Ok(Report::new(table)) };
    for (pair, peer) in pairs.iter().zip(peers) {
        let [one, two] = pair else { continue };
        table.row([
            peer.name(),
            median(one.cpu()),
            median(two.cpu()),
            against(two, one),
            against(one, nginx_one),
            against(two, nginx_two),
        ]);
    }
    Ok(Report::new(table))
}
