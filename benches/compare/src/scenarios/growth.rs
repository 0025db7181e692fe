//! How the cost of a request grows: with its body, with secrets, routes and connections.

use super::{Report, throughput::against};
use crate::{
    bench::{Bench, Setup},
    failure::Failure,
    peers::{Haproxy, Hookward, Nginx, Peer},
    process::Server,
    race::{Contender, Track, race},
    table::{Table, count, figure, median},
};

/// Bodies of 256 B to 256 KiB.
pub fn sizes(bench: &Bench) -> Result<Report, Failure> {
    let columns = [
        "body",
        "nginx µs",
        "HAProxy µs",
        "Hookward µs",
        "Hookward × nginx",
        "Hookward × HAProxy",
        "Hookward RSS MB",
    ];
    let mut table = Table::new(columns);
    let mut costs = Vec::new();
    for size in [256, 1_024, 16_384, 262_144] {
        let receiver = bench.receiver(false, false)?;
        let haproxy = Haproxy { body: size, checks: true };
        let tracks = three(bench, &receiver, haproxy, |plan| plan.size = size)?;
        let [nginx, haproxy, hookward] = tracks.as_slice() else { continue };
        table.row([
            bytes(size),
            median(nginx.cpu()),
            median(haproxy.cpu()),
            median(hookward.cpu()),
            against(hookward, nginx),
            against(hookward, haproxy),
            figure(hookward.resident_mb()),
        ]);
        costs.extend(hookward.cpu().map(|cpu| (size, cpu.median)));
    }
    let slope = |from: usize, to: usize| {
        let cost = |size| costs.iter().find(|(known, _)| *known == size).map(|(_, cost)| *cost);
        Some((cost(to)? - cost(from)?) / ((to - from) as f64 / 1024.0))
    };
    Ok(Report::new(table)
        .figure("cpu-kib", slope(1_024, 16_384))
        .figure("cpu-kib-large", slope(16_384, 262_144)))
}

/// One connection to two thousand.
pub fn connections(bench: &Bench) -> Result<Report, Failure> {
    let columns = [
        "connections",
        "nginx µs",
        "HAProxy µs",
        "Hookward µs",
        "Hookward × nginx",
        "nginx RSS MB",
        "HAProxy RSS MB",
        "Hookward RSS MB",
    ];
    let mut table = Table::new(columns);
    for connections in [1, 32, 512, 2_000] {
        let receiver = bench.receiver(false, false)?;
        let haproxy = Haproxy { body: bench.options.size, checks: true };
        let tracks = three(bench, &receiver, haproxy, |plan| plan.connections = connections)?;
        let [nginx, haproxy, hookward] = tracks.as_slice() else { continue };
        table.row([
            count(connections as u64),
            median(nginx.cpu()),
            median(haproxy.cpu()),
            median(hookward.cpu()),
            against(hookward, nginx),
            figure(nginx.resident_mb()),
            figure(haproxy.resident_mb()),
            figure(hookward.resident_mb()),
        ]);
    }
    Ok(Report::new(table))
}

/// One, two and eight secrets a route; the last one signs.
pub fn secrets(bench: &Bench) -> Result<Report, Failure> {
    let variants = [1, 2, 8].map(|secrets| Variant {
        gateway: Hookward { secrets, ..Hookward::new(&bench.options.hookward) },
        label: secrets.to_string(),
        routes: 1,
        secret: secrets - 1,
    });
    let (table, tracks) = variants_of(bench, &variants, "secrets a route")?;
    let costs: Vec<_> = tracks.iter().filter_map(Track::cpu).collect();
    let each = |from: f64, to: f64| (to - from) / 7.0;
    let slope = match costs.as_slice() {
        [_, one, _, eight] => Some(each(one.median, eight.median)),
        _ => None,
    };
    Ok(Report::new(table).figure("cpu-secret", slope))
}

/// One, a hundred and ten thousand routes; deliveries to all of them in turn, or to one.
pub fn routes(bench: &Bench) -> Result<Report, Failure> {
    let variants = [(1, 1), (100, 100), (10_000, 1), (10_000, 10_000)].map(|(routes, used)| {
        let to = if used > 1 { "to all in turn" } else { "to one" };
        Variant {
            gateway: Hookward { routes, ..Hookward::new(&bench.options.hookward) },
            label: format!("{}, {to}", count(routes as u64)),
            routes: used,
            secret: 0,
        }
    });
    let (table, tracks) = variants_of(bench, &variants, "routes")?;
    let each = match tracks.as_slice() {
        [_, one, _, many, _] => Some((many.resident_mb() - one.resident_mb()) * 1e3 / 9_999.0),
        _ => None,
    };
    Ok(Report::new(table).figure("kb-route", each))
}

/// One way to set the gateway up, and what is sent to it.
struct Variant {
    gateway: Hookward,
    label: String,
    routes: usize,
    secret: usize,
}

/// Races nginx and all variants, each beside the first.
fn variants_of(
    bench: &Bench,
    variants: &[Variant],
    what: &str,
) -> Result<(Table, Vec<Track>), Failure> {
    let receiver = bench.receiver(false, false)?;
    let setup = Setup::plain(&receiver);
    let mut servers = vec![bench.start(&Nginx, setup)?];
    for variant in variants {
        servers.push(bench.start(&variant.gateway, setup)?);
    }
    let mut contenders = Vec::new();
    for (place, server) in servers.iter().enumerate() {
        let variant = place.checked_sub(1).and_then(|place| variants.get(place));
        let mut plan = bench.burst(server);
        if let Some(variant) = variant {
            (plan.routes, plan.secret) = (variant.routes, variant.secret);
        }
        let name = variant.map_or("nginx".into(), |variant| variant.label.clone());
        contenders.push(Contender::new(name, server, plan));
    }
    let tracks = race(bench, &contenders, bench.options.rounds)?;
    let columns = [what, "CPU µs a request", "× nginx", "× the first", "RSS MB", "start s"];
    let mut table = Table::new(columns);
    if let [nginx, first, ..] = tracks.as_slice() {
        for (track, server) in tracks.iter().zip(&servers).skip(1) {
            table.row([
                track.name.clone(),
                median(track.cpu()),
                against(track, nginx),
                against(track, first),
                figure(track.resident_mb()),
                figure(server.started_in().as_secs_f64()),
            ]);
        }
    }
    Ok((table, tracks))
}

/// Races the three gateways with a changed burst, in half of the rounds.
fn three(
    bench: &Bench,
    receiver: &Server,
    haproxy: Haproxy,
    change: impl Fn(&mut crate::load::Plan),
) -> Result<Vec<Track>, Failure> {
    let setup = Setup::plain(receiver);
    let hookward = Hookward::new(&bench.options.hookward);
    let peers: [(&dyn Peer, &str); 3] =
        [(&Nginx, "nginx"), (&haproxy, "HAProxy"), (&hookward, "Hookward")];
    let mut servers = Vec::new();
    for (peer, name) in peers {
        servers.push((bench.start(peer, setup)?, name));
    }
    let contenders: Vec<_> = servers
        .iter()
        .map(|(server, name)| {
            let mut plan = bench.burst(server);
            change(&mut plan);
            Contender::new(*name, server, plan)
        })
        .collect();
    race(bench, &contenders, bench.options.rounds.div_ceil(2))
}

/// A size as people write it.
fn bytes(size: usize) -> String {
    if size < 1024 { format!("{size} B") } else { format!("{} KiB", size / 1024) }
}
