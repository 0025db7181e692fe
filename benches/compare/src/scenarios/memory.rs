//! Resident memory: at work, and with many idle connections.

use super::Report;
use crate::{
    bench::{Bench, Setup},
    failure::Failure,
    load::{Reuse, Until},
    peers::{Haproxy, Hookward, Nginx, Peer},
    race::Contender,
    table::{Table, figure},
    usage::Tree,
};

/// After the start, after ten thousand requests on 32 connections, and with two thousand
/// connections that are idle after one request each.
pub fn memory(bench: &Bench) -> Result<Report, Failure> {
    let receiver = bench.receiver(false, false)?;
    let hookward = Hookward::new(&bench.options.hookward);
    let peers: [&dyn Peer; 3] = [&Nginx, &Haproxy::SMALL, &hookward];
    let columns = ["gateway", "started: MB", "32 connections: MB", "2,000 idle connections: MB"];
    let mut table = Table::new(columns);
    let mut last = [0.0; 3];
    for peer in peers {
        let busy = bench.start(peer, Setup::plain(&receiver))?;
        let started = megabytes(Tree::of(busy.id()).resident_kib());
        let mut plan = bench.burst(&busy);
        (plan.connections, plan.until) = (32, Until::Answers(10_000));
        let working = bench.run(&Contender::new(peer.name(), &busy, plan))?.resident_kib;
        let calm = bench.start(peer, Setup::plain(&receiver))?;
        let mut plan = bench.burst(&calm);
        plan.reuse = Reuse::Once;
        (plan.connections, plan.until) = (MANY, Until::Answers(MANY as u64));
        let idle = bench.run(&Contender::new(peer.name(), &calm, plan))?.resident_kib;
        last = [started, megabytes(working), megabytes(idle)];
        let [started, working, idle] = last.map(figure);
        table.row([peer.name(), started, working, idle]);
    }
    let [started, working, idle] = last;
    Ok(Report::new(table)
        .figure("mb-base", Some(working))
        .figure("kb-connection", Some((idle - started) * 1e3 / MANY as f64)))
}

fn megabytes(kib: u64) -> f64 {
    kib as f64 * 1024.0 / 1e6
}

const MANY: usize = 2_000;
