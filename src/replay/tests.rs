//! What the store promises, one case each; races; capacity.

use std::{
    sync::{
        Arc, Barrier,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use super::{
    Claimed, ContentClaim, Duplicates, Registry, Taken,
    key::{Key, Kind},
    law_tests::store,
    route::RouteStore,
};
use crate::config::model::{OnDuplicate, OnError, OnFull, OnReplay, Replay, StatusSet};

const DAY: Duration = Duration::from_secs(86_400);
const LEASE: Duration = Duration::from_secs(30);
const START: Duration = Duration::from_secs(100);

pub(super) fn settings(max_entries: usize) -> Replay {
    Replay {
        window: DAY,
        max_entries,
        on_full: OnFull::Reject,
        on_error: OnError::Reject,
        on_replay: OnReplay::Reject,
        on_duplicate: OnDuplicate::Acknowledge,
        commit_on: StatusSet::parse(["2xx"]).unwrap(),
    }
}

impl RouteStore {
    pub(super) fn mixed(&self, kind: Kind, digest: u128) -> Key {
        self.mixer().key(kind, digest)
    }
}

fn content(key: u128) -> Claimed<'static> {
    Claimed {
        content: Some(ContentClaim { key, body: None, lifetime: DAY }),
        ids: &[],
        id_body: None,
        duplicates: Duplicates::Tell,
        window: DAY,
    }
}

fn ids(ids: &[u128]) -> Claimed<'_> {
    Claimed { content: None, ids, ..content(0) }
}

fn bound(key: u128, body: u128) -> Claimed<'static> {
    Claimed { content: Some(ContentClaim { key, body: Some(body), lifetime: DAY }), ..content(key) }
}

#[test]
fn a_delivered_key_is_a_replay_and_a_released_one_is_not() {
    let store = store(10);
    let first = store.reserve(&content(1), LEASE, START).unwrap();
    assert_eq!(store.reserve(&content(1), LEASE, START).unwrap_err(), Taken::InFlight);
    drop(first);
    let second = store.reserve(&content(1), LEASE, START).unwrap();
    second.commit(START + LEASE);
    let told = store.reserve(&content(1), LEASE, START + LEASE).unwrap_err();
    assert_eq!(told, Taken::Replayed { first_seen: START });
    assert_eq!(store.entries(), 1);
}

#[test]
fn content_and_id_of_the_same_digest_do_not_meet() {
    let store = store(10);
    store.reserve(&content(1), LEASE, START).unwrap().commit(START);
    assert!(store.reserve(&ids(&[1]), LEASE, START).is_ok());
}

#[test]
fn routes_do_not_meet() {
    let registry = Registry::new();
    let (a, b) = (registry.route("a", &settings(10)), registry.route("b", &settings(10)));
    a.reserve(&content(1), LEASE, START).unwrap().commit(START);
    assert!(b.reserve(&content(1), LEASE, START).is_ok());
}

#[test]
fn a_set_of_ids() {
    let store = store(10);
    store.reserve(&ids(&[1, 2]), LEASE, START).unwrap().commit(START);
    let later = START + LEASE;
    let told = store.reserve(&ids(&[2, 1, 2]), LEASE, later).unwrap_err();
    assert_eq!(told, Taken::Duplicate { first_seen: START });
    let part = store.reserve(&ids(&[2, 3]), LEASE, later).unwrap();
    assert_eq!(store.reserve(&ids(&[3, 4]), LEASE, later).unwrap_err(), Taken::InFlight);
    assert_eq!(store.reserve(&ids(&[1, 3]), LEASE, later).unwrap_err(), Taken::InFlight);
    part.commit(later);
    assert!(store.reserve(&ids(&[1, 2, 3]), LEASE, later).is_err());
    assert_eq!(store.entries(), 3);
}

#[test]
fn a_refused_claim_leaves_nothing_behind() {
    let store = store(10);
    store.reserve(&ids(&[7]), LEASE, START).unwrap().commit(START);
    let redelivery = Claimed { ids: &[7], ..content(5) };
    assert!(matches!(store.reserve(&redelivery, LEASE, START), Err(Taken::Duplicate { .. })));
    assert_eq!(store.entries(), 1);
    // Had the content key stayed reserved, this would be in flight.
    let forwarded = Claimed { duplicates: Duplicates::Ignore, ..redelivery };
    store.reserve(&forwarded, LEASE, START).unwrap().commit(START);
    assert!(matches!(store.reserve(&forwarded, LEASE, START), Err(Taken::Replayed { .. })));
    assert_eq!(store.entries(), 2);
}

#[test]
fn a_lost_lease_frees_the_key_and_the_late_commit_is_written() {
    let store = store(10);
    let slow = store.reserve(&content(1), LEASE, START).unwrap();
    let later = START + LEASE;
    let second = store.reserve(&content(1), LEASE, later).unwrap();
    slow.commit(later);
    assert!(matches!(store.reserve(&content(1), LEASE, later), Err(Taken::Replayed { .. })));
    // The second owner cannot take the first one's delivery back.
    drop(second);
    assert!(matches!(store.reserve(&content(1), LEASE, later), Err(Taken::Replayed { .. })));
    assert_eq!(store.entries(), 1);
}

#[test]
fn an_old_owner_releases_nothing_of_the_new_one() {
    let store = store(10);
    let slow = store.reserve(&content(1), LEASE, START).unwrap();
    let later = START + LEASE;
    let second = store.reserve(&content(1), LEASE, later).unwrap();
    drop(slow);
    assert_eq!(store.reserve(&content(1), LEASE, later).unwrap_err(), Taken::InFlight);
    second.commit(later);
    assert_eq!(store.entries(), 1);
}

#[test]
fn a_token_stays_tied_to_its_body() {
    let store = store(10);
    let first = store.reserve(&bound(1, 100), LEASE, START).unwrap();
    let replayed = Taken::OtherBody { first_seen: START };
    assert_eq!(store.reserve(&bound(1, 200), LEASE, START).unwrap_err(), replayed);
    assert_eq!(store.reserve(&bound(1, 100), LEASE, START).unwrap_err(), Taken::InFlight);
    drop(first);
    assert_eq!(store.reserve(&bound(1, 200), LEASE, START).unwrap_err(), replayed);
    assert_eq!(store.entries(), 1);
    let retry = store.reserve(&bound(1, 100), LEASE, START).unwrap();
    assert_eq!(store.entries(), 1);
    retry.commit(START);
    let again = Taken::Replayed { first_seen: START };
    assert_eq!(store.reserve(&bound(1, 100), LEASE, START).unwrap_err(), again);
    assert_eq!(store.reserve(&bound(1, 200), LEASE, START + DAY).unwrap_err(), replayed);
    assert!(store.reserve(&bound(1, 200), LEASE, START + DAY * 5 / 4).is_ok());
}

#[test]
fn an_abandoned_token_stays_tied_to_its_body() {
    let store = store(10);
    std::mem::forget(store.reserve(&bound(1, 100), LEASE, START).unwrap());
    store.sweep(START + LEASE * 2);
    assert!(store.reserve(&bound(1, 200), LEASE, START + LEASE * 2).is_err());
    assert!(store.reserve(&bound(1, 100), LEASE, START + LEASE * 2).is_ok());
}

#[test]
fn an_id_whose_body_is_not_covered_is_a_duplicate_only_with_the_same_body() {
    let store = store(10);
    let claim = |body| Claimed { id_body: Some(body), ..ids(&[1]) };
    store.reserve(&claim(100), LEASE, START).unwrap().commit(START);
    assert!(matches!(store.reserve(&claim(100), LEASE, START), Err(Taken::Duplicate { .. })));
    assert!(matches!(store.reserve(&claim(200), LEASE, START), Err(Taken::OtherBody { .. })));
}

#[test]
fn capacity_is_exact_and_expiry_makes_room() {
    let store = store(100);
    for key in 0..60 {
        store.reserve(&content(key), LEASE, START).unwrap().commit(START);
    }
    let held: Vec<_> =
        (60..100).map(|key| store.reserve(&content(key), LEASE, START).unwrap()).collect();
    assert_eq!(store.entries(), 100);
    assert_eq!(store.reserve(&content(100), LEASE, START).unwrap_err(), Taken::Full);
    // Also when full, a replay is told as one.
    assert!(matches!(store.reserve(&content(1), LEASE, START), Err(Taken::Replayed { .. })));
    drop(held);
    assert_eq!(store.entries(), 60);
    let pair = Claimed { ids: &[1, 2], ..content(100) };
    for key in 100..138 {
        store.reserve(&content(key), LEASE, START).unwrap().commit(START);
    }
    assert_eq!(
        store.reserve(&pair, LEASE, START).unwrap_err(),
        Taken::Replayed { first_seen: START }
    );
    let pair = Claimed { ids: &[1, 2], ..content(200) };
    assert_eq!(store.reserve(&pair, LEASE, START).unwrap_err(), Taken::Full);
    assert_eq!(store.entries(), 98);
    assert!(store.reserve(&pair, LEASE, START + DAY * 2).is_ok());
}

#[test]
fn abandoned_leases_make_room() {
    let store = store(1);
    std::mem::forget(store.reserve(&content(1), LEASE, START).unwrap());
    assert_eq!(store.reserve(&content(2), LEASE, START).unwrap_err(), Taken::Full);
    assert!(store.reserve(&content(2), LEASE, START + LEASE).is_ok());
}

#[test]
fn eviction_drops_the_oldest_is_counted_and_spares_reservations() {
    let registry = Registry::new();
    let mut settings = settings(1000);
    settings.on_full = OnFull::Evict;
    let store = registry.route("r", &settings);
    let held: Vec<_> =
        (0..100).map(|key| store.reserve(&content(key), LEASE, START).unwrap()).collect();
    for key in 100..5000_u64 {
        let now = START + Duration::from_secs(key * 20);
        store.reserve(&content(key.into()), DAY, now).unwrap().commit(now);
        assert!(store.entries() <= 1000);
        assert!(matches!(
            store.reserve(&content(key.into()), DAY, now),
            Err(Taken::Replayed { .. })
        ));
    }
    assert!(store.evictions() > 0);
    let end = START + Duration::from_secs(100_000);
    for reservation in held {
        reservation.commit(end);
    }
    assert!(store.entries() <= 1100);
    // A smaller share: nothing is dropped before its time but by need.
    settings.max_entries = 50;
    assert!(Arc::ptr_eq(&registry.route("r", &settings), &store));
    assert_eq!(store.capacity(), 50);
    assert!(store.reserve(&content(9999), LEASE, end).is_ok());
    assert!(store.entries() <= 50);
}

#[test]
fn all_reserved_is_full_even_with_eviction() {
    let mut settings = settings(2);
    settings.on_full = OnFull::Evict;
    let store = Registry::new().route("r", &settings);
    let _held = store.reserve(&ids(&[1, 2]), LEASE, START).unwrap();
    assert_eq!(store.reserve(&ids(&[3]), LEASE, START).unwrap_err(), Taken::Full);
    assert_eq!(store.evictions(), 0);
}

#[test]
fn state_outlives_its_route_and_is_let_go_when_empty() {
    let registry = Registry::new();
    let store = registry.route("r", &settings(10));
    store.reserve(&content(1), LEASE, START).unwrap().commit(START);
    drop(store);
    registry.sweep(START + DAY / 2);
    let store = registry.route("r", &settings(10));
    assert!(store.reserve(&content(1), LEASE, START + DAY / 2).is_err());
    drop(store);
    registry.sweep(START + DAY * 2);
    assert!(registry.stores().is_empty());
}

#[test]
fn eight_threads_one_winner() {
    let store = store(100_000);
    let barrier = Barrier::new(8);
    let wins = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                barrier.wait();
                for key in 0..3000 {
                    let claim = Claimed { ids: &[key], ..content(key) };
                    if let Ok(reservation) = store.reserve(&claim, LEASE, START) {
                        wins.fetch_add(1, Ordering::SeqCst);
                        reservation.commit(START);
                    }
                }
            });
        }
    });
    assert_eq!(wins.into_inner(), 3000);
    assert_eq!(store.entries(), 6000);
}

#[test]
fn eight_threads_that_fail_and_retry_deliver_each_key_once() {
    let store = store(100_000);
    let barrier = Barrier::new(8);
    let delivered = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for thread in 0..8_u64 {
            let (store, barrier, delivered) = (&store, &barrier, &delivered);
            scope.spawn(move || {
                barrier.wait();
                let mut random = fastrand::Rng::with_seed(thread);
                for _ in 0..8000 {
                    let key = random.u128(0..500);
                    let set = [key, random.u128(1000..1010) * 1000 + key];
                    let claim = Claimed { ids: &set, ..bound(key, key) };
                    let Ok(reservation) = store.reserve(&claim, LEASE, START) else { continue };
                    if random.bool() {
                        delivered.fetch_add(1, Ordering::SeqCst);
                        reservation.commit(START);
                    }
                }
            });
        }
    });
    assert_eq!(delivered.into_inner(), 500);
    assert!((0..500).all(|key| store.reserve(&content(key), LEASE, START).is_err()));
}

#[test]
fn capacity_holds_under_threads() {
    let mut settings = settings(500);
    for on_full in [OnFull::Reject, OnFull::Evict] {
        settings.on_full = on_full;
        let store = Registry::new().route("r", &settings);
        std::thread::scope(|scope| {
            for thread in 0..4_u64 {
                let store = &store;
                scope.spawn(move || {
                    for step in 0..4000_u64 {
                        let now = START + Duration::from_secs(step * 60);
                        let key = u128::from(thread * 1_000_000 + step);
                        // The threads' clocks differ widely here, so no lease may run out.
                        if let Ok(reservation) = store.reserve(&content(key), DAY * 100, now) {
                            reservation.commit(now);
                        }
                        assert!(store.entries() <= 500);
                    }
                });
            }
        });
        store.sweep(START + DAY * 30);
        assert_eq!(store.entries(), 0, "{on_full:?}");
    }
}
