//! What bodies become when something reads and writes them again.

use std::fmt;

/// A body changed on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reshaped {
    /// JSON without spaces.
    Compact,
    /// JSON on many lines.
    Pretty,
    /// JSON without spaces, its members sorted.
    Sorted,
    /// JSON with a space after each comma and colon.
    Spaced,
    /// Without whitespace at its end.
    Trimmed,
    /// With CR LF at its end.
    WithCrLf,
    /// With a line break at its end.
    WithNewline,
}

impl Reshaped {
    pub(super) const ALL: &'static [Self] = &[
        Self::Trimmed,
        Self::WithNewline,
        Self::WithCrLf,
        Self::Compact,
        Self::Spaced,
        Self::Pretty,
        Self::Sorted,
    ];

    /// The body so changed; `None` where that does not apply or changes nothing.
    pub(super) fn apply(self, body: &[u8]) -> Option<Vec<u8>> {
        let is_json = || serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok();
        let changed = match self {
            Self::Trimmed => body.trim_ascii_end().to_vec(),
            Self::WithCrLf => [body, b"\r\n"].concat(),
            Self::WithNewline => [body, b"\n"].concat(),
            Self::Sorted => {
                serde_json::from_slice::<serde_json::Value>(body).ok()?.to_string().into_bytes()
            }
            _ if !is_json() => return None,
            Self::Compact => respace(body, b",", b":", None),
            Self::Spaced => respace(body, b", ", b": ", None),
            Self::Pretty => respace(body, b",", b": ", Some(2)),
        };
        (changed != body).then_some(changed)
    }
}

impl fmt::Display for Reshaped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Compact => "written as JSON without spaces",
            Self::Pretty => "written as JSON on many lines",
            Self::Sorted => "written as JSON with sorted members",
            Self::Spaced => "written as JSON with spaces after commas and colons",
            Self::Trimmed => "without the whitespace at its end",
            Self::WithCrLf => "with CR LF at its end",
            Self::WithNewline => "with a line break at its end",
        })
    }
}

/// Writes the tokens of a JSON text, in their order and spelling, with other space between them.
fn respace(body: &[u8], comma: &[u8], colon: &[u8], indent: Option<usize>) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() * 2);
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut escaped = false;
    let tokens: Vec<u8> = body.to_vec();
    let mut rest = tokens.iter().copied().peekable();
    let new_line = |out: &mut Vec<u8>, depth: usize| {
        if let Some(width) = indent {
            out.push(b'\n');
            // JSON may be nested deeper than anybody indents.
            out.resize(out.len() + width * depth.min(64), b' ');
        }
    };
    while let Some(b) = rest.next() {
        if in_string {
            out.push(b);
            in_string = escaped || b != b'"';
            escaped = !escaped && b == b'\\';
            continue;
        }
        match b {
            b' ' | b'\t' | b'\n' | b'\r' => {}
            b'"' => {
                in_string = true;
                out.push(b);
            }
            b'{' | b'[' => {
                out.push(b);
                while rest.next_if(u8::is_ascii_whitespace).is_some() {}
                if let Some(close) = rest.next_if(|b| matches!(b, b'}' | b']')) {
                    out.push(close);
                } else {
                    depth += 1;
                    new_line(&mut out, depth);
                }
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut out, depth);
                out.push(b);
            }
            b',' => {
                out.extend_from_slice(comma);
                new_line(&mut out, depth);
            }
            b':' => out.extend_from_slice(colon),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn shapes() {
        let body = br#"{"b":[1, {}],"a":"x, \": y" }"#;
        let shape = |how: Reshaped| String::from_utf8(how.apply(body).unwrap()).unwrap();
        assert_eq!(shape(Reshaped::Compact), r#"{"b":[1,{}],"a":"x, \": y"}"#);
        assert_eq!(shape(Reshaped::Spaced), r#"{"b": [1, {}], "a": "x, \": y"}"#);
        assert_eq!(shape(Reshaped::Sorted), r#"{"a":"x, \": y","b":[1,{}]}"#);
        let pretty = "{\n  \"b\": [\n    1,\n    {}\n  ],\n  \"a\": \"x, \\\": y\"\n}";
        assert_eq!(shape(Reshaped::Pretty), pretty);
        assert_eq!(Reshaped::Trimmed.apply(b"a"), None);
        assert_eq!(Reshaped::Compact.apply(b"not json "), None);
    }

    proptest! {
        #[test]
        fn respacing_keeps_the_value(a in "\\PC{0,12}", n in any::<i32>()) {
            let value = serde_json::json!({ "k": [a, { "n": n }, [], {}], "l": null });
            let text = serde_json::to_vec_pretty(&value).unwrap();
            for how in Reshaped::ALL {
                let Some(changed) = how.apply(&text) else { continue };
                prop_assert_eq!(&serde_json::from_slice::<serde_json::Value>(&changed).unwrap(), &value);
            }
        }

        #[test]
        fn no_input_panics(body in proptest::collection::vec(any::<u8>(), 0..100)) {
            drop(respace(&body, b", ", b": ", Some(2)));
        }
    }
}
