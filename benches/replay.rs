//! What remembering a delivery costs: one reservation and its commit, with no one else at it and
//! with others, and while the store holds much.
//!
//! `cargo bench --bench replay`

use std::{
    hint::black_box,
    sync::{Arc, Barrier},
    thread,
    time::{Duration, Instant},
};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hookward::{
    config::model::{OnDuplicate, OnError, OnFull, OnReplay, Replay, StatusSet},
    replay::{Claimed, ContentClaim, Duplicates, Registry, RouteStore},
};

const LEASE: Duration = Duration::from_secs(30);
const WINDOW: Duration = Duration::from_secs(1000);

fn route(registry: &Registry, name: &str) -> Arc<RouteStore> {
    registry.route(
        name,
        &Replay {
            window: WINDOW,
            max_entries: usize::MAX,
            on_full: OnFull::Reject,
            on_error: OnError::Reject,
            on_replay: OnReplay::Reject,
            on_duplicate: OnDuplicate::Acknowledge,
            commit_on: StatusSet::parse(["2xx"]).expect("a pattern"),
        },
    )
}

/// Deliveries that come evenly, so that about `held` of them are within the window.
struct Arrivals {
    every: Duration,
    first: u64,
    step: u64,
    count: u64,
}

impl Arrivals {
    /// Of one sender.
    fn new(held: u32) -> Self {
        Self::of_many(held, 0, 1)
    }

    /// Of one of several senders, which share the window.
    fn of_many(held: u32, first: u64, step: u64) -> Self {
        Self { every: WINDOW / held, first, step, count: 0 }
    }

    /// Lets so many arrive, and each of them be delivered.
    fn arrive(&mut self, store: &Arc<RouteStore>, count: u64) {
        for _ in 0..count {
            let number = self.first + self.step * self.count;
            self.count += 1;
            let now = Duration::from_nanos(number * self.every.as_nanos() as u64);
            // Any bijection spreads the keys as a digest would.
            let key = u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
            let claimed = Claimed {
                content: Some(ContentClaim { key, body: None, lifetime: WINDOW }),
                ids: &[],
                id_body: None,
                duplicates: Duplicates::Tell,
                window: WINDOW,
            };
            store.reserve(black_box(&claimed), LEASE, now).expect("a new key").commit(now);
        }
    }
}

/// Several threads at one route, or each at its own; 100 000 entries in all.
fn contention(c: &mut Criterion) {
    let mut group = c.benchmark_group("contention");
    group.throughput(Throughput::Elements(1));
    for (name, routes) in [("one-route", 1), ("a-route-each", 4)] {
        for threads in [1_usize, 2, 4] {
            group.bench_function(BenchmarkId::new(name, threads), |b| {
                b.iter_custom(|deliveries| together(threads, routes, deliveries));
            });
        }
    }
}

/// How long it takes for so many deliveries to be remembered by all threads together.
fn together(threads: usize, routes: usize, deliveries: u64) -> Duration {
    let registry = Registry::new();
    let start = Barrier::new(threads + 1);
    let share = deliveries.div_ceil(threads as u64);
    thread::scope(|scope| {
        for thread in 0..threads {
            let store = route(&registry, &(thread % routes).to_string());
            let mut arrivals = Arrivals::of_many(100_000, thread as u64, threads as u64);
            let start = &start;
            scope.spawn(move || {
                start.wait();
                arrivals.arrive(&store, share);
            });
        }
        start.wait();
        Instant::now()
    })
    .elapsed()
}

/// One more delivery, while the store holds so many and as many expire.
fn steady(c: &mut Criterion) {
    let mut group = c.benchmark_group("steady");
    for &held in HELD {
        let registry = Registry::new();
        let store = route(&registry, "bench");
        let mut arrivals = Arrivals::new(held);
        arrivals.arrive(&store, u64::from(held));
        group.bench_function(BenchmarkId::from_parameter(held), |b| {
            b.iter_custom(|deliveries| {
                let start = Instant::now();
                arrivals.arrive(&store, deliveries);
                start.elapsed()
            });
        });
    }
}

/// The longest that any one delivery takes while the store grows from nothing to so many.
fn pause(c: &mut Criterion) {
    let mut group = c.benchmark_group("pause");
    group.sample_size(10);
    for &held in HELD {
        group.bench_function(BenchmarkId::from_parameter(held), |b| {
            b.iter_custom(|times| (0..times).map(|_| worst_pause(held)).sum());
        });
    }
}

fn worst_pause(held: u32) -> Duration {
    let registry = Registry::new();
    let store = route(&registry, "bench");
    let mut arrivals = Arrivals::new(held);
    let one = |_| {
        let start = Instant::now();
        arrivals.arrive(&store, 1);
        start.elapsed()
    };
    (0..held).map(one).max().unwrap_or_default()
}

/// Without optimisation nothing is measured: it is only tried whether the benches run.
const HELD: &[u32] =
    if cfg!(debug_assertions) { &[1_000] } else { &[1_000, 10_000, 100_000, 1_000_000] };

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3));
    targets = contention, steady, pause
}
criterion_main!(benches);
