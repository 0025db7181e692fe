//! Values with a unit, and values of more than one shape.

use std::{borrow::Cow, fmt, num::NonZeroU32, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{self, SeqAccess, Visitor},
};

use crate::clock::UnixMs;

/// A duration, such as `"5m"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time(pub Duration);

/// A size in bytes, such as `"1MiB"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub u64);

/// So many in that time, such as `"100/1m"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: NonZeroU32,
    /// In which time; not zero.
    pub per: Duration,
}

/// A TOML datetime with an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct When(pub UnixMs);

/// A string or an array of strings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneOrMany(pub Vec<String>);

/// A string, number or boolean.
#[derive(Clone, Debug, PartialEq)]
pub struct Scalar(pub serde_json::Value);

/// `replay.store`; those that come later are refused by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// In this process.
    Memory,
}

const TIME_UNITS: &[(&str, u64)] =
    &[("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
const SIZE_UNITS: &[(&str, u64)] =
    &[("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("B", 1)];

/// A whole number and one of the units.
fn quantity(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(digits)?;
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

impl Time {
    /// Reads `"500ms"`, `"10s"`, `"5m"`, `"24h"`, `"7d"`.
    pub fn parse(text: &str) -> Option<Self> {
        quantity(text, TIME_UNITS).map(|ms| Self(Duration::from_millis(ms)))
    }

    /// Writes a duration as it would be configured, in the largest unit that divides it.
    pub fn show(duration: Duration) -> String {
        let ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        // "24h" is what people write for a day.
        let mut units =
            TIME_UNITS.iter().rev().filter(|(name, ms_each)| *name != "d" || ms >= 2 * ms_each);
        let fits = units.find(|(_, ms_each)| ms > 0 && ms.is_multiple_of(*ms_each));
        match fits {
            Some((name, factor)) => format!("{}{name}", ms / factor),
            None => format!("{}s", ms / 1000),
        }
    }
}

impl Size {
    /// Reads `"100B"`, `"32KiB"`, `"1MiB"`, `"2GiB"`.
    pub fn parse(text: &str) -> Option<Self> {
        quantity(text, SIZE_UNITS).map(Self)
    }

    /// Writes a size as it would be configured, in the largest unit that divides it.
    pub fn show(bytes: u64) -> String {
        for (name, factor) in [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] {
            if bytes > 0 && bytes.is_multiple_of(factor) {
                return format!("{}{name}", bytes / factor);
            }
        }
        format!("{bytes}B")
    }

    /// What was probably meant by a text that is no size.
    fn meant(text: &str) -> String {
        let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
        let unit: String = text.chars().skip(digits.len()).filter(|c| !c.is_whitespace()).collect();
        let unit = match unit.to_ascii_lowercase().as_str() {
            "k" | "kb" | "kib" => "KiB",
            "m" | "mb" | "mib" => "MiB",
            "g" | "gb" | "gib" => "GiB",
            _ => "B",
        };
        let digits = if digits.is_empty() { "1" } else { &digits };
        format!("{digits}{unit}")
    }
}

impl Rate {
    /// Reads `"100/1m"`; neither side may be zero.
    pub fn parse(text: &str) -> Option<Self> {
        let (count, per) = text.split_once('/')?;
        if !count.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let Time(per) = Time::parse(per)?;
        let count = count.parse::<NonZeroU32>().ok()?;
        (!per.is_zero()).then_some(Self { count, per })
    }
}

/// Reads a string with a parser of ours; the message says what is expected.
fn parsed<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    expecting: &'static str,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<T, D::Error> {
    struct Text<P> {
        expecting: &'static str,
        parse: P,
    }
    impl<T, P: Fn(&str) -> Result<T, String>> Visitor<'_> for Text<P> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.expecting)
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
            (self.parse)(text).map_err(E::custom)
        }
    }
    deserializer.deserialize_any(Text { expecting, parse })
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer, "a duration such as \"5m\"", |text| {
            Self::parse(text).ok_or_else(|| {
                format!("{text:?} is no duration; write a whole number and ms, s, m, h or d")
            })
        })
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer, "a size such as \"1MiB\"", |text| {
            Self::parse(text).ok_or_else(|| {
                format!(
                    "{text:?} is no size; the units are B, KiB, MiB and GiB: did you mean {:?}?",
                    Self::meant(text)
                )
            })
        })
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer, "a rate such as \"100/1m\"", |text| {
            Self::parse(text).ok_or_else(|| {
                format!(
                    "{text:?} is no rate; write a number above 0, a slash and a duration: \
                         \"100/1m\""
                )
            })
        })
    }
}

impl<'de> Deserialize<'de> for Store {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer, "\"memory\"", |text| match text {
            "memory" => Ok(Self::Memory),
            "disk" | "redis" => {
                Err(format!("the {text:?} store comes with a later version; there is \"memory\""))
            }
            _ => Err(format!("{text:?} is no store; there is \"memory\"")),
        })
    }
}

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = toml::value::Datetime::deserialize(deserializer)?;
        let text = written.to_string();
        match text.parse::<jiff::Timestamp>() {
            Ok(at) if written.offset.is_some() => Ok(Self(UnixMs(at.as_millisecond()))),
            _ => Err(de::Error::custom(format!(
                "{text} is not a full time with an offset; write one such as 2026-12-31T00:00:00Z"
            ))),
        }
    }
}

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct StringOrArray;
        impl<'de> Visitor<'de> for StringOrArray {
            type Value = OneOrMany;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or an array of strings")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<OneOrMany, E> {
                Ok(OneOrMany(vec![text.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<OneOrMany, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(OneOrMany(items))
            }
        }
        deserializer.deserialize_any(StringOrArray)
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = Scalar;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string, a number or a boolean")
            }

            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Scalar, E> {
                Ok(Scalar(value.into()))
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Scalar, E> {
                Ok(Scalar(value.into()))
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Scalar, E> {
                Ok(Scalar(value.into()))
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Scalar, E> {
                // JSON has neither infinities nor NaN; nothing in a body could equal them.
                let number = serde_json::Number::from_f64(value);
                number.map(|n| Scalar(n.into())).ok_or_else(|| E::custom("no number of JSON"))
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<Scalar, E> {
                Ok(Scalar(value.into()))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

macro_rules! schema {
    ($type:ident, $schema:tt) => {
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

schema!(Time, {
    "description": "A duration, such as \"500ms\", \"10s\", \"5m\", \"24h\" or \"7d\".",
    "type": "string", "pattern": "^[0-9]+(ms|s|m|h|d)$"
});
schema!(Size, {
    "description": "A size, such as \"100B\", \"32KiB\", \"1MiB\" or \"1GiB\".",
    "type": "string", "pattern": "^[0-9]+(B|KiB|MiB|GiB)$"
});
schema!(Rate, {
    "description": "So many in that time, such as \"100/1m\".",
    "type": "string", "pattern": "^[0-9]+/[0-9]+(ms|s|m|h|d)$"
});
schema!(When, {
    "description": "A TOML datetime with an offset, such as 2026-12-31T00:00:00Z.",
    "type": "string", "format": "date-time"
});
schema!(OneOrMany, {
    "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }]
});
schema!(Scalar, { "type": ["string", "number", "boolean"] });
schema!(Store, { "type": "string", "enum": ["memory"] });

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations() {
        assert_eq!(Time::parse("500ms").unwrap().0, Duration::from_millis(500));
        assert_eq!(Time::parse("7d").unwrap().0, Duration::from_secs(604_800));
        for bad in ["", "5", "m", "5 m", "-5m", "5M", "1.5h", "1h30m", "5mm", "99999999999999999d"]
        {
            assert_eq!(Time::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn sizes() {
        assert_eq!(Size::parse("1MiB").unwrap().0, 1 << 20);
        assert_eq!(Size::parse("512B").unwrap().0, 512);
        for bad in ["", "1", "1MB", "1M", "1mib", "-1B", "1 KiB", "18446744073709551615GiB"] {
            assert_eq!(Size::parse(bad), None, "{bad}");
        }
        assert_eq!(Size::meant("25MB"), "25MiB");
    }

    #[test]
    fn rates() {
        let rate = Rate::parse("100/1m").unwrap();
        assert_eq!((rate.count.get(), rate.per), (100, Duration::from_secs(60)));
        for bad in ["", "100", "100/m", "0/1m", "1/0s", "+1/1s", "/1s", "1/", "1/1s/1s"] {
            assert_eq!(Rate::parse(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(ms in 0u64..10_000_000_000, bytes: u64) {
            let whole = Duration::from_secs(ms / 1000);
            prop_assert_eq!(Time::parse(&Time::show(whole)).unwrap().0, whole);
            let exact = Duration::from_millis(ms.max(1));
            prop_assert_eq!(Time::parse(&Time::show(exact)).unwrap().0, exact);
            prop_assert_eq!(Size::parse(&Size::show(bytes)).unwrap().0, bytes);
        }
    }
}
