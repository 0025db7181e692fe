//! What a reader of XML must refuse and the pull parser lets pass.

use std::borrow::Cow;

use quick_xml::{
    XmlVersion,
    events::{BytesDecl, BytesRef, BytesStart},
};

use super::{NotXml, path::is_local_name};

/// Elements with more attributes than this are refused: looking for one that is there twice must
/// not take forever.
const MAX_ATTRIBUTES: usize = 64;

/// One attribute: its local name and its value.
pub(super) type Attribute<'a> = (&'a str, Cow<'a, str>);

/// The local name of `prefix:name`.
pub(super) fn local_name(name: &str) -> Result<&str, NotXml> {
    let (prefix, local) = match name.split_once(':') {
        Some((prefix, local)) => (Some(prefix), local),
        None => (None, name),
    };
    let is_name = is_local_name(local) && prefix.is_none_or(is_local_name);
    is_name.then_some(local).ok_or(NotXml)
}

/// Every attribute but the declarations of namespaces; none may be there twice.
pub(super) fn attributes<'a>(tag: &'a BytesStart<'_>) -> Result<Vec<Attribute<'a>>, NotXml> {
    let mut names: Vec<&str> = Vec::new();
    let mut all = Vec::new();
    // The parser's own search for duplicates takes the square of their number.
    for attribute in tag.attributes().with_checks(false) {
        let attribute = attribute.map_err(|_| NotXml)?;
        let name = attribute.key.into_inner();
        if names.contains(&name) || names.len() == MAX_ATTRIBUTES {
            return Err(NotXml);
        }
        names.push(name);
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|_| NotXml)?;
        if attribute.value.contains('<') || !value.chars().all(is_char) {
            return Err(NotXml);
        }
        let local = local_name(name)?;
        if name != "xmlns" && !name.starts_with("xmlns:") {
            all.push((local, value));
        }
    }
    Ok(all)
}

/// A declaration must say XML 1.0, and UTF-8 if it names an encoding.
pub(super) fn declaration(declaration: &BytesDecl<'_>) -> Result<(), NotXml> {
    let is_version = declaration.version().is_ok_and(|version| &*version == "1.0");
    let is_utf8 = match declaration.encoding() {
        None => true,
        Some(name) => name.is_ok_and(|name| name.eq_ignore_ascii_case("utf-8")),
    };
    (is_version && is_utf8).then_some(()).ok_or(NotXml)
}

/// The character that a reference stands for: by number, or one of the five built-in names.
pub(super) fn reference(reference: &BytesRef<'_>) -> Result<char, NotXml> {
    match &**reference {
        "amp" => Ok('&'),
        "apos" => Ok('\''),
        "gt" => Ok('>'),
        "lt" => Ok('<'),
        "quot" => Ok('"'),
        _ => reference.resolve_char_ref().ok().flatten().filter(|c| is_char(*c)).ok_or(NotXml),
    }
}

/// Whether XML 1.0 allows the character (section 2.2).
pub(super) const fn is_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}
