//! Reads a template's text into parts.

use super::{Part, Role, ValuePart, filter::Filter};
use crate::verify::source::{BadText, Context, Source, nearest};

/// Splits at braces and brackets, and says whether the registered URL is among the values.
///
/// `{source|filter|…}` is a value, `[…]` an optional group; both are themselves if doubled; all else is literal.
pub(super) fn parse(
    text: &str,
    context: &mut Context<'_>,
    role: impl Fn(&Source) -> Role,
) -> Result<(Vec<Part>, bool), BadText> {
    let mut parts: Vec<Part> = Vec::new();
    // The parts before the group that is open.
    let mut outer: Option<Vec<Part>> = None;
    let mut uses_url = false;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let literal = if let Some(after) = rest.strip_prefix("{{") {
            rest = after;
            "{"
        } else if let Some(after) = rest.strip_prefix("}}") {
            rest = after;
            "}"
        } else if let Some(after) = rest.strip_prefix("[[") {
            rest = after;
            "["
        } else if let Some(after) = rest.strip_prefix("]]") {
            rest = after;
            "]"
        } else if let (Some(after), None) = (rest.strip_prefix('['), &outer) {
            rest = after;
            outer = Some(std::mem::take(&mut parts));
            continue;
        } else if let Some(after) = rest.strip_prefix(']')
            && let Some(before) = outer.take()
        {
            rest = after;
            let inner = std::mem::replace(&mut parts, before);
            parts.push(group(inner)?);
            continue;
        } else if matches!(first, '[' | ']') {
            return Err("a lone `[` or `]` in a template is written twice".to_owned().into());
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
            let end = rest.find(['{', '}', '[', ']']).unwrap_or(rest.len());
            let (literal, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
            rest = after;
            literal
        };
        add(&mut parts, Part::Literal(literal.as_bytes().into()));
    }
    if outer.is_some() {
        return Err("`[` without `]`".to_owned().into());
    }
    Ok((parts, uses_url))
}

/// A group that is left out where its first value is not there.
fn group(mut parts: Vec<Part>) -> Result<Part, BadText> {
    for part in &mut parts {
        part.values_mut().for_each(|value| value.optional = true);
    }
    if parts.iter().flat_map(Part::values).next().is_none() {
        return Err("a group without any value would never be left out".to_owned().into());
    }
    Ok(Part::Optional(parts))
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
        Source::Expect(key) => context.expect.get(&**key).map(String::as_str),
        Source::Url => context.expect.get("url").map(String::as_str),
        _ => None,
    };
    if source == Source::Secret && !filters.is_empty() {
        return Err("`secret` is hashed as it stands".to_owned().into());
    }
    let Some(constant) = constant else {
        let role = role(&source);
        return Ok((Part::Value(ValuePart::new(source, filters, role)), false));
    };
    // Who takes the origin alone says by other parts what else of the request is signed.
    let is_url = source == Source::Url && !filters.contains(&Filter::Origin);
    let mut bytes = constant.as_bytes().into();
    for filter in filters {
        bytes = filter.apply(bytes).ok_or_else(|| {
            BadText::from(format!("what the route expects is not what `{text}` demands"))
        })?;
    }
    Ok((Part::Literal(bytes.into()), is_url))
}

fn filter(name: &str) -> Result<Filter, BadText> {
    Filter::parse(name).ok_or_else(|| BadText {
        message: format!("there is no filter `{name}`"),
        suggestion: nearest(name, Filter::names()),
    })
}
