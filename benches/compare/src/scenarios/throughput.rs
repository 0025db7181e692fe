//! CPU a request when the gateway's core is full.

use super::Report;
use crate::{
    bench::{Bench, Setup},
    failure::Failure,
    peers::{Haproxy, Hookward, Nginx, Peer},
    race::{Contender, Track, race},
    table::{Table, figure, median, ratio},
};

/// Everything on, against nginx that verifies nothing and HAProxy with its own means.
pub fn plain(bench: &Bench) -> Result<Report, Failure> {
    let receiver = bench.receiver(false, false)?;
    let setup = Setup::plain(&receiver);
    let haproxy = Haproxy { body: bench.options.size, checks: true };
    let hookward = Hookward::new(&bench.options.hookward);
    let servers = [
        bench.start(&Nginx, setup)?,
        bench.start(&haproxy, setup)?,
        bench.start(&hookward, setup)?,
    ];
    let names = [Nginx.name(), haproxy.name(), hookward.name()];
    let contenders: Vec<_> = names
        .into_iter()
        .zip(&servers)
        .map(|(name, server)| Contender::new(name, server, bench.burst(server)))
        .collect();
    let tracks = race(bench, &contenders, bench.options.rounds)?;
    let [nginx, haproxy, hookward] = tracks.as_slice() else { return Ok(Report::default()) };
    let columns = [
        "gateway",
        "CPU µs a request",
        "× nginx",
        "× HAProxy",
        "user / system µs",
        "requests/s",
        "core busy",
        "RSS MB",
    ];
    let mut table = Table::new(columns);
    for track in &tracks {
        table.row([
            track.name.clone(),
            median(track.cpu()),
            against(track, nginx),
            against(track, haproxy),
            split(track),
            median(track.rate()),
            median(track.busy()),
            figure(track.resident_mb()),
        ]);
    }
    Ok(Report::new(table).figure("cpu-base", hookward.cpu().map(|cpu| cpu.median)))
}

/// What an audit line for each decision costs.
pub fn audit(bench: &Bench) -> Result<Report, Failure> {
    let receiver = bench.receiver(false, false)?;
    let setup = Setup::plain(&receiver);
    let off = Hookward { variant: "audit off".into(), ..Hookward::new(&bench.options.hookward) };
    let on = Hookward { variant: "audit on".into(), audit: true, ..off.clone() };
    let servers =
        [bench.start(&Nginx, setup)?, bench.start(&off, setup)?, bench.start(&on, setup)?];
    let contenders: Vec<_> = [Nginx.name(), off.name(), on.name()]
        .into_iter()
        .zip(&servers)
        .map(|(name, server)| Contender::new(name, server, bench.burst(server)))
        .collect();
    let tracks = race(bench, &contenders, bench.options.rounds)?;
    let [nginx, off, on] = tracks.as_slice() else { return Ok(Report::default()) };
    let mut table = Table::new(["gateway", "CPU µs a request", "× nginx", "× audit off", "RSS MB"]);
    for track in &tracks {
        table.row([
            track.name.clone(),
            median(track.cpu()),
            against(track, nginx),
            against(track, off),
            figure(track.resident_mb()),
        ]);
    }
    let more = on.cpu().zip(off.cpu()).map(|(on, off)| on.median - off.median);
    Ok(Report::new(table).figure("cpu-audit", more))
}

/// What refusing costs, against HAProxy's refusals.
pub fn forged(bench: &Bench) -> Result<Report, Failure> {
    let receiver = bench.receiver(false, false)?;
    let setup = Setup::plain(&receiver);
    let haproxy = Haproxy { body: bench.options.size, checks: true };
    let hookward = Hookward::new(&bench.options.hookward);
    let servers = [bench.start(&haproxy, setup)?, bench.start(&hookward, setup)?];
    let peers: [&dyn Peer; 2] = [&haproxy, &hookward];
    let mut contenders = Vec::new();
    for (peer, server) in peers.into_iter().zip(&servers) {
        let mut plan = bench.burst(server);
        plan.forged = true;
        let contender = Contender::new(peer.name(), server, plan);
        contenders.push(contender.expecting(peer.refuses_with()));
    }
    let tracks = race(bench, &contenders, bench.options.rounds)?;
    let [haproxy, hookward] = tracks.as_slice() else { return Ok(Report::default()) };
    let columns = ["gateway", "CPU µs a refusal", "× HAProxy", "user / system µs", "refusals/s"];
    let mut table = Table::new(columns);
    for track in &tracks {
        let (cpu, rate) = (median(track.cpu()), median(track.rate()));
        table.row([track.name.clone(), cpu, against(track, haproxy), split(track), rate]);
    }
    Ok(Report::new(table).figure("cpu-refusal", hookward.cpu().map(|cpu| cpu.median)))
}

/// A ratio, or 1 for the base itself.
pub fn against(track: &Track, base: &Track) -> String {
    if std::ptr::eq(track, base) { "1".into() } else { ratio(track.against(base)) }
}

fn split(track: &Track) -> String {
    let split = track.user_and_system();
    split.map_or("–".into(), |(user, system)| format!("{} / {}", figure(user), figure(system)))
}
