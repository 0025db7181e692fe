//! Shows that the signed bytes say where each part begins and ends, or refuses the template.
//!
//! At most one part may be free. What stands before it must be decodable from the left, what
//! stands after it from the right; otherwise a captured signature would also hold for another
//! division of the same bytes, such as a longer id and a shorter body.

use super::{Part, Role, ValuePart, filter::Class};
use crate::verify::{source::Source, time::Unit};

/// Decides for each part what is demanded of it at run time.
///
/// # Errors
///
/// Names the parts that could slide.
pub(super) fn settle(parts: &mut [Part]) -> Result<(), String> {
    let Some(free) = left(parts) else { return Ok(()) };
    right(parts, free)
}

/// Settles parts from the left; the first that cannot be settled is the free one.
fn left(parts: &mut [Part]) -> Option<usize> {
    let count = parts.len();
    for at in 0..count {
        let next = parts.get(at + 1).and_then(literal);
        let before_time = parts.get(at + 1).is_some_and(is_rfc3339);
        let Some(Part::Value(value)) = parts.get_mut(at) else { continue };
        // The first colon of what follows is the time's, and stands at its fourteenth byte.
        if before_time && value.class() == Class::Word {
            continue;
        }
        if !settled(value, next.as_deref(), Side::Left) && at + 1 < count {
            return Some(at);
        }
    }
    None
}

/// Settles parts from the right down to the free one.
fn right(parts: &mut [Part], free: usize) -> Result<(), String> {
    let freed = match parts.get(free) {
        Some(Part::Value(value)) => value.source.to_string(),
        _ => String::new(),
    };
    for at in (free + 1..parts.len()).rev() {
        let before = parts.get(at - 1).and_then(literal);
        let Some(Part::Value(value)) = parts.get_mut(at) else { continue };
        if !settled(value, before.as_deref(), Side::Right) {
            return Err(format!(
                "a template whose parts can slide into each other: nothing says where `{{{freed}}}` \
                 ends and `{{{}}}` begins",
                value.source
            ));
        }
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

/// Whether the value's end away from its side is known, given the literal that stands there.
fn settled(value: &mut ValuePart, literal: Option<&[u8]>, side: Side) -> bool {
    let touching = match side {
        Side::Left => literal.and_then(|l| l.first()),
        Side::Right => literal.and_then(|l| l.last()),
    };
    match value.class() {
        Class::SelfDelimiting | Class::Width(_) => true,
        Class::Digits if touching.is_some_and(|b| ends(value.role, *b)) => true,
        Class::Digits => match value.role {
            Role::Timestamp(unit) => {
                value.width = unit.width();
                value.width.is_some()
            }
            _ => false,
        },
        Class::Open => false,
        Class::Free if value.source == Source::Body => false,
        Class::Free | Class::Word => {
            let literal = literal.map(Into::into);
            let known = literal.is_some();
            match side {
                Side::Left => value.until = literal,
                Side::Right => value.since = literal,
            }
            known
        }
    }
}

/// Whether this byte beside a value shows where it ends: none that it could go on with.
fn ends(role: Role, touching: u8) -> bool {
    let goes_on = match role {
        Role::Timestamp(Unit::Rfc3339Utc) => matches!(touching, b'.' | b'Z' | b'+' | b'-'),
        _ => false,
    };
    !goes_on && !touching.is_ascii_digit()
}

fn is_rfc3339(part: &Part) -> bool {
    matches!(part, Part::Value(value) if value.is_rfc3339())
}

fn literal(part: &Part) -> Option<Box<[u8]>> {
    match part {
        Part::Literal(bytes) => Some(bytes.clone()),
        Part::Value(_) | Part::Optional(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::Template;
    use crate::verify::{
        source::{Context, Lookups},
        template::Role,
        time::Unit,
    };

    fn compile(text: &str, unit: Unit) -> Result<Template, String> {
        let expect = BTreeMap::from([("url".to_owned(), "https://h/x".to_owned())]);
        let mut context =
            Context { expect: &expect, pairs: None, lookups: &mut Lookups::default() };
        Template::compile(text, &mut context, |source| match source.to_string().as_str() {
            "header:ts" => Role::Timestamp(unit),
            "header:id" => Role::Id,
            _ => Role::Plain,
        })
        .map_err(|e| e.message)
    }

    #[test]
    fn templates_of_known_providers_stand() {
        for text in [
            "{body}",
            "{header:ts}.{body}",
            "{header:id}.{header:ts}.{body}",
            "v0:{header:ts}:{body}",
            "{header:ts}{body}",
            "{body}{header:ts}",
            "{url}{body}",
            "{body}{url}",
            "{method}{url}{body}{header:ts}",
            "{header:id|uuid}{header:ts}{body}",
            "{header:id|word}{header:x|rfc3339}{body}",
            "{header:id|word}.{header:x|rfc3339}{body}",
            "{header:ts}{json:/token}",
            "{method}\n{path}\n{body|sha256|hex}",
            "{header:ts|digits}.{body|sha256}{header:x}",
            "{header:a}.{body}.{header:b}",
            "{{{header:id}}}{body}",
            "{secret}{body}",
            "{secret}{method}{url}{body}",
            "{body}{header:ts}{secret}",
            "A\n{json:/a}\nB\n{json:/b|line}\n[C\n{json:/c|line}\n]D\n{header:ts}\n",
            "{header:a}:{header:b|free}:{header:c}",
            "{url|with-port}{body|sorted-distinct}",
            "{url|open-query}{body|sorted}.{header:a}",
            "{header:a}|{header:ts}|{body|crc32}",
            "{body|utf8}",
        ] {
            assert!(compile(text, Unit::Seconds).is_ok(), "{text}");
        }
        assert!(compile("{header:id|uuid}{header:ts}{body}", Unit::Rfc3339).is_ok());
        assert!(compile("{body}{header:ts}", Unit::Rfc3339).is_ok());
        assert!(compile("v1:{header:ts}:{body}", Unit::Rfc3339Utc).is_ok());
        for text in ["{header:ts}{body}", "{header:ts}.{body}", "{header:ts}Z{body}"] {
            assert!(compile(text, Unit::Rfc3339Utc).is_err(), "{text}");
        }
    }

    #[test]
    fn parts_that_can_slide_are_refused() {
        for text in [
            "{header:id}{body}",
            "{body}{header:id}",
            "{header:id}{header:ts}{body}",
            "{body}{header:a}.{header:b}",
            "{body}.{body}",
            "{header:a}{header:b}",
            "{header:a}{method}{header:b}",
            "{header:n|digits}{body}",
            "{header:n|digits}0{body}",
            "{header:id|lower}{body}",
            "{header:id|word}{body}",
            "{header:id|word}{header:ts}{body}",
            "{header:id|word}{method}{body}",
            "{header:id|word|hex}{header:x|rfc3339}{body}",
            "{header:id|uuid|hex|urldecode}{body}",
            // Who chooses `a` could write another `b` and `c` into it.
            "A\n{json:/a}\nB\n{json:/b|line}\n[C\n{json:/c}\n]D\n{header:ts}\n",
            "A\n{json:/a}\nB\n{json:/b}\n[C\n{json:/c|line}\n]D\n{header:ts}\n",
            "A\n{json:/a}\n[C\n{json:/c|line}\n]D\n{header:ts}\n",
            "A\n{json:/a}\nB\n{json:/b|line}\n[B\n{json:/c|line}\n]D\n{header:ts}\n",
            "{header:a|line}[{header:b|line}]{body}",
            "{header:a|free}:{header:b|free}",
            "{header:a|free}:{body}",
            "{body|sorted}{header:a}",
            "{header:a}{body|crc32}{header:b}",
        ] {
            let error = compile(text, Unit::Seconds).unwrap_err();
            assert!(error.contains("slide into each other"), "{text}: {error}");
        }
    }

    #[test]
    fn texts_that_are_no_templates() {
        for text in ["", "abc", "{body", "body}", "{}", "{body|}", "{body|sha}", "{url|digits}"] {
            assert!(compile(text, Unit::Seconds).is_err(), "{text}");
        }
        let error = compile("{body|sorted-last}", Unit::Seconds).unwrap_err();
        assert!(error.contains("no filter `sorted-last`"), "{error}");
    }
}
