//! `check`, `routes`, `init`, `schema`, and which file is read.

use serde_json::Value;

use super::{
    Call, Out, call,
    call::{of_the_repository, program},
};

const GOOD: &str = "[server]\nlisten = [\"127.0.0.1:0\"]\n[routes.github]\npath = \"/github\"\n\
                    provider = \"github\"\nsecrets = [{ env = \"HOOK\" }]\n\
                    upstream = \"builtin:echo\"\n";
const SECRET: &str = "0123456789abcdef0123";

fn check(config: &str, args: &[&str]) -> Out {
    let words = [&["check", "-c", "a.toml"], args].concat();
    Call::new(&words).file("a.toml", config).env("HOOK", SECRET).run()
}

#[test]
fn without_a_file_every_command_says_where_it_looked() {
    for words in
        [&[][..], &["run"], &["check"], &["routes"], &["sign", "--route", "x"], &["run", "--dev"]]
    {
        let said = call(words).usage();
        assert!(said.contains("neither hookward.toml nor /etc/hookward/hookward.toml"), "{said}");
        assert!(said.contains("-c FILE") && said.contains("hookward init"), "{said}");
    }
}

#[test]
fn alone_it_runs_the_file_of_the_folder() {
    let done = Call::new(&[]).file("hookward.toml", "[server]\nlisten = 1\n").run();
    assert_eq!(done.code, 1);
    assert!(done.err.contains("--> hookward.toml:2:10"), "{done:?}");
}

#[test]
fn check_has_three_exit_codes() {
    let clean = check(GOOD, &[]);
    assert_eq!(clean.code, 0);
    assert!(clean.out.contains("github signs no timestamp"), "{clean:?}");
    assert!(clean.out.ends_with("a.toml: 1 route, 1 note\n"), "{clean:?}");
    // Notes never fail; warnings do where that is asked for; errors always.
    assert_eq!(check(GOOD, &["--strict"]).code, 0);
    let warned = GOOD.replace("env = \"HOOK\"", &format!("value = \"{SECRET}\""));
    assert_eq!(check(&warned, &[]).code, 0);
    let strict = check(&warned, &["--strict"]);
    assert_eq!(strict.code, 1);
    assert!(!strict.out.contains(SECRET), "{strict:?}");
    assert_eq!(check(&GOOD.replace("github\"\nsec", "gihtub\"\nsec"), &[]).code, 1);
    assert_eq!(call(&["check", "-c", "none.toml"]).code, 2);
}

#[test]
fn no_secrets_makes_notes_of_what_is_not_there() {
    let absent = GOOD.replace("HOOK", "HOOKWARD_IS_NOT_SET");
    let said = check(&absent, &[]);
    assert_eq!(said.code, 1);
    assert!(said.out.contains("the variable HOOKWARD_IS_NOT_SET is not set"), "{said:?}");
    let said = check(&absent, &["--no-secrets", "--strict"]).ok();
    assert!(said.contains("note: "), "{said}");
}

#[test]
fn json_is_what_the_contract_says() {
    let done = check(&GOOD.replace("path =", "paht ="), &["--format", "json"]);
    assert_eq!((done.code, done.err.as_str()), (1, ""));
    let json: Value = serde_json::from_str(&done.out).unwrap();
    let first = &json["findings"][0];
    assert_eq!(first["severity"], "error");
    assert_eq!((&first["file"], &first["line"]), (&"a.toml".into(), &4.into()));
    let keys: Vec<_> = first.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["column", "file", "line", "message", "severity", "suggestion"]);
}

#[test]
fn what_is_no_configuration_is_said_to_be_none() {
    let huge = vec![b'#'; (16 << 20) + 1];
    for (content, says) in [
        (&b""[..], "routes is missing"),
        (b"\x00\x01\xff\xfe", "a.toml is not UTF-8"),
        (b"{\"json\": 1}", "a.toml:1:"),
        (b"\x7fELF\x02\x01\x01\x00", "a.toml:1:"),
        (&huge, "larger than 16 MiB"),
        (b"include = [\"/none/*.toml\"]\n", "matches no file"),
    ] {
        let done = Call::new(&["check", "-c", "a.toml"]).file("a.toml", content).run();
        assert_eq!(done.code, 1, "{says}");
        assert!(done.out.contains(says), "{says}: {}", done.out);
        assert_eq!(done.err, "");
        let run = Call::new(&["run", "-c", "a.toml"]).file("a.toml", content).run();
        assert_eq!((run.code, run.out.as_str()), (1, ""), "{says}");
        assert!(run.err.contains(says), "{says}: {}", run.err);
    }
    assert!(call(&["check", "-c", "."]).usage().contains("is a directory"));
}

#[test]
fn a_windows_editor_is_fine() {
    let text = format!("\u{feff}{}", GOOD.replace('\n', "\r\n"));
    let done = check(&text, &[]);
    assert_eq!(done.code, 0, "{done:?}");
    let wrong = check(&text.replace("path =", "paht ="), &[]);
    assert!(wrong.out.contains("--> a.toml:4:1\n4 | paht = \"/github\"\n"), "{wrong:?}");
}

#[test]
fn routes_say_what_is_in_force() {
    let routes = |args: &[&str]| {
        Call::new(&[&["routes", "-c", "a.toml"], args].concat()).file("a.toml", GOOD).run()
    };
    insta::assert_snapshot!(routes(&[]).ok());
    let json: Value = serde_json::from_str(&routes(&["github", "--format", "json"]).ok()).unwrap();
    assert_eq!(json["routes"][0]["name"], "github");
    assert!(routes(&["gihtub"]).usage().contains("did you mean \"github\"?"));
    let broken = Call::new(&["routes", "-c", "a.toml"]).file("a.toml", "x = 1").run();
    assert_eq!((broken.code, broken.out.as_str()), (1, ""));
}

#[test]
fn what_init_prints_is_short_and_clean() {
    let url = "http://127.0.0.1:3000";
    let printed = call(&["init", "github", "stripe", "--upstream", url]).ok();
    assert!(printed.lines().count() <= 14, "{printed}");
    let checked = check(&printed, &["--no-secrets", "--strict"]).ok();
    assert!(checked.ends_with("a.toml: 2 routes, 4 notes\n"), "{checked}");
    let told = call(&["init", "square", "trello", "--upstream", url]).ok();
    assert!(told.lines().count() <= 14, "{told}");
    assert_eq!(check(&told, &["--no-secrets"]).code, 0);
}

#[test]
fn the_schema_accepts_the_example() {
    let schema: Value = serde_json::from_str(&call(&["schema"]).ok()).unwrap();
    assert!(jsonschema::draft202012::meta::is_valid(&schema));
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let text = std::fs::read_to_string(of_the_repository("config.example.toml")).unwrap();
    // No datetime is in force there, so that TOML and JSON have the same values.
    let example: Value = toml::from_str(&text).unwrap();
    let errors: Vec<_> = validator.iter_errors(&example).map(|e| e.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new());
    assert!(!validator.is_valid(&serde_json::json!({ "sever": {} })));
}

#[test]
fn an_unreadable_file_is_named() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.toml");
    std::fs::write(&file, GOOD).unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o000)).unwrap();
    if std::fs::File::open(&file).is_ok() {
        return; // Root may read everything.
    }
    let done = program().arg("check").arg("-c").arg(&file).output().unwrap();
    assert_eq!(done.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&done.stderr).contains("Permission denied"));
}
