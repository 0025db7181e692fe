//! A whole body as JSON, refused wherever two readers could disagree on what it says.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::decision::{Code, Refusal};

/// Reads a body strictly: one value, valid UTF-8, no member twice, at most 128 levels.
///
/// Integers keep all digits up to 64 bits; other numbers are doubles, as in most readers.
///
/// # Errors
///
/// `payload_malformed` with what and where.
pub fn parse_strict(body: &[u8]) -> Result<Value, Refusal> {
    let malformed = |detail: String| Refusal::new(Code::PayloadMalformed, detail);
    let text = std::str::from_utf8(body)
        .map_err(|e| malformed(format!("not UTF-8 at byte {}", e.valid_up_to())))?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Strict.deserialize(&mut reader).map_err(|e| malformed(format!("not JSON: {e}")))?;
    reader.end().map_err(|e| malformed(format!("not JSON: {e}")))?;
    Ok(value)
}

struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            let value = access.next_value_seed(Self)?;
            if map.insert(key, value).is_some() {
                // The name is a sender's: it stays out of the message.
                return Err(A::Error::custom("a member is there twice"));
            }
        }
        Ok(Value::Object(map))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(value) = access.next_element_seed(Self)? {
            array.push(value);
        }
        Ok(Value::Array(array))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_two_readers_could_disagree_on_is_refused() {
        let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(parse_strict(deep(127).as_bytes()).is_ok());
        for bad in [
            "",
            "{\"a\":1,\"a\":1}",
            "[{\"a\":{\"b\":1,\"\\u0062\":2}}]",
            "{} {}",
            "{\"a\":1,}",
            "NaN",
            "[1e999]",
            "\"\\ud800\"",
            &deep(129),
        ] {
            let refusal = parse_strict(bad.as_bytes()).unwrap_err();
            assert_eq!(refusal.code, Code::PayloadMalformed, "{bad}");
        }
        assert!(parse_strict(b"\"\xff\"").is_err());
    }

    #[test]
    fn large_integers_keep_their_digits() {
        let value = parse_strict(b"[18446744073709551615,-9223372036854775808]").unwrap();
        assert_eq!(value.to_string(), "[18446744073709551615,-9223372036854775808]");
    }

    proptest! {
        #[test]
        fn no_input_panics(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            drop(parse_strict(&body));
        }
    }
}
