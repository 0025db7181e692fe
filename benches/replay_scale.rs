//! What the replay store costs as it grows: memory, time per delivery, and the longest pause.
//!
//! `cargo bench --bench replay_scale [-- ENTRIES]`, a power of ten up to 10,000,000 (default
//! 1,000,000). Each size runs in rounds, and the smallest of each number counts: what the store does
//! shows in every round, what the machine does beside it does not. For the same reason a pause in
//! which the core was given to another process is left out.

use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use hookward::{
    config::model::{OnDuplicate, OnError, OnFull, OnReplay, Replay, StatusSet},
    replay::{Claimed, ContentClaim, Duplicates, Registry, RouteStore, Taken},
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const WINDOW: Duration = Duration::from_secs(24 * 60 * 60);
const LEASE: Duration = Duration::from_secs(35);
const ROUNDS: usize = 3;
/// Deliveries whose time is taken once the store holds its entries.
const AFTER: usize = 50_000;
/// What takes longer may have been interrupted.
const LONG: Duration = Duration::from_micros(100);
/// Deliveries during which all that expires.
const LATER: usize = 20_000;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        // One round in a process of its own, so that no memory is there from another.
        ["round", size, arrival, seed] => {
            let number = |text: &str| text.parse().expect("a number");
            let arrival = Arrival::ALL.into_iter().find(|one| one.name() == *arrival);
            run(number(size), arrival.expect("an arrival"), number(seed) as u64).tell();
        }
        [] => all(1_000_000),
        [most] => all(most.parse().expect("how many entries")),
        _ => panic!("at most one number"),
    }
}

fn all(most: usize) {
    println!("One content key a delivery; ns, unless it says otherwise.\n");
    println!("{HEADER}");
    for size in (3..8).map(|power| 10_usize.pow(power)).filter(|size| *size <= most) {
        for arrival in Arrival::ALL {
            let rounds: Vec<_> =
                (0..ROUNDS).map(|seed| Round::apart(size, arrival, seed)).collect();
            println!("| {size:>10} | {:<13} {}", arrival.name(), Round::least(&rounds));
        }
    }
}

/// When the deliveries come.
#[derive(Clone, Copy)]
enum Arrival {
    /// All of them in one moment, and so into one time slot.
    AtOnce,
    /// Evenly over the window.
    OverTheWindow,
}

impl Arrival {
    const ALL: [Self; 2] = [Self::AtOnce, Self::OverTheWindow];

    const fn name(self) -> &'static str {
        match self {
            Self::AtOnce => "at once",
            Self::OverTheWindow => "over a window",
        }
    }

    fn at(self, number: usize, of: usize) -> Duration {
        match self {
            Self::AtOnce => Duration::ZERO,
            Self::OverTheWindow => WINDOW.mul_f64(number as f64 / of as f64),
        }
    }
}

/// What one round measured, in the order of the columns.
struct Round([f64; 9]);

const HEADER: &str = "\
|    entries | arriving      |    MB | B/entry |  mean |   p50 | p99.9 | worst µs | one more | a replay | expiry, worst µs |
|------------|---------------|-------|---------|-------|-------|-------|----------|----------|----------|------------------|";

impl Round {
    fn apart(size: usize, arrival: Arrival, seed: usize) -> Self {
        let program = std::env::current_exe().expect("this program");
        let round = ["round", &size.to_string(), arrival.name(), &seed.to_string()];
        let output = std::process::Command::new(program).args(round).output().expect("a process");
        let text = String::from_utf8_lossy(&output.stdout);
        let mut numbers = text.split_whitespace().filter_map(|word| word.parse().ok());
        Self(std::array::from_fn(|_| numbers.next().expect("nine numbers")))
    }

    fn tell(&self) {
        println!("{}", self.0.map(|number| number.to_string()).join(" "));
    }

    /// The smallest of each number, as a row of the table.
    fn least(rounds: &[Self]) -> String {
        let least = |at: usize| {
            rounds.iter().filter_map(|round| round.0.get(at)).copied().fold(f64::MAX, f64::min)
        };
        let widths = [5, 7, 5, 5, 5, 8, 8, 8, 16];
        let mut row = String::new();
        for (at, width) in widths.into_iter().enumerate() {
            let decimals = usize::from(at == 0);
            row += &format!("| {:>width$.decimals$} ", least(at));
        }
        row + "|"
    }
}

fn run(size: usize, arrival: Arrival, seed: u64) -> Round {
    let before = resident();
    let registry = Registry::new();
    let store = registry.route("bench", &rules(size + AFTER + LATER));
    let mut random = fastrand::Rng::with_seed(seed);
    let mut filling = Pauses::new();
    for number in 0..size {
        let (key, now) = (random.u128(..), arrival.at(number, size));
        filling.time(|| deliver(&store, key, now));
    }
    let bytes = resident().saturating_sub(before);
    assert_eq!(store.entries(), size, "every delivery left its entry");

    let now = arrival.at(size, size);
    let started = Instant::now();
    for _ in 0..AFTER {
        deliver(&store, random.u128(..), now);
    }
    let one_more = started.elapsed() / AFTER as u32;

    let mut again = fastrand::Rng::with_seed(seed);
    let replays = AFTER.min(size);
    let started = Instant::now();
    for _ in 0..replays {
        refuse(&store, again.u128(..), now);
    }
    let replayed = started.elapsed() / replays as u32;

    // Slot after slot expires while deliveries go on.
    let mut expiring = Pauses::new();
    for number in 0..LATER {
        let later = now + (WINDOW * 2).mul_f64(number as f64 / LATER as f64);
        let key = random.u128(..);
        expiring.time(|| deliver(&store, key, later));
    }
    assert!(store.entries() <= LATER, "what has expired is gone");
    let nanos = |time: Duration| time.as_nanos() as f64;
    Round([
        bytes as f64 / 1e6,
        bytes as f64 / size as f64,
        nanos(filling.total) / size as f64,
        filling.quantile(0.5),
        filling.quantile(0.999),
        nanos(filling.worst) / 1e3,
        nanos(one_more),
        nanos(replayed),
        nanos(expiring.worst) / 1e3,
    ])
}

fn claim(key: u128) -> Claimed<'static> {
    Claimed {
        content: Some(ContentClaim { key, body: None, lifetime: WINDOW }),
        ids: &[],
        id_body: None,
        duplicates: Duplicates::Tell,
        window: WINDOW,
    }
}

fn deliver(store: &Arc<RouteStore>, key: u128, now: Duration) {
    let reservation = store.reserve(&claim(key), LEASE, now);
    black_box(reservation).expect("a key that is new").commit(now);
}

fn refuse(store: &Arc<RouteStore>, key: u128, now: Duration) {
    match black_box(store.reserve(&claim(key), LEASE, now)) {
        Err(Taken::Replayed { .. }) => {}
        other => panic!("a replay was not noticed: {other:?}"),
    }
}

fn rules(max_entries: usize) -> Replay {
    Replay {
        window: WINDOW,
        max_entries,
        on_full: OnFull::Reject,
        on_error: OnError::Reject,
        on_replay: OnReplay::Reject,
        on_duplicate: OnDuplicate::Acknowledge,
        commit_on: StatusSet::parse(["2xx"]).expect("a pattern"),
    }
}

/// How often an operation took how long, in steps of an eighth of a power of two.
struct Pauses {
    counts: Vec<u64>,
    worst: Duration,
    total: Duration,
    /// How often the core had been given to another process when that was last asked.
    switches: u64,
}

impl Pauses {
    fn new() -> Self {
        let (worst, total) = (Duration::ZERO, Duration::ZERO);
        Self { counts: vec![0; 64 * 8], worst, total, switches: switches() }
    }

    fn time(&mut self, run: impl FnOnce()) {
        let started = Instant::now();
        run();
        let took = started.elapsed();
        self.total += took;
        if took > self.worst && took > LONG {
            let switches = switches();
            if switches == self.switches {
                self.worst = took;
            }
            self.switches = switches;
        } else {
            self.worst = self.worst.max(took);
        }
        let step = ((took.as_nanos().max(1) as f64).log2() * 8.0) as usize;
        if let Some(count) = self.counts.get_mut(step) {
            *count += 1;
        }
    }

    fn number(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The time that this part of all operations did not exceed, in nanoseconds.
    fn quantile(&self, part: f64) -> f64 {
        let wanted = (self.number() as f64 * part).ceil() as u64;
        let mut seen = 0;
        let reached = self.counts.iter().position(|count| {
            seen += count;
            seen >= wanted
        });
        ((reached.unwrap_or_default() + 1) as f64 / 8.0).exp2()
    }
}

/// How often this thread had to leave its core to others; zero where nobody says.
fn switches() -> u64 {
    let status = std::fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("nonvoluntary_ctxt_switches:"));
    line.and_then(|count| count.trim().parse().ok()).unwrap_or_default()
}

/// Bytes of this process that are in memory; zero where nobody says.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split_whitespace().nth(1).and_then(|pages| pages.parse::<usize>().ok());
    pages.unwrap_or_default() * 4096
}
