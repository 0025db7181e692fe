//! Bursts in turn: A B C, A B C within each round, so that what is compared was measured side by side.

use crate::{
    bench::Bench,
    failure::Failure,
    load::{Outcome, Plan},
    process::Server,
    stats::Summary,
    usage::Usage,
};

/// One of those that are compared: a gateway, and what is sent to it.
#[derive(Clone, Debug)]
pub struct Contender<'a> {
    /// What it is called in tables.
    pub name: String,
    /// The status of every answer.
    pub status: u16,
    /// What is sent.
    pub plan: Plan,
    /// Whether the generator runs with real-time scheduling.
    pub realtime: bool,
    /// The gateway lives as long as its contender.
    _server: &'a Server,
}

impl<'a> Contender<'a> {
    /// Sends this to that gateway, and expects 200.
    pub fn new(name: impl Into<String>, server: &'a Server, plan: Plan) -> Self {
        Self { name: name.into(), status: 200, plan, realtime: false, _server: server }
    }

    /// Expects another status of every answer.
    #[must_use]
    pub fn expecting(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// Runs the generator with real-time scheduling, or not.
    #[must_use]
    pub fn realtime(self, realtime: bool) -> Self {
        Self { realtime, ..self }
    }
}

/// What one contender's bursts came to, round by round.
#[derive(Clone, Debug, Default)]
pub struct Track {
    /// What it is called in tables.
    pub name: String,
    rounds: Vec<Outcome>,
}

/// Runs all of them in turn, twice in each round; rounds begin with another one each.
pub fn race(
    bench: &Bench,
    contenders: &[Contender<'_>],
    rounds: usize,
) -> Result<Vec<Track>, Failure> {
    let named =
        |contender: &Contender<'_>| Track { name: contender.name.clone(), rounds: Vec::new() };
    let mut tracks: Vec<_> = contenders.iter().map(named).collect();
    for round in 0..rounds.max(1) {
        let mut sums: Vec<Option<Outcome>> = contenders.iter().map(|_| None).collect();
        for turn in 0..2 * contenders.len() {
            let place = (round + turn) % contenders.len();
            let (Some(contender), Some(sum)) = (contenders.get(place), sums.get_mut(place)) else {
                continue;
            };
            let outcome = bench.run(contender)?;
            *sum = Some(sum.take().map_or(outcome.clone(), |sum| together(&sum, &outcome)));
        }
        for (track, sum) in tracks.iter_mut().zip(sums) {
            track.rounds.extend(sum);
        }
        eprintln!("  round {}: {}", round + 1, line(&tracks));
    }
    Ok(tracks)
}

impl Track {
    /// CPU microseconds a request, by round.
    pub fn cpu_us(&self) -> Vec<f64> {
        let each = |round: &Outcome| round.usage.cpu_ns as f64 / 1e3 / round.answers.max(1) as f64;
        self.rounds.iter().map(each).collect()
    }

    /// The median of CPU microseconds a request.
    pub fn cpu(&self) -> Option<Summary> {
        Summary::of(self.cpu_us())
    }

    /// CPU a request against another's in the same rounds.
    pub fn against(&self, base: &Self) -> Option<Summary> {
        Summary::of_ratios(&self.cpu_us(), &base.cpu_us())
    }

    /// CPU microseconds a request in user mode and in the kernel: the exact sum, split by ticks.
    pub fn user_and_system(&self) -> Option<(f64, f64)> {
        let user: u64 = self.rounds.iter().map(|round| round.usage.user_ticks).sum();
        let system: u64 = self.rounds.iter().map(|round| round.usage.system_ticks).sum();
        let share = user as f64 / (user + system).max(1) as f64;
        self.cpu().map(|cpu| (cpu.median * share, cpu.median * (1.0 - share)))
    }

    /// Requests a second.
    pub fn rate(&self) -> Option<Summary> {
        Summary::of(self.rounds.iter().map(|round| round.answers as f64 / round.seconds))
    }

    /// How much of one core the gateway used: below 0.9 it waited for somebody.
    pub fn busy(&self) -> Option<Summary> {
        Summary::of(self.rounds.iter().map(|round| round.usage.cpu_ns as f64 / 1e9 / round.seconds))
    }

    /// The most resident memory, in MB.
    pub fn resident_mb(&self) -> f64 {
        let most = self.rounds.iter().map(|round| round.resident_kib).max();
        most.unwrap_or_default() as f64 * 1024.0 / 1e6
    }

    /// CPU microseconds that the generator itself spent on a request.
    pub fn generator_us(&self) -> Option<Summary> {
        let each = |round: &Outcome| round.own_cpu_ns as f64 / 1e3 / round.answers.max(1) as f64;
        Summary::of(self.rounds.iter().map(each))
    }

    /// Median latencies by round, in microseconds.
    pub fn p50_us(&self) -> Vec<f64> {
        self.rounds.iter().filter_map(|round| Some(round.latency?.p50_us)).collect()
    }

    /// Latencies that one request in a hundred exceeds, by round, in microseconds.
    pub fn p99_us(&self) -> Vec<f64> {
        self.rounds.iter().filter_map(|round| Some(round.latency?.p99_us)).collect()
    }
}

/// Two bursts of the same round as one.
fn together(one: &Outcome, other: &Outcome) -> Outcome {
    let usage = |one: Usage, other: Usage| Usage {
        cpu_ns: one.cpu_ns + other.cpu_ns,
        wait_ns: one.wait_ns + other.wait_ns,
        user_ticks: one.user_ticks + other.user_ticks,
        system_ticks: one.system_ticks + other.system_ticks,
    };
    let latency = one.latency.zip(other.latency).map(|(mut one, other)| {
        one.p50_us = f64::midpoint(one.p50_us, other.p50_us);
        one.p99_us = f64::midpoint(one.p99_us, other.p99_us);
        one
    });
    Outcome {
        seconds: one.seconds + other.seconds,
        answers: one.answers + other.answers,
        usage: usage(one.usage, other.usage),
        own_cpu_ns: one.own_cpu_ns + other.own_cpu_ns,
        resident_kib: one.resident_kib.max(other.resident_kib),
        latency,
        ..other.clone()
    }
}

/// The last round in one line: CPU a request, and how busy the gateway was.
fn line(tracks: &[Track]) -> String {
    let each = |track: &Track| {
        let last =
            Track { rounds: track.rounds.last().cloned().into_iter().collect(), ..track.clone() };
        let value = |summary: Option<Summary>| summary.map_or(0.0, |summary| summary.median);
        let (cpu, busy) = (value(last.cpu()), value(last.busy()));
        let own = value(last.generator_us());
        format!("{} {cpu:.1} µs (busy {busy:.2}, generator {own:.1})", track.name)
    };
    tracks.iter().map(each).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Latency;

    fn outcome(answers: u64, cpu_us: u64) -> Outcome {
        let usage =
            Usage { cpu_ns: answers * cpu_us * 1_000, user_ticks: 1, system_ticks: 3, wait_ns: 0 };
        let latency = Some(Latency { p50_us: 10.0, p99_us: 20.0 });
        Outcome { seconds: 0.5, answers, usage, latency, resident_kib: 1_000, ..Outcome::default() }
    }

    fn track(rounds: &[Outcome]) -> Track {
        Track { name: "x".into(), rounds: rounds.to_vec() }
    }

    #[test]
    fn two_bursts_of_a_round_count_by_their_requests() {
        let sum = together(&outcome(100, 10), &outcome(300, 20));
        let track = track(&[sum]);
        assert_eq!(track.cpu_us(), [17.5]);
        assert_eq!(track.rate().unwrap().median, 400.0);
        assert_eq!(track.p99_us(), [20.0]);
    }

    #[test]
    fn cpu_is_split_by_ticks_over_all_rounds() {
        let track = track(&[outcome(100, 12), outcome(100, 12)]);
        assert_eq!(track.user_and_system(), Some((3.0, 9.0)));
        assert!((track.busy().unwrap().median - 0.0024).abs() < 1e-9);
    }

    #[test]
    fn ratios_compare_the_same_rounds() {
        let (ours, base) = (
            track(&[outcome(100, 10), outcome(100, 20)]),
            track(&[outcome(100, 20), outcome(100, 40)]),
        );
        assert_eq!(ours.against(&base).unwrap().median, 0.5);
    }

    #[test]
    fn nothing_measured_is_no_figure() {
        let empty = Track::default();
        assert!(empty.cpu().is_none() && empty.user_and_system().is_none());
        assert_eq!(track(&[outcome(0, 0)]).cpu_us(), [0.0]);
    }
}
