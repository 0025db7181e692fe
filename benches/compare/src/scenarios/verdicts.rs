//! Whether each gateway does what its figures are given for.

use super::Report;
use crate::{
    bench::{Bench, Setup},
    failure::Failure,
    load::Until,
    peers::{Haproxy, Hookward, Nginx, Peer},
    race::Contender,
    table::Table,
    upstream::stats,
};

/// Genuine deliveries, the same ones again, and forged ones, before a receiver that verifies
/// every body itself.
pub fn check(bench: &Bench) -> Result<Report, Failure> {
    let columns = [
        "gateway",
        "genuine, arrived",
        "repeated, arrived",
        "forged, arrived",
        "signatures that did not fit",
    ];
    let mut table = Table::new(columns);
    let hookward = Hookward::new(&bench.options.hookward);
    let peers: [&dyn Peer; 3] = [&Nginx, &Haproxy::SMALL, &hookward];
    for peer in peers {
        let receiver = bench.receiver(true, false)?;
        let server = bench.start(peer, Setup::plain(&receiver))?;
        let (first_id, other_id) = (bench.fresh_ids(), bench.fresh_ids());
        let judges = peer.refuses_with() != 200;
        let mut arrived = Vec::new();
        let mut before = 0;
        for (first_id, forged, status) in [
            (first_id, false, 200),
            (first_id, false, if judges { 409 } else { 200 }),
            (other_id, true, peer.refuses_with()),
        ] {
            let mut plan = bench.burst(&server);
            (plan.first_id, plan.forged, plan.until) = (first_id, forged, Until::Answers(EACH));
            bench.run(&Contender::new(peer.name(), &server, plan).expecting(status))?;
            let seen = stats(receiver.address()).map_err(Failure::Receiver)?.requests;
            arrived.push(format!("{} of {EACH}", seen - before));
            before = seen;
        }
        let seen = stats(receiver.address()).map_err(Failure::Receiver)?;
        if judges && (seen.requests != EACH || seen.bad_signatures + seen.repeats > 0) {
            bench.fault(format!("{}: {seen:?} of {EACH} genuine", peer.name()));
        }
        let [genuine, repeated, forged] = <[String; 3]>::try_from(arrived).unwrap_or_default();
        table.row([peer.name(), genuine, repeated, forged, seen.bad_signatures.to_string()]);
    }
    Ok(Report::new(table))
}

const EACH: u64 = 2_000;
