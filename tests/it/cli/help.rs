//! What `--help` says, and what becomes of calls that are none.

use super::{call, call::program};

#[test]
fn of_every_command() {
    let mut all = call(&["--help"]).ok();
    for command in [
        "run",
        "check",
        "routes",
        "init",
        "demo",
        "providers",
        "verify",
        "sign",
        "send",
        "schema",
        "completions",
    ] {
        assert!(all.contains(&format!("\n  {command} ")), "{command} is not listed");
        all.push_str(&format!("\n===== {command}\n{}", call(&[command, "--help"]).ok()));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn wrong_calls_end_with_two_and_say_why() {
    for (words, says) in [
        (&["nothing"][..], "unrecognized subcommand 'nothing'"),
        (&["chekc"], "'schema', 'check'"),
        (&["run", "extra"], "unexpected argument 'extra'"),
        (&["run", "-c"], "a value is required"),
        (&["check", "--format", "xml"], "possible values: text, json"),
        (&["check", "-c", "a", "-c", "b"], "cannot be used multiple times"),
        (&["routes", "a", "b"], "unexpected argument 'b'"),
        (&["init", "github"], "--upstream <URL>"),
        (&["init", "gihtub", "--upstream", "http://h"], "did you mean github?"),
        (&["init", "github", "--upstream", "h:1"], "is no URL"),
        (&["demo", "--twice"], "unexpected argument '--twice'"),
        (&["providers", "gihtub"], "did you mean github?"),
        (&["providers", "--family", "rsa"], "possible values: certificate, hash"),
        (&["sign"], "say --provider and --secret, or -c and --route"),
        (&["sign", "--provider", "github"], "say --secret SECRET"),
        (&["verify", "--provider", "github", "--request", "x"], "say what to verify with"),
        (
            &["verify", "--provider", "discord", "--secret", "s", "--request", "x"],
            "discord takes --public-key, not --secret",
        ),
        (
            &["verify", "--provider", "discord", "--public-key", "whsk_AA", "--request", "x"],
            "the public key is a private key",
        ),
        (&["sign", "--provider", "gihtub", "--secret", "s"], "did you mean github?"),
        (&["sign", "--provider", "github", "--secret", "env:NOT_SET_AT_ALL"], "is not set"),
        (&["sign", "--provider", "github", "--secret", "file:none"], "none: No such file"),
        (&["send"], "say --provider and --secret, or -c and --route"),
        (&["verify"], "--request <FILE>...|--vectors <PATH>..."),
        (&["verify", "--request", "x"], "say what to judge by"),
        (
            &["verify", "--provider", "gihtub", "--secret", "s", "--request", "x"],
            "did you mean github?",
        ),
        (&["verify", "--vectors", "none"], "cannot read none"),
        (
            &[
                "verify",
                "--provider",
                "github",
                "--secret",
                "s",
                "--expect",
                "replayd",
                "--request",
                "x",
            ],
            "did you mean \"replayed\"?",
        ),
        (&["completions"], "<SHELL>"),
        (&["completions", "dos"], "possible values: bash"),
        (&["schema", "extra"], "unexpected argument 'extra'"),
    ] {
        let said = call(words).usage();
        assert!(said.contains(says), "{words:?}: {said}");
        assert!(!said.contains("panicked"), "{words:?}: {said}");
    }
}

#[cfg(unix)]
#[test]
fn arguments_that_are_no_text_are_refused_like_others() {
    use std::os::unix::ffi::OsStrExt;

    let garbage = std::ffi::OsStr::from_bytes(b"\xff\x1b[31m");
    for words in [&[][..], &["run", "-c"], &["check"], &["sign", "--provider"], &["providers"]] {
        let done = program().args(words).arg(garbage).output().unwrap();
        assert_eq!(done.status.code(), Some(2), "{words:?}");
        assert!(!done.stderr.contains(&0x1b), "{words:?}: an escape sequence reached the terminal");
    }
}
