//! Reads a template's text into parts.

use super::{Part, Role, ValuePart, filter::Filter};
use crate::verify::source::{BadText, Context, Source, nearest};

/// Splits at braces, and says whether the registered URL is among the values: `{source|filter|…}` is a value, `{{` and `}}` are braces, all else literal.
pub(super) fn parse(
    text: &str,
    context: &mut Context<'_>,
    role: impl Fn(&Source) -> Role,
) -> Result<(Vec<Part>, bool), BadText> {
    let mut parts: Vec<Part> = Vec::new();
    let mut uses_url = false;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let literal = if let Some(after) = rest.strip_prefix("{{") {
            rest = after;
            "{"
        } else if let Some(after) = rest.strip_prefix("}}") {
            rest = after;
            "}"
        } else if first == '}' {
            return Err("a lone `}` in a template is written `}}`".to_owned().into());
        } else if let Some(after) = rest.strip_prefix('{') {
            let (inner, after) =
                close(after).ok_or_else(|| BadText::from("`{` without `}`".to_owned()))?;
            rest = after;
            let (part, is_url) = value(inner, context, &role)?;
            uses_url |= is_url;
            add(&mut parts, part);
            continue;
        } else {
            let end = rest.find(['{', '}']).unwrap_or(rest.len());
            let (literal, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
            rest = after;
            literal
        };
        add(&mut parts, Part::Literal(literal.as_bytes().into()));
    }
    if !parts.iter().any(|p| matches!(p, Part::Value(_))) {
        return Err("a template without any value signs nothing".to_owned().into());
    }
    Ok((parts, uses_url))
}

/// Adds a part; literals that touch become one.
fn add(parts: &mut Vec<Part>, part: Part) {
    match (parts.last_mut(), part) {
        (Some(Part::Literal(before)), Part::Literal(more)) => {
            *before = [&**before, &more].concat().into();
        }
        (_, part) => parts.push(part),
    }
}

/// What stands before the closing brace, which braces of `{expect.KEY}` do not end.
fn close(text: &str) -> Option<(&str, &str)> {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                let (inner, rest) = text.split_at_checked(at)?;
                return Some((inner, rest.strip_prefix('}')?));
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn value(
    text: &str,
    context: &mut Context<'_>,
    role: impl Fn(&Source) -> Role,
) -> Result<(Part, bool), BadText> {
    let mut words = text.split('|');
    let source = Source::parse(words.next().unwrap_or_default(), context)?;
    let filters = words.map(filter).collect::<Result<Vec<_>, _>>()?;
    if matches!(source, Source::Headers(_)) {
        return Err("`headers:` stands only where a signature does".to_owned().into());
    }
    let constant = match &source {
        Source::Expect(key) => context.expect.get(&**key),
        Source::Url => context.expect.get("url"),
        _ => None,
    };
    let Some(constant) = constant else {
        let role = role(&source);
        return Ok((Part::Value(ValuePart::new(source, filters, role)), false));
    };
    let mut bytes = constant.as_bytes().into();
    for filter in filters {
        bytes = filter.apply(bytes).ok_or_else(|| {
            BadText::from(format!("what the route expects is not what `{text}` demands"))
        })?;
    }
    Ok((Part::Literal(bytes.into()), source == Source::Url))
}

fn filter(name: &str) -> Result<Filter, BadText> {
    Filter::parse(name).ok_or_else(|| BadText {
        message: format!("there is no filter `{name}`"),
        suggestion: nearest(name, Filter::names()),
    })
}
