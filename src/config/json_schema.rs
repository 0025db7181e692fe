//! The JSON Schema of the configuration, for editors.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::raw::Raw;

/// The JSON Schema (draft 2020-12) of a configuration file.
pub fn json_schema() -> Value {
    let schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Raw>();
    let mut schema = schema.to_value();
    if let Some(root) = schema.as_object_mut() {
        root.insert("title".to_owned(), "Hookward configuration".into());
    }
    without_null(&mut schema);
    schema
}

/// TOML has no null: an optional key is one that may be left out.
fn without_null(value: &mut Value) {
    match value {
        Value::Object(object) => {
            if let Some(Value::Array(types)) = object.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_mut_slice() {
                    let only = only.take();
                    object.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(variants)) = object.get_mut("anyOf") {
                variants.retain(|variant| variant.get("type") != Some(&Value::from("null")));
                if let [Value::Object(only)] = variants.as_mut_slice() {
                    let only = std::mem::take(only);
                    object.remove("anyOf");
                    for (key, value) in only {
                        object.entry(key).or_insert(value);
                    }
                }
            }
            object.values_mut().for_each(without_null);
        }
        Value::Array(items) => items.iter_mut().for_each(without_null),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_schema_of_its_draft_without_null() {
        let schema = json_schema();
        assert!(jsonschema::draft202012::meta::is_valid(&schema));
        assert!(!schema.to_string().contains("\"null\""));
        assert_eq!(schema["properties"]["server"]["$ref"], "#/$defs/Server");
        assert_eq!(schema["additionalProperties"], false);
    }
}
