use std::{
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::{Arc, Barrier},
    time::Duration,
};

use super::*;

const MINUTE: Duration = Duration::from_secs(60);
const ZERO: Duration = Duration::ZERO;

fn target(dir: &Path) -> Target {
    Target {
        file: dir.join("asana.key"),
        id: "asana".into(),
        id_is_explicit: false,
        expires: None,
        position: 0,
        min_bytes: 1,
    }
}

fn pairing(dir: &Path) -> Arc<Pairing> {
    Registry::default().route(&"r".into(), &target(dir))
}

fn take(pairing: &Pairing, now: Duration, key: &[u8]) -> Result<(), String> {
    pairing.capture(now, key, |_| Ok(())).map_err(|error| error.to_string())
}

fn files(dir: &Path) -> Vec<String> {
    let names = std::fs::read_dir(dir).unwrap();
    names.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn one_key_is_taken_while_armed_and_kept_for_its_owner() {
    let dir = tempfile::tempdir().unwrap();
    let pairing = pairing(dir.path());
    let unarmed = Err("no operator has armed the route".to_owned());
    assert_eq!(take(&pairing, ZERO, b"first"), unarmed);
    pairing.arm(ZERO, MINUTE).unwrap();
    assert!(files(dir.path()).is_empty(), "arming leaves nothing behind");
    assert_eq!(pairing.status(MINUTE / 2), Status::Armed(MINUTE / 2));
    assert_eq!(pairing.status(MINUTE), Status::Unarmed);
    assert_eq!(take(&pairing, MINUTE, b"late"), unarmed);
    take(&pairing, MINUTE / 2, b"the key").unwrap();
    assert_eq!(pairing.status(ZERO), Status::Captured);
    assert_eq!(pairing.captured().unwrap().bytes.as_slice(), b"the key");
    let file = dir.path().join("asana.key");
    assert_eq!(std::fs::read(&file).unwrap(), b"the key");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(files(dir.path()), ["asana.key"]);

    let kept = Err("the route has its key, and a key is never replaced".to_owned());
    assert_eq!(take(&pairing, MINUTE / 2, b"second"), kept);
    assert!(matches!(pairing.arm(ZERO, MINUTE), Err(ArmError::HasKey(_))));
    std::fs::remove_file(&file).unwrap();
    assert!(matches!(pairing.arm(ZERO, MINUTE), Err(ArmError::HasKey(_))), "reload first");
}

#[test]
fn a_key_that_is_there_is_never_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let pairing = pairing(dir.path());
    let file = dir.path().join("asana.key");
    for vacant in ["", "\n", " \r\n"] {
        std::fs::write(&file, vacant).unwrap();
        pairing.arm(ZERO, MINUTE).unwrap();
    }
    std::fs::write(&file, "mine").unwrap();
    assert!(take(&pairing, ZERO, b"theirs").unwrap_err().contains("never replaced"));
    assert!(matches!(pairing.arm(ZERO, MINUTE), Err(ArmError::HasKey(_))));
    assert_eq!(std::fs::read(&file).unwrap(), b"mine");
    assert_eq!(files(dir.path()), ["asana.key"]);
    assert!(pairing.captured().is_none());
}

#[test]
fn what_is_no_key_leaves_the_route_armed() {
    let dir = tempfile::tempdir().unwrap();
    let pairing = pairing(dir.path());
    pairing.arm(ZERO, MINUTE).unwrap();
    for bad in [&b""[..], b" ", b"a\n", b"a\nb"] {
        assert!(take(&pairing, ZERO, bad).unwrap_err().contains("no single line"), "{bad:?}");
    }
    let judged = pairing.capture(ZERO, b"a", |_| Err("is too short".to_owned()));
    assert_eq!(judged.unwrap_err().to_string(), "the key that is offered is too short");
    assert!(files(dir.path()).is_empty());
    take(&pairing, ZERO, b"good").unwrap();
}

#[test]
fn a_file_that_cannot_be_written_is_said_before_anybody_waits() {
    let dir = tempfile::tempdir().unwrap();
    let nowhere = pairing(&dir.path().join("missing"));
    assert!(matches!(nowhere.arm(ZERO, MINUTE), Err(ArmError::Unwritable { .. })));
    let pairing = pairing(dir.path());
    pairing.arm(ZERO, MINUTE).unwrap();
    let beside = dir.path().join(".asana.key.pairing");
    std::fs::create_dir(&beside).unwrap();
    assert!(take(&pairing, ZERO, b"key").unwrap_err().contains("cannot be written"));
    std::fs::remove_dir(&beside).unwrap();
    // What a crash left behind does not stand in the way.
    std::fs::write(&beside, "half").unwrap();
    take(&pairing, ZERO, b"key").unwrap();
    assert_eq!(files(dir.path()), ["asana.key"]);
}

#[test]
fn of_many_at_once_one_wins() {
    let dir = tempfile::tempdir().unwrap();
    let pairing = pairing(dir.path());
    pairing.arm(ZERO, MINUTE).unwrap();
    let barrier = Arc::new(Barrier::new(8));
    let racers: Vec<_> = (0..8_u8)
        .map(|number| {
            let (pairing, barrier) = (Arc::clone(&pairing), Arc::clone(&barrier));
            std::thread::spawn(move || {
                barrier.wait();
                take(&pairing, ZERO, &[b'a' + number]).is_ok().then_some(b'a' + number)
            })
        })
        .collect();
    let won: Vec<_> = racers.into_iter().filter_map(|racer| racer.join().unwrap()).collect();
    assert_eq!(won.len(), 1);
    assert_eq!(std::fs::read(dir.path().join("asana.key")).unwrap(), won);
    assert_eq!(pairing.captured().unwrap().bytes.as_slice(), won);
}

#[test]
fn a_reload_keeps_what_is_armed_and_what_was_taken() {
    let dir = tempfile::tempdir().unwrap();
    let (registry, name) = (Registry::default(), "r".into());
    let target = target(dir.path());
    let pairing = registry.route(&name, &target);
    pairing.arm(ZERO, MINUTE).unwrap();
    assert!(Arc::ptr_eq(&pairing, &registry.route(&name, &target)));
    take(&pairing, ZERO, b"key").unwrap();
    // A reload that had read the configuration before is not one without a key.
    assert!(Arc::ptr_eq(&pairing, &registry.route(&name, &target)));
    // An operator who removed the file wants another one.
    std::fs::remove_file(&target.file).unwrap();
    let next = registry.route(&name, &target);
    assert_eq!(next.status(ZERO), Status::Unarmed);
    assert!(!Arc::ptr_eq(&pairing, &next));
    // Another file is another key, and a route that is gone is gone.
    let elsewhere = Target { file: dir.path().join("other.key"), ..target.clone() };
    assert!(!Arc::ptr_eq(&next, &registry.route(&name, &elsewhere)));
    registry.retain(|_| false);
    assert!(!Arc::ptr_eq(&next, &registry.route(&name, &target)));
}
