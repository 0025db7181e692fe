//! Any sequence of claims, commits, releases and moments does what a plain model says.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use proptest::prelude::*;

use super::{
    Claimed, ContentClaim, Duplicates, Registry, Reservation, RouteStore, Taken, key::Kind,
    tests::settings,
};

type Name = (bool, u128);

#[derive(Clone, Copy, Debug)]
struct Entry {
    committed: bool,
    body: Option<u128>,
    /// Must be there before this, and may be there for half of the lifetime after it.
    until: Duration,
    at_most: Duration,
    first_seen: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Flight {
    owner: usize,
    lease_until: Duration,
    body: Option<u128>,
    body_until: Duration,
    first_seen: Duration,
    committed: bool,
}

#[derive(Clone, Debug)]
struct Want {
    name: Name,
    body: Option<u128>,
    lifetime: Duration,
}

struct Open {
    owner: usize,
    reservation: Reservation,
    held: Vec<Want>,
    at: Duration,
}

struct Model {
    entries: BTreeMap<Name, Entry>,
    flights: BTreeMap<Name, Flight>,
    now: Duration,
}

#[derive(Clone, Debug)]
enum Op {
    Reserve { content: Option<(u128, u64)>, ids: Vec<u128>, body: Option<u128>, forward: bool },
    Commit(usize),
    Release(usize),
    Advance(u64),
}

const WINDOW: Duration = Duration::from_secs(80);
const LEASE: Duration = Duration::from_secs(10);

fn op() -> impl Strategy<Value = Op> {
    let content = proptest::option::of((0..4_u128, prop_oneof![Just(80_u64), 1..60_u64]));
    let ids = proptest::collection::vec(0..4_u128, 0..3);
    let body = proptest::option::weighted(0.6, 0..2_u128);
    prop_oneof![
        4 => (content, ids, body, proptest::bool::weighted(0.2)).prop_map(
            |(content, ids, body, forward)| Op::Reserve { content, ids, body, forward }
        ),
        2 => (0..8_usize).prop_map(Op::Commit),
        2 => (0..8_usize).prop_map(Op::Release),
        2 => (1..40_000_u64).prop_map(Op::Advance),
    ]
}

impl Model {
    /// Forgets what is over. Between the end of its life and that of its slot an entry may be
    /// there or not: the store is asked.
    fn settle(&mut self, store: &RouteStore) {
        let now = self.now;
        self.entries.retain(|name, entry| {
            let there = store.knows(*name, now);
            assert!(
                there || now >= entry.until,
                "{name:?} is gone too early: {entry:?} at {now:?}"
            );
            assert!(
                !there || now < entry.at_most,
                "{name:?} is kept too long: {entry:?} at {now:?}"
            );
            there
        });
    }

    /// What must come of a claim; `Ok` are those of its keys that are then held.
    fn judge(&self, wants: &[Want], forward: bool) -> Result<Vec<Want>, Taken> {
        let (content, ids): (Vec<&Want>, Vec<&Want>) = wants.iter().partition(|w| w.name.0);
        if let Some(want) = content.first() {
            self.bodies(want)?;
            if let Some(entry) = self.delivered(want) {
                return Err(Taken::Replayed { first_seen: entry.first_seen });
            }
            if self.leased(want) {
                return Err(Taken::InFlight);
            }
        }
        for want in &ids {
            self.bodies(want)?;
        }
        if ids.iter().any(|want| self.delivered(want).is_none() && self.leased(want)) {
            return Err(Taken::InFlight);
        }
        let delivered: Vec<Entry> = ids.iter().filter_map(|want| self.delivered(want)).collect();
        if !ids.is_empty() && delivered.len() == ids.len() && !forward {
            let first_seen = delivered.iter().map(|entry| entry.first_seen).min().unwrap();
            return Err(Taken::Duplicate { first_seen });
        }
        Ok(wants.iter().filter(|want| self.delivered(want).is_none()).cloned().collect())
    }

    fn delivered(&self, want: &Want) -> Option<Entry> {
        self.entries.get(&want.name).copied().filter(|entry| entry.committed)
    }

    fn leased(&self, want: &Want) -> bool {
        self.flights.get(&want.name).is_some_and(|flight| self.now < flight.lease_until)
    }

    fn bodies(&self, want: &Want) -> Result<(), Taken> {
        let other = |body: Option<u128>| body.zip(want.body).is_some_and(|(a, b)| a != b);
        if let Some(entry) = self.entries.get(&want.name) {
            if other(entry.body) {
                return Err(Taken::OtherBody { first_seen: entry.first_seen });
            }
            if entry.committed {
                return Ok(());
            }
        }
        match self.flights.get(&want.name) {
            Some(f) if other(f.body) && self.now < f.body_until.max(f.lease_until) => {
                Err(Taken::OtherBody { first_seen: f.first_seen })
            }
            _ => Ok(()),
        }
    }

    fn hold(&mut self, held: &[Want], owner: usize) {
        for want in held {
            self.entries.remove(&want.name);
            let flight = Flight {
                owner,
                lease_until: self.now + LEASE,
                body: want.body,
                body_until: self.now + want.lifetime,
                first_seen: self.now,
                committed: false,
            };
            self.flights.insert(want.name, flight);
        }
    }

    fn end(&mut self, open: &Open, commit: bool) {
        for want in &open.held {
            let own = self.flights.get(&want.name).is_some_and(|f| f.owner == open.owner);
            let flight = if own { self.flights.remove(&want.name) } else { None };
            let known = self.entries.get(&want.name).is_some_and(|entry| entry.committed);
            let write = if commit {
                !known
            } else {
                own && want.body.is_some() && !known && !flight.is_some_and(|f| f.committed)
            };
            if !write {
                continue;
            }
            if let Some(flight) = self.flights.get_mut(&want.name) {
                flight.committed = true;
            }
            let from = if commit && !want.name.0 { self.now } else { open.at };
            let until = from + want.lifetime;
            let at_most = until.max(self.now) + want.lifetime.max(WINDOW / 4) / 2;
            let entry =
                Entry { committed: commit, body: want.body, until, at_most, first_seen: open.at };
            self.entries.insert(want.name, entry);
        }
    }
}

impl RouteStore {
    fn knows(&self, (content, digest): Name, now: Duration) -> bool {
        let kind = if content { Kind::Content } else { Kind::Id };
        self.windows.find(kind, self.mixed(kind, digest), now).is_some()
    }
}

fn wants(content: Option<(u128, u64)>, ids: &[u128], body: Option<u128>) -> Vec<Want> {
    let mut wants: Vec<Want> = ids
        .iter()
        .map(|id| Want { name: (false, *id), body, lifetime: WINDOW })
        .chain(content.map(|(key, lifetime)| Want {
            name: (true, key),
            body,
            lifetime: Duration::from_secs(lifetime),
        }))
        .collect();
    wants.sort_by_key(|want| want.name);
    wants.dedup_by_key(|want| want.name);
    wants
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn the_store_does_what_the_model_says(ops in proptest::collection::vec(op(), 1..60)) {
        let store = Registry::new().route("r", &settings(10_000));
        let start = Duration::from_secs(1000);
        let mut model = Model { entries: BTreeMap::new(), flights: BTreeMap::new(), now: start };
        let mut open: Vec<Open> = Vec::new();
        for (step, op) in ops.into_iter().enumerate() {
            match op {
                Op::Advance(ms) => model.now += Duration::from_millis(ms),
                Op::Reserve { content, ids, body, forward } => {
                    model.settle(&store);
                    let wants = wants(content, &ids, body);
                    let expected = model.judge(&wants, forward);
                    let claimed = Claimed {
                        content: content.map(|(key, lifetime)| ContentClaim {
                            key,
                            body,
                            lifetime: Duration::from_secs(lifetime),
                        }),
                        ids: &ids,
                        id_body: body,
                        duplicates: if forward { Duplicates::Ignore } else { Duplicates::Tell },
                        window: WINDOW,
                    };
                    match (store.reserve(&claimed, LEASE, model.now), expected) {
                        (Ok(reservation), Ok(held)) => {
                            model.hold(&held, step);
                            open.push(Open { owner: step, reservation, held, at: model.now });
                        }
                        (Err(told), Err(expected)) => prop_assert_eq!(coarse(told, &ids), coarse(expected, &ids)),
                        (told, expected) => {
                            prop_assert!(false, "{told:?} instead of {expected:?}");
                        }
                    }
                    prop_assert_eq!(store.entries(), model.entries.len() + model.flights.len());
                }
                Op::Commit(which) | Op::Release(which) if !open.is_empty() => {
                    let one = open.swap_remove(which % open.len());
                    let commit = matches!(op, Op::Commit(_));
                    model.settle(&store);
                    model.end(&one, commit);
                    if commit { one.reservation.commit(model.now) } else { one.reservation.release() }
                }
                Op::Commit(_) | Op::Release(_) => {}
            }
        }
        drop(open);
        model.now += Duration::from_secs(10_000);
        store.sweep(model.now);
        prop_assert_eq!(store.entries(), 0);
    }
}

/// Times are kept to the millisecond; and which of several ids came with another body is open.
fn coarse(taken: Taken, ids: &[u128]) -> (std::mem::Discriminant<Taken>, u128) {
    let at = match taken {
        Taken::OtherBody { .. } if !ids.is_empty() => 0,
        Taken::Duplicate { first_seen }
        | Taken::OtherBody { first_seen }
        | Taken::Replayed { first_seen } => first_seen.as_millis(),
        Taken::Full | Taken::InFlight => 0,
    };
    (std::mem::discriminant(&taken), at)
}

/// Used by the race tests as well.
pub(super) fn store(max_entries: usize) -> Arc<RouteStore> {
    Registry::new().route("r", &settings(max_entries))
}
