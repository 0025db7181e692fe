//! Holds `config.example.toml`, the JSON Schema and the reader together, key by key.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{LoadOptions, Severity, json_schema, load, read};
use crate::clock::UnixMs;

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config.example.toml")
}

/// The configuration in a comment line, if it is not prose: `# key = …`, `# [table]`, `# { … }`.
fn commented_out(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix('#')?.trim_start();
    let first = rest.split([' ', '=']).next()?;
    let is_key = first.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
        && rest.strip_prefix(first)?.trim_start().starts_with('=');
    (is_key || rest.starts_with(['[', '{', ']'])).then_some(rest)
}

fn everything(text: &str) -> String {
    text.lines().map(|line| commented_out(line).unwrap_or(line)).collect::<Vec<_>>().join("\n")
}

fn problems_of(text: &str) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("all.toml");
    std::fs::create_dir(dir.path().join("routes.d")).unwrap();
    std::fs::write(dir.path().join("routes.d/empty.toml"), "").unwrap();
    std::fs::write(&path, text).unwrap();
    let files = read::read_all(&path).unwrap();
    files.problems.iter().map(ToString::to_string).collect()
}

/// The keys that a schema knows.
#[derive(Default)]
struct Keys {
    /// By path (`*` for names that are free): the type that has the key, and its name there.
    by_path: BTreeMap<String, (String, String)>,
}

impl Keys {
    fn collect(&mut self, root: &Value, schema: &Value, path: &str, owner: &str) {
        if path.matches('.').count() > 8 {
            return;
        }
        if let Some(name) = schema["$ref"].as_str() {
            let target = root.pointer(name.trim_start_matches('#')).unwrap();
            self.collect(root, target, path, name);
        }
        for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
            let path = format!("{path}.{name}");
            self.by_path.insert(path.clone(), (owner.to_owned(), name.clone()));
            self.collect(root, inner, &path, &format!("{owner}.{name}"));
        }
        if schema["additionalProperties"].is_object() {
            self.collect(root, &schema["additionalProperties"], &format!("{path}.*"), owner);
        }
        let variants = ["anyOf", "oneOf"].iter().filter_map(|list| schema[list].as_array());
        for inner in variants.flatten().chain(schema.get("items")) {
            self.collect(root, inner, path, owner);
        }
    }

    /// The keys of a document, spelled as the schema's paths.
    fn of_document(&self, value: &Value, path: &str, out: &mut BTreeSet<String>) {
        match value {
            Value::Object(table) => {
                for (name, inner) in table {
                    let exact = format!("{path}.{name}");
                    let is_known = self.by_path.contains_key(&exact);
                    let path = if is_known { exact } else { format!("{path}.*") };
                    out.insert(path.clone());
                    self.of_document(inner, &path, out);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.of_document(item, path, out)),
            _ => {}
        }
    }
}

fn as_json(text: &str) -> Value {
    fn plain(value: toml::Value) -> Value {
        match value {
            toml::Value::Table(table) => {
                table.into_iter().map(|(key, value)| (key, plain(value))).collect()
            }
            toml::Value::Array(items) => items.into_iter().map(plain).collect(),
            toml::Value::Datetime(at) => at.to_string().into(),
            other => serde_json::to_value(other).unwrap(),
        }
    }
    plain(toml::Value::Table(text.parse().unwrap()))
}

#[test]
fn the_example_runs_with_nothing_outside() {
    let mut options = LoadOptions::new(UnixMs::from_secs(1_790_000_000));
    options.env = std::sync::Arc::new(|_| None);
    let loaded = load(&example(), &options).unwrap_or_else(|problems| {
        panic!("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n\n"))
    });
    assert!(loaded.problems.iter().all(|p| p.severity == Severity::Note), "{:?}", loaded.problems);
    assert!(loaded.config.server.listen.iter().all(|at| at.ip().is_loopback()));
}

#[test]
fn what_is_commented_out_is_accepted_too() {
    let text = std::fs::read_to_string(example()).unwrap();
    assert_eq!(problems_of(&everything(&text)), Vec::<String>::new());
}

#[test]
fn each_commented_line_is_accepted_by_itself() {
    let text = std::fs::read_to_string(example()).unwrap();
    let lines: Vec<_> = text.lines().collect();
    let mut header: Option<usize> = None;
    for (number, line) in lines.iter().enumerate() {
        if !line.trim_start().starts_with('#') {
            header = None;
            continue;
        }
        let Some(inside) = commented_out(line) else { continue };
        if inside.starts_with('[') {
            header = Some(number);
        }
        // Lines of an array over several lines go together.
        if inside.starts_with(['{', ']']) || inside.split('#').next().unwrap().trim().ends_with('[')
        {
            continue;
        }
        let one: Vec<_> = lines
            .iter()
            .enumerate()
            .map(|(n, line)| {
                let wanted = n == number || Some(n) == header;
                if wanted { commented_out(line).unwrap_or(line) } else { line }
            })
            .collect();
        assert_eq!(problems_of(&one.join("\n")), Vec::<String>::new(), "line {}", number + 1);
    }
}

#[test]
fn it_shows_every_key_of_the_schema_and_no_other() {
    let schema = json_schema();
    let text = everything(&std::fs::read_to_string(example()).unwrap());
    let document = as_json(&text);
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let errors: Vec<_> = validator
        .iter_errors(&document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert_eq!(errors, Vec::<String>::new());

    let mut known = Keys::default();
    known.collect(&schema, &schema, "", "");
    let mut shown = BTreeSet::new();
    known.of_document(&document, "", &mut shown);
    // A table that may stand in two places need not be shown whole in both.
    let shown: BTreeSet<_> = shown.iter().filter_map(|path| known.by_path.get(path)).collect();
    let missing: Vec<_> = known.by_path.iter().filter(|(_, key)| !shown.contains(key)).collect();
    assert!(missing.is_empty(), "config.example.toml does not show {missing:#?}");
    assert!(known.by_path.len() > 120, "the schema has lost keys: {}", known.by_path.len());
}

#[test]
fn the_schema_refuses_what_the_reader_refuses() {
    let validator = jsonschema::draft202012::new(&json_schema()).unwrap();
    for (text, what) in [
        ("[server]\nlisen = []", "an unknown key"),
        ("[routes.a]\ntolerance = 5", "a number for a duration"),
        ("[routes.a]\ntolerance = \"5x\"", "no duration"),
        ("[server.limits]\nbody_memory = \"5MB\"", "no size"),
        ("[replay]\nstore = \"redis\"", "a store that is not there"),
        ("[routes.a]\nupstream = 3", "a number for an upstream"),
        ("[routes.a.replay]\non_replay = \"no\"", "a word that is none of the list"),
        ("[routes.a]\nsecrets = [\"x\"]", "a string for a secret"),
    ] {
        assert!(!validator.is_valid(&as_json(text)), "{what}");
        assert!(!problems_of(text).is_empty(), "{what}");
    }
}
