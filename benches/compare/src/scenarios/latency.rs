//! Latency at a rate far below what a core can do: what real webhook traffic is like.

use super::Report;
use crate::{
    bench::{Bench, Setup},
    failure::Failure,
    load::Until,
    peers::{Haproxy, Hookward, Nginx, Peer},
    process::realtime_permitted,
    race::{Contender, race},
    stats::Summary,
    table::{Table, count, median, ratio},
};

/// Open loop: requests leave on time, whatever the answers do, and are timed from when they were
/// due.
pub fn latency(bench: &Bench) -> Result<Report, Failure> {
    // Beyond this rate, real-time processes would starve the machine.
    let realtime = bench.options.rate <= 5_000 && realtime_permitted();
    let receiver = bench.receiver(false, realtime)?;
    let hookward = Hookward::new(&bench.options.hookward);
    let peers: [&dyn Peer; 3] = [&Nginx, &Haproxy::SMALL, &hookward];
    let setup = Setup { realtime, ..Setup::plain(&receiver) };
    let mut servers = Vec::new();
    for peer in peers {
        servers.push(bench.start(peer, setup)?);
    }
    let mut contenders = Vec::new();
    for (peer, server) in peers.into_iter().zip(&servers) {
        let mut plan = bench.burst(server);
        plan.rate = Some(bench.options.rate);
        let measured_ms = (bench.options.stretch * 1e3) as u64;
        plan.until = Until::Window { warmup_ms: 200, measured_ms };
        contenders.push(Contender::new(peer.name(), server, plan).realtime(realtime));
    }
    let tracks = race(bench, &contenders, bench.options.rounds)?;
    let [nginx, _, hookward] = tracks.as_slice() else { return Ok(Report::default()) };
    let columns = ["gateway", "p50 µs", "× nginx", "p99 µs", "× nginx", "CPU µs a request"];
    let mut table = Table::new(columns);
    for track in &tracks {
        let against = |ours: &[f64], base: &[f64]| match std::ptr::eq(track, nginx) {
            true => "1".into(),
            false => ratio(Summary::of_ratios(ours, base)),
        };
        let (p50, p99) = (track.p50_us(), track.p99_us());
        table.row([
            track.name.clone(),
            median(Summary::of(p50.iter().copied())),
            against(&p50, &nginx.p50_us()),
            median(Summary::of(p99.iter().copied())),
            against(&p99, &nginx.p99_us()),
            median(track.cpu()),
        ]);
    }
    let note = format!(
        "{} requests/s, {}.",
        count(bench.options.rate.into()),
        if realtime { "SCHED_RR" } else { "without real-time scheduling, which is not permitted" }
    );
    Ok(Report::new(table).note(note).figure("cpu-quiet", hookward.cpu().map(|cpu| cpu.median)))
}
