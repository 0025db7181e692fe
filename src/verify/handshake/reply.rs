//! The texts of an answer.

use std::collections::BTreeMap;

use crate::{
    decision::{Code, Refusal},
    verify::source::{BadText, nearest},
};

/// A text with places for what the request brings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Text(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(Box<[u8]>),
    Value { what: Value, is_json: bool },
}

/// What may stand between braces, besides what the route expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Challenge,
    KeyId,
    Mac,
}

/// What the places are filled with.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Values<'v> {
    pub(super) challenge: Option<&'v [u8]>,
    pub(super) key_id: Option<&'v [u8]>,
    pub(super) mac: Option<&'v [u8]>,
}

const NAMES: [&str; 3] = ["challenge", "key_id", "mac"];

impl Text {
    /// Reads a text. With `in_json`, values that could end a JSON string must be quoted.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub(super) fn parse(
        text: &str,
        expect: &BTreeMap<String, String>,
        in_json: bool,
    ) -> Result<Self, BadText> {
        let mut parts: Vec<Part> = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (literal, braces) = rest.split_at_checked(at).unwrap_or((rest, ""));
            parts.push(Part::Literal(literal.as_bytes().into()));
            rest = if let Some(after) = braces.strip_prefix("{{") {
                parts.push(Part::Literal((*b"{").into()));
                after
            } else if let Some(after) = braces.strip_prefix("}}") {
                parts.push(Part::Literal((*b"}").into()));
                after
            } else {
                let inner = braces.strip_prefix('{').and_then(|inner| inner.split_once('}'));
                let Some((inner, after)) = inner else {
                    let what = "a lone brace is written twice: `{{` or `}}`";
                    return Err(what.to_owned().into());
                };
                parts.push(part(inner, expect, in_json)?);
                after
            };
        }
        parts.push(Part::Literal(rest.as_bytes().into()));
        parts.retain(|part| !matches!(part, Part::Literal(bytes) if bytes.is_empty()));
        Ok(Self(parts))
    }

    /// Whether it has a place for this.
    pub(super) fn uses(&self, value: Value) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Value { what, .. } if *what == value))
    }

    /// Whether nothing stands in it.
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Fills the places.
    ///
    /// # Errors
    ///
    /// A value that cannot be quoted, because it is no text.
    pub(super) fn fill(&self, values: &Values<'_>) -> Result<Vec<u8>, Refusal> {
        let mut out = Vec::new();
        for part in &self.0 {
            match part {
                Part::Literal(bytes) => out.extend_from_slice(bytes),
                Part::Value { what, is_json } => {
                    let value = match what {
                        Value::Challenge => values.challenge,
                        Value::KeyId => values.key_id,
                        Value::Mac => values.mac,
                    };
                    let value = value.unwrap_or_default();
                    if *is_json {
                        out.extend_from_slice(quoted(value)?.as_bytes());
                    } else {
                        out.extend_from_slice(value);
                    }
                }
            }
        }
        Ok(out)
    }
}

fn part(text: &str, expect: &BTreeMap<String, String>, in_json: bool) -> Result<Part, BadText> {
    let (word, is_json) = match text.split_once('|') {
        None => (text, false),
        Some((word, "json")) => (word, true),
        Some((_, other)) => {
            return Err(BadText {
                message: format!("an answer has no filter `{other}`"),
                suggestion: Some("json".to_owned()),
            });
        }
    };
    // Hexadecimal digits and base64 need no quotes.
    if in_json && !is_json && word != "mac" {
        return Err(BadText {
            message: format!("what `{{{word}}}` brings could end a JSON string"),
            suggestion: Some(format!("{{{word}|json}}")),
        });
    }
    let what = match word {
        "challenge" => Value::Challenge,
        "key_id" => Value::KeyId,
        "mac" => Value::Mac,
        other => {
            let Some(key) = other.strip_prefix("expect:") else {
                return Err(BadText {
                    message: format!("an answer has no `{{{other}}}`"),
                    suggestion: nearest(other, NAMES.into_iter()),
                });
            };
            let value = expect.get(key).ok_or_else(|| BadText {
                message: format!("nothing declares what a route expects as `{key}`"),
                suggestion: Some(format!("[expect.{key}]")),
            })?;
            let text = if is_json { json(value) } else { value.clone() };
            return Ok(Part::Literal(text.into_bytes().into()));
        }
    };
    Ok(Part::Value { what, is_json })
}

fn quoted(value: &[u8]) -> Result<String, Refusal> {
    let text = std::str::from_utf8(value);
    text.map(json).map_err(|_| Refusal::new(Code::BadRequest, "the challenge is not UTF-8"))
}

/// A text as a JSON string, quotes included.
fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, in_json: bool) -> Result<Text, String> {
        let expect = BTreeMap::from([("rate".to_owned(), "\"1".to_owned())]);
        Text::parse(text, &expect, in_json).map_err(|bad| bad.message)
    }

    fn fill(text: &str, challenge: &[u8]) -> String {
        let values = Values { challenge: Some(challenge), mac: Some(b"ff"), key_id: Some(b"pk") };
        let filled = parse(text, false).unwrap().fill(&values).unwrap();
        String::from_utf8(filled).unwrap()
    }

    #[test]
    fn places_are_filled_and_braces_doubled() {
        assert_eq!(fill("{challenge}", b"a{b}"), "a{b}");
        assert_eq!(fill("{key_id}|{mac}", b""), "pk|ff");
        assert_eq!(fill("{{{expect:rate}{expect:rate|json}}}", b""), "{\"1\"\\\"1\"}");
        assert_eq!(fill("", b""), "");
        let json = fill(r#"{{"c":{challenge|json}}}"#, "\"},{\"\\\n\u{2028}é".as_bytes());
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(value["c"], "\"},{\"\\\n\u{2028}é");
    }

    #[test]
    fn texts_that_would_not_hold_are_refused() {
        for (text, in_json) in [
            ("{challenge", false),
            ("challenge}", false),
            ("{}", false),
            ("{mac|hex}", false),
            ("{challange}", false),
            ("{expect:other}", false),
            ("{header:x}", false),
            ("{challenge}", true),
            ("{expect:rate}", true),
            ("{key_id}", true),
        ] {
            assert!(parse(text, in_json).is_err(), "{text}");
        }
        assert!(parse(r#"{{"a":"sha256={mac}","b":{challenge|json}}}"#, true).is_ok());
        let values = Values { challenge: Some(b"\xff"), ..Values::default() };
        assert!(parse("{challenge|json}", true).unwrap().fill(&values).is_err());
        assert_eq!(parse("{challenge}", false).unwrap().fill(&values).unwrap(), b"\xff");
    }
}
