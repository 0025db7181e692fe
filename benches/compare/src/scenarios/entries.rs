//! Replay entries: what each costs in memory, and whether many make a request dearer.

use super::{Report, throughput::against};
use crate::{
    bench::{Bench, Setup},
    failure::Failure,
    load::{Outcome, Until},
    peers::{Hookward, Nginx},
    race::{Contender, race},
    table::{Table, count, figure, median},
};

/// Fills a fresh gateway with so many deliveries, then races it. The race adds entries too, so
/// the smallest numbers are those at its beginning.
pub fn entries(bench: &Bench) -> Result<Report, Failure> {
    let columns = [
        "entries before",
        "CPU µs a request",
        "× nginx",
        "RSS MB, filled",
        "filled at, deliveries/s",
    ];
    let mut table = Table::new(columns);
    let mut filled_kib = Vec::new();
    let mut entries = 1_000;
    while entries <= bench.options.entries {
        let receiver = bench.receiver(false, false)?;
        let setup = Setup::plain(&receiver);
        let nginx = bench.start(&Nginx, setup)?;
        let hookward = bench.start(&Hookward::new(&bench.options.hookward), setup)?;
        let mut plan = bench.burst(&hookward);
        plan.until = Until::Answers(entries);
        let Outcome { resident_kib, answers, seconds, .. } =
            bench.run(&Contender::new("Hookward, filling", &hookward, plan))?;
        filled_kib.push((entries, resident_kib));
        let contenders = [
            Contender::new("nginx", &nginx, bench.burst(&nginx)),
            Contender::new("Hookward", &hookward, bench.burst(&hookward)),
        ];
        let tracks = race(bench, &contenders, bench.options.rounds.div_ceil(2))?;
        if let [nginx, hookward] = tracks.as_slice() {
            table.row([
                count(entries),
                median(hookward.cpu()),
                against(hookward, nginx),
                figure(resident_kib as f64 * 1024.0 / 1e6),
                figure(answers as f64 / seconds),
            ]);
        }
        entries *= 10;
    }
    let each = filled_kib.first().zip(filled_kib.last()).filter(|(first, last)| first.0 < last.0);
    let each = each.map(|(first, last)| {
        (last.1.saturating_sub(first.1) * 1024) as f64 / (last.0 - first.0) as f64
    });
    Ok(Report::new(table).figure("bytes-entry", each))
}
