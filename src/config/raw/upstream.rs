use std::{borrow::Cow, collections::BTreeMap, fmt, path::PathBuf};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};

use super::{Secret, Time};

/// `upstream = "URL"` or `[routes.NAME.upstream]`.
#[derive(Clone, Debug, Default)]
pub struct Upstream {
    /// The table; of the string form, one with a single element in `urls`.
    pub table: Table,
    /// Whether it was written as a string.
    pub is_string: bool,
}

/// `[routes.NAME.upstream]`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// In order of preference.
    pub urls: Option<Vec<String>>,
    /// To the last byte of the answer's body. Default: the provider's deadline less 500 ms, else
    /// `"20s"`.
    pub timeout: Option<Time>,
    /// To an established connection, TLS included. Default `"2s"`.
    pub connect_timeout: Option<Time>,
    /// How long an unused connection is kept. Default `"4s"`.
    pub idle_timeout: Option<Time>,
    /// Active health checks. Left out: none.
    pub health: Option<Health>,
    /// Headers set on every request.
    pub headers: Option<BTreeMap<String, String>>,
    /// What the sender sees for an upstream's status, `410` or a class such as `4xx`; never a 2xx
    /// for another.
    pub map_status: Option<BTreeMap<String, u16>>,
    /// Signs every delivery anew, as Standard Webhooks.
    pub sign: Option<Sign>,
    /// Certificate authorities, PEM, that are trusted instead of the system's.
    pub ca: Option<PathBuf>,
}

/// `upstream.health`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Health {
    /// Asked with GET; 2xx is healthy.
    pub path: Option<String>,
    /// Default `"5s"`.
    pub interval: Option<Time>,
}

/// `upstream.sign`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sign {
    /// Each makes a signature; base64, with or without `whsec_`.
    pub secrets: Option<Vec<Secret>>,
}

impl<'de> Deserialize<'de> for Upstream {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct StringOrTable;
        impl<'de> Visitor<'de> for StringOrTable {
            type Value = Upstream;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a URL or a table")
            }

            fn visit_str<E: de::Error>(self, url: &str) -> Result<Upstream, E> {
                let table = Table { urls: Some(vec![url.to_owned()]), ..Table::default() };
                Ok(Upstream { table, is_string: true })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Upstream, A::Error> {
                let table = Table::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Upstream { table, is_string: false })
            }
        }
        deserializer.deserialize_any(StringOrTable)
    }
}

impl JsonSchema for Upstream {
    fn schema_name() -> Cow<'static, str> {
        "Upstream".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<Table>();
        json_schema!({ "anyOf": [{ "type": "string" }, table] })
    }
}
