//! TLS 1.3 with X25519, AES-128-GCM and a P-256 certificate.

use super::{Report, throughput::against};
use crate::{
    bench::{Bench, Setup},
    failure::Failure,
    load::Reuse,
    peers::{Haproxy, Hookward, Nginx, Peer},
    race::{Contender, Track, race},
    table::{Table, median},
};

/// Requests on connections that stay open, and one request on each new connection: a full
/// handshake each. The last column is for clients that offer X25519MLKEM768 too: a gateway that
/// does not know it takes X25519.
pub fn tls(bench: &Bench) -> Result<Report, Failure> {
    let receiver = bench.receiver(false, false)?;
    let hookward = Hookward::new(&bench.options.hookward);
    let peers: [&dyn Peer; 3] = [&Nginx, &Haproxy::SMALL, &hookward];
    let setup = Setup { tls: true, ..Setup::plain(&receiver) };
    let mut servers = Vec::new();
    for peer in peers {
        servers.push(bench.start(peer, setup)?);
    }
    let certificate = bench.certificate_pem()?;
    let mut contenders = Vec::new();
    for (reuse, hybrid) in [(Reuse::Always, false), (Reuse::Never, false), (Reuse::Never, true)] {
        for (peer, server) in peers.into_iter().zip(&servers) {
            let mut plan = bench.burst(server);
            plan.certificate = Some(certificate.clone());
            (plan.reuse, plan.hybrid) = (reuse, hybrid);
            if reuse == Reuse::Never {
                plan.connections = 16;
            }
            contenders.push(Contender::new(peer.name(), server, plan));
        }
    }
    let tracks = race(bench, &contenders, bench.options.rounds.div_ceil(2))?;
    let (open, fresh) = tracks.split_at(peers.len());
    let (fresh, hybrid) = fresh.split_at(peers.len());
    let columns = [
        "gateway",
        "kept open: µs a request",
        "× nginx",
        "handshake + request: µs",
        "× nginx",
        "handshakes/s",
        "hybrid offered: µs",
    ];
    let mut table = Table::new(columns);
    let (Some(nginx_open), Some(nginx_fresh)) = (open.first(), fresh.first()) else {
        return Ok(Report::default());
    };
    for ((open, fresh), hybrid) in open.iter().zip(fresh).zip(hybrid) {
        table.row([
            open.name.clone(),
            median(open.cpu()),
            against(open, nginx_open),
            median(fresh.cpu()),
            against(fresh, nginx_fresh),
            median(fresh.rate()),
            median(hybrid.cpu()),
        ]);
    }
    let last = |tracks: &[Track]| tracks.last().and_then(Track::cpu).map(|cpu| cpu.median);
    Ok(Report::new(table)
        .figure("cpu-tls", last(open))
        .figure("cpu-handshake", last(fresh).zip(last(open)).map(|(fresh, open)| fresh - open)))
}
