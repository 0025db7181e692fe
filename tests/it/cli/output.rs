//! The demo, and that output is plain where it goes to no terminal.

use super::{Call, call, call::program};

#[test]
fn the_demo_decides_as_it_promises() {
    let out = call(&["demo", "--once"]).ok();
    let lines: Vec<_> = out.lines().collect();
    assert!(lines[0].starts_with("  SENT "), "{out}");
    for (at, begins, decision) in [
        (1, "✓ github  push, signed", "200     forwarded           signature, replay"),
        (2, "✓ stripe  invoice.paid, signed", "forwarded           signature, timestamp, replay"),
        (3, "✓ slack   message, signed", "forwarded           signature, timestamp, replay"),
        (4, "✗ github  one byte changed", "401     signature_mismatch  no key matches"),
        (5, "✗ stripe  signed 10 min ago", "timestamp_expired   600 s old, 300 s allowed"),
        (6, "✗ github  same bytes again", "409     replayed            first seen "),
        (7, "= stripe  same event, new signature", "200     duplicate           acknowledged"),
    ] {
        assert!(lines[at].starts_with(begins) && lines[at].contains(decision), "{out}");
    }
    assert_eq!(lines[8], "3 forwarded, 3 refused, 1 acknowledged: as expected");
    assert_eq!(lines.len(), 9, "{out}");
}

/// The port that it likes is nobody's own.
#[test]
fn demos_do_not_get_into_each_others_way() {
    let one = || call(&["demo", "--once"]).ok();
    std::thread::scope(|scope| {
        let demos: Vec<_> = (0..6).map(|_| scope.spawn(one)).collect();
        for demo in demos {
            assert!(demo.join().unwrap().ends_with(": as expected\n"));
        }
    });
}

#[test]
fn a_full_disk_is_a_failure_and_a_reader_that_left_is_none() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full");
    if let Ok(full) = full {
        let done = program().arg("providers").stdout(full).output().unwrap();
        assert_eq!(done.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&done.stderr).starts_with("error: cannot write: "));
    }
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let done = program().arg("providers").stdout(writer).output().unwrap();
    assert_eq!((done.status.code(), done.stderr.as_slice()), (Some(0), &b""[..]));
}

#[test]
fn output_to_no_terminal_is_plain() {
    for words in [
        &["--help"][..],
        &["demo", "--once"],
        &["providers"],
        &["check", "--no-secrets", "-c", "a.toml"],
        &["routes", "-c", "a.toml"],
        &["sign"],
        &["run", "-c", "none"],
    ] {
        for no_color in ["", "1"] {
            let config = "[server]\nlisten = [\"127.0.0.1:0\"]\n[routes.a]\npath = \"/a\"\n\
                          provider = \"github\"\nsecrets = [{ env = \"A\" }]\n\
                          upstream = \"builtin:echo\"\n";
            let done = Call::new(words).file("a.toml", config).env("NO_COLOR", no_color).run();
            assert!(!done.out.contains('\u{1b}') && !done.err.contains('\u{1b}'), "{done:?}");
        }
    }
}
