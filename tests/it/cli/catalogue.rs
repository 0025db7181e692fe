//! `providers` and `completions`.

use serde_json::Value;

use super::{Call, call};

#[test]
fn the_catalogue_is_a_table_or_json() {
    let table = call(&["providers"]).ok();
    assert!(table.starts_with("NAME "), "{table}");
    let json: Value = serde_json::from_str(&call(&["providers", "--format", "json"]).ok()).unwrap();
    let count = json.as_array().unwrap().len();
    assert_eq!(table.lines().count(), count + 2);
    assert!(table.ends_with(&format!("{count} of {count} providers\n")), "{table}");
}

#[test]
fn what_is_printed_of_one_can_be_pasted() {
    for name in ["stripe", "github", "gitlab-signing", "mailgun", "azure-event-grid"] {
        let pasted = call(&["providers", name]).ok();
        let config = format!(
            "[server]\nlisten = [\"127.0.0.1:8080\"]\n[routes.a]\npath = \"/a\"\n\
             provider = \"my-{name}\"\nsecrets = [{{ env = \"UNSET\" }}]\n\
             upstream = \"http://127.0.0.1:3000\"\n{pasted}"
        );
        let done =
            Call::new(&["check", "--no-secrets", "-c", "a.toml"]).file("a.toml", config).run();
        assert_eq!(done.code, 0, "{name}: {}", done.out);
    }
}

#[test]
fn completions_know_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let script = call(&["completions", shell]).ok();
        for word in ["providers", "completions", "no-secrets", "vectors"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}
