use std::{collections::BTreeMap, io};

use serde_json::json;

use super::*;

fn compile(text: &str) -> Result<Schema, String> {
    compile_with(text, &[]).map(|(schema, _)| schema)
}

fn compile_with(text: &str, files: &[(&str, &str)]) -> Result<(Schema, Vec<PathBuf>), String> {
    let files: BTreeMap<PathBuf, &str> =
        files.iter().map(|(name, text)| (PathBuf::from(name), *text)).collect();
    Schema::compile(Path::new("schemas/main.json"), text.as_bytes(), &|path| {
        files.get(path).map(|t| t.as_bytes().to_vec()).ok_or_else(|| io::ErrorKind::NotFound.into())
    })
}

#[test]
fn a_violation_says_where_and_what_but_not_the_value() {
    let schema =
        compile(r#"{"properties":{"a":{"properties":{"b":{"type":"integer"}}}}}"#).unwrap();
    assert_eq!(schema.validate(&json!({"a": {"b": 1}})), Ok(()));
    let said = schema.validate(&json!({"a": {"b": "hunter2"}})).unwrap_err();
    assert!(said.starts_with("/a/b: ") && said.contains("integer"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn violations_are_short_and_on_one_line() {
    let schema = compile(r#"{"additionalProperties": false, "required": ["x"]}"#).unwrap();
    let hostile = json!({"\u{1b}[2J\nforged": 1, "x".repeat(5000): 2});
    let said = schema.validate(&hostile).unwrap_err();
    assert!(said.chars().count() <= 200, "{said}");
    assert!(!said.chars().any(char::is_control), "{said:?}");

    let deep = compile(r#"{"additionalProperties": {"type": "integer"}}"#).unwrap();
    let said = deep.validate(&json!({"y".repeat(5000): "no"})).unwrap_err();
    assert!(said.contains("type \"integer\""), "{said}");
}

#[test]
fn the_draft_is_the_schemas_own() {
    // Before 2020-12 an array under `items` described the elements one by one.
    let text = |draft: &str| format!(r#"{{{draft} "items": [{{"type": "integer"}}]}}"#);
    let older = r#""$schema": "http://json-schema.org/draft-07/schema#","#;
    let schema = compile(&text(older)).unwrap();
    assert!(schema.validate(&json!(["x"])).is_err());
    assert!(compile(&text("")).unwrap_err().contains("/items"), "2020-12 is the default");
    assert!(
        compile(r#"{"prefixItems": [{"type":"integer"}]}"#)
            .unwrap()
            .validate(&json!(["x"]))
            .is_err()
    );
    assert!(compile(r#"{"$schema":"https://example.com/own"}"#).unwrap_err().contains("2020-12"));
}

#[test]
fn references_within_and_beside() {
    let main = r##"{"properties": {"a": {"$ref": "#/$defs/n"}, "b": {"$ref": "sub/other.json#/$defs/s"}},
                   "$defs": {"n": {"type": "integer"}}}"##;
    let (schema, files) = compile_with(
        main,
        &[
            ("schemas/sub/other.json", r#"{"$defs": {"s": {"$ref": "third.json"}}}"#),
            ("schemas/sub/third.json", r#"{"type": "string"}"#),
        ],
    )
    .unwrap();
    assert_eq!(
        files,
        [PathBuf::from("schemas/sub/other.json"), PathBuf::from("schemas/sub/third.json")]
    );
    assert_eq!(schema.validate(&json!({"a": 1, "b": "x"})), Ok(()));
    assert!(schema.validate(&json!({"a": "x"})).is_err());
    assert!(schema.validate(&json!({"b": 1})).is_err());
}

#[test]
fn an_id_does_not_make_neighbours_remote() {
    let main = r#"{"$id": "https://example.com/s/main.json", "$ref": "other.json"}"#;
    let other = r#"{"$id": "https://example.com/s/other.json", "type": "string"}"#;
    let (schema, files) = compile_with(main, &[("schemas/other.json", other)]).unwrap();
    assert_eq!(files.len(), 1);
    assert!(schema.validate(&json!(1)).is_err());
}

#[test]
fn references_elsewhere_are_refused() {
    for (reference, hint) in [
        ("https://example.com/a.json", "remote"),
        ("//example.com/a.json", "leaves"),
        ("file:///etc/passwd", "remote"),
        ("../a.json", "leaves"),
        ("../../../../a.json", "leaves"),
        ("/etc/passwd", "leaves"),
        ("missing.json", "missing.json"),
        ("#/nowhere", "nowhere"),
        ("#anchor", "anchor"),
    ] {
        let text = json!({"properties": {"a": {"$ref": reference}}}).to_string();
        let said = compile_with(&text, &[("a.json", "true"), ("/etc/passwd", "true")]).unwrap_err();
        assert!(said.contains(hint), "{reference}: {said}");
    }
}

#[test]
fn what_is_no_schema_is_said_with_its_place() {
    for (text, hint) in [
        ("", "JSON"),
        ("[]", "object, true or false"),
        ("{\"type\": \"object\",}", "line 1"),
        (r#"{"properties": {"a": {"type": "strnig"}}}"#, "/properties/a/type"),
        (r#"{"properties": {"a": {"minimum": "x"}}}"#, "/properties/a/minimum"),
        (r#"{"properties": {"a": {"pattern": "("}}}"#, "/properties/a/pattern"),
    ] {
        let said = compile(text).unwrap_err();
        assert!(said.contains(hint), "{text}: {said}");
    }
}

#[test]
fn patterns_cannot_run_away() {
    let schema = compile(r#"{"pattern": "^(a+)+$"}"#).unwrap();
    let hostile = format!("{}!", "a".repeat(100_000));
    assert!(schema.validate(&json!(hostile)).is_err());
    // What only a backtracking engine can do, and what would compile to gigabytes, is refused.
    assert!(compile(r#"{"pattern": "^(?=a)b"}"#).is_err());
    assert!(compile(r#"{"pattern": "(a)\\1"}"#).is_err());
    assert!(compile(r#"{"pattern": "((a{1000}){1000}){1000}"}"#).is_err());
}

#[test]
fn a_schema_that_refers_to_itself_ends() {
    let schema = compile(r##"{"$ref": "#"}"##).unwrap();
    assert_eq!(schema.validate(&json!({"a": 1})), Ok(()));
    let tree = compile(r##"{"type": "object", "additionalProperties": {"$ref": "#"}}"##).unwrap();
    let mut deep = json!({});
    for _ in 0..120 {
        deep = json!({ "x": deep });
    }
    assert_eq!(tree.validate(&deep), Ok(()));
}

#[test]
fn schemas_are_shared_between_cores() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&compile("true").unwrap());
    assert!(format!("{:?}", compile("true").unwrap()).contains("main.json"));
}

/// What `benches/schema.rs` measures is a real schema and a payload that satisfies it.
#[test]
fn a_push_satisfies_its_schema_and_a_changed_one_does_not() {
    let schema = compile(include_str!("../../benches/data/github-push.schema.json")).unwrap();
    let push: Value =
        serde_json::from_str(include_str!("../../benches/data/github-push.json")).unwrap();
    assert_eq!(schema.validate(&push), Ok(()));
    for (place, wrong) in [
        ("/after", json!("0d1a26e6")),
        ("/commits/0/author/name", json!("")),
        ("/commits/0/modified/1", json!(7)),
        ("/repository/owner/type", json!("Robot")),
        ("/head_commit", json!({})),
        ("/sender", json!(null)),
    ] {
        let mut changed = push.clone();
        *changed.pointer_mut(place).unwrap() = wrong;
        assert!(schema.validate(&changed).is_err(), "{place}");
    }
}
