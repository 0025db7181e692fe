//! What editors are told of values that are written in more than one way.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{
    Many, RawComponents, RawCondition, RawDigest, RawExpected, RawKey, RawKeyTable, RawRepeats,
    Scalar,
};

impl<T: JsonSchema> JsonSchema for Many<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("OneOrMore{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [one, { "type": "array", "items": one }] })
    }
}

impl JsonSchema for RawKey {
    fn schema_name() -> Cow<'static, str> {
        "RawKey".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<RawKeyTable>();
        json_schema!({ "anyOf": [{ "enum": ["utf8", "hex", "base64"] }, table] })
    }
}

impl JsonSchema for RawComponents {
    fn schema_name() -> Cow<'static, str> {
        "RawComponents".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }]
        })
    }
}

impl JsonSchema for RawExpected {
    fn schema_name() -> Cow<'static, str> {
        "RawExpected".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<RawDigest>();
        json_schema!({ "anyOf": [{ "type": "string" }, table] })
    }
}

impl JsonSchema for RawRepeats {
    fn schema_name() -> Cow<'static, str> {
        "RawRepeats".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let condition = generator.subschema_for::<RawCondition>();
        json_schema!({ "anyOf": [{ "type": "boolean" }, condition] })
    }
}

impl JsonSchema for Scalar {
    fn schema_name() -> Cow<'static, str> {
        "Scalar".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "integer", "boolean"] })
    }
}
