//! Shows that a template with an optional group is read in one way only.
//!
//! It must be written in lines: everything behind the one free part is a name and a value in turn,
//! each on a line of its own. Counted from the end, the name then tells whether the group is there.

use super::{Part, ValuePart};

/// Judges a template with an optional group.
///
/// # Errors
///
/// Why its parts could be taken for each other.
pub(super) fn settle(parts: &[Part]) -> Result<(), String> {
    let mut groups = parts.iter().enumerate().filter_map(|(at, part)| match part {
        Part::Optional(inner) => Some((at, inner)),
        _ => None,
    });
    let Some((at, inner)) = groups.next() else { return Ok(()) };
    if groups.next().is_some() {
        return Err("a template has at most one optional group".to_owned());
    }
    let (before, after) = parts.split_at_checked(at).unwrap_or((parts, &[]));
    let after = after.get(1..).unwrap_or_default();
    let with = Lines::read(before.iter().chain(inner).chain(after))?;
    let without = Lines::read(before.iter().chain(after))?;
    // Counted from the end, these two stand in the same place.
    let behind = after.iter().filter(|part| matches!(part, Part::Value(_))).count();
    match (with.name(behind), without.name(behind)) {
        (Some(group), Some(other))
            if group != other && with.names.len() == without.names.len() + 1 =>
        {
            Ok(())
        }
        _ => Err(slides()),
    }
}

/// What stands before each value behind the free part, from the last to the first.
struct Lines {
    names: Vec<Vec<u8>>,
}

impl Lines {
    fn read<'p>(parts: impl Iterator<Item = &'p Part>) -> Result<Self, String> {
        let mut names = Vec::new();
        let mut literal = Vec::new();
        let mut values = 0;
        for part in parts {
            match part {
                Part::Literal(bytes) => literal.extend_from_slice(bytes),
                Part::Value(value) => {
                    values += 1;
                    if values > 1 {
                        names.push(name(&literal, value)?);
                    }
                    literal.clear();
                }
                Part::Optional(_) => return Err("optional groups do not nest".to_owned()),
            }
        }
        if literal != b"\n" {
            return Err(slides());
        }
        names.reverse();
        Ok(Self { names })
    }

    fn name(&self, from_the_end: usize) -> Option<&Vec<u8>> {
        self.names.get(from_the_end)
    }
}

/// The name before a value: one line between two line breaks.
fn name(literal: &[u8], value: &ValuePart) -> Result<Vec<u8>, String> {
    let inner = literal.strip_prefix(b"\n").and_then(|rest| rest.strip_suffix(b"\n"));
    match inner {
        Some(inner) if value.is_line() && !inner.contains(&b'\n') => Ok(inner.to_vec()),
        _ => Err(slides()),
    }
}

fn slides() -> String {
    "a template whose parts can slide into each other: with an optional group, everything behind the \
     first value stands on lines of its own, as `NAME\\n{source|line}\\n`"
        .to_owned()
}
