//! The part of a run that is measured.

use std::time::{Duration, Instant};

use super::{Latency, Outcome, Until};
use crate::{
    stats::quantile,
    usage::{Tree, Usage},
};

/// Counts what falls into the window, and knows when the run is over.
#[derive(Debug)]
pub struct Window {
    until: Until,
    least: u64,
    watched: Tree,
    own: Tree,
    started: Instant,
    open: Option<Open>,
    latencies_us: Vec<f64>,
    seen: u64,
}

/// The state of things when the window opened.
#[derive(Debug)]
struct Open {
    at: Instant,
    watched: Usage,
    own: Usage,
    seen: u64,
}

impl Window {
    /// A run that begins now. The warm-up lasts for `least` answers at least, however slow they are.
    pub fn new(until: Until, least: u64, watch: u32) -> Self {
        let mut window = Self {
            until,
            least,
            watched: Tree::of(watch),
            own: Tree::of(std::process::id()),
            started: Instant::now(),
            open: None,
            latencies_us: Vec::new(),
            seen: 0,
        };
        if matches!(until, Until::Answers(_)) {
            window.open_now();
        }
        window
    }

    /// Begins now: what it took to open all connections does not count.
    pub fn restart(&mut self) {
        self.started = Instant::now();
        if self.open.is_some() {
            self.open_now();
        }
    }

    /// One more answer; `due` is when its request should have been sent.
    pub fn answer(&mut self, due: Option<Instant>) {
        self.seen += 1;
        if let (Some(due), Some(open)) = (due, &self.open)
            && due >= open.at
        {
            self.latencies_us.push(due.elapsed().as_secs_f64() * 1e6);
        }
    }

    /// Whether the run is over. Opens the window when it is time.
    pub fn over(&mut self) -> bool {
        match self.until {
            Until::Answers(wanted) => self.seen >= wanted,
            Until::Window { warmup_ms, measured_ms } => match &self.open {
                Some(open) => open.at.elapsed() >= Duration::from_millis(measured_ms),
                None => {
                    let warm = self.started.elapsed() >= Duration::from_millis(warmup_ms);
                    if warm && self.seen >= self.least {
                        self.open_now();
                    }
                    false
                }
            },
        }
    }

    fn open_now(&mut self) {
        let (watched, own) = (self.watched.usage(), self.own.usage());
        self.open = Some(Open { at: Instant::now(), watched, own, seen: self.seen });
    }

    /// What was measured. Taken while all connections are still open.
    pub fn close(mut self) -> Outcome {
        let Some(open) = self.open.take() else { return Outcome::default() };
        let seconds = open.at.elapsed().as_secs_f64();
        let usage = self.watched.usage().since(open.watched);
        self.latencies_us.sort_by(f64::total_cmp);
        let latency = (!self.latencies_us.is_empty()).then(|| Latency {
            p50_us: quantile(&self.latencies_us, 0.5),
            p99_us: quantile(&self.latencies_us, 0.99),
        });
        Outcome {
            seconds,
            answers: self.seen - open.seen,
            usage,
            own_cpu_ns: self.own.usage().since(open.own).cpu_ns,
            resident_kib: self.watched.resident_kib(),
            latency,
            ..Outcome::default()
        }
    }
}
