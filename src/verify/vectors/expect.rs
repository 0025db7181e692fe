//! What a route would have to expect for a case that does not say it.

use std::collections::BTreeMap;

use crate::verify::{
    Definition, Head,
    definition::raw::RawExpected,
    head::Read,
    json,
    source::{Context, Looked, Lookups, Message, Source},
};

/// Takes what is missing from the message itself.
///
/// A case is about its proof. What a route demands beside it, such as a topic of its own, is taken
/// for what the message says.
pub(super) fn fill(
    definition: &Definition,
    head: Head<'_>,
    body: &[u8],
    expect: &mut BTreeMap<String, String>,
) {
    for (key, expectation) in &definition.expect {
        if !expectation.is_required() || expect.contains_key(key) {
            continue;
        }
        if let Some(value) = said(definition, key, head, body) {
            expect.insert(key.clone(), value);
        }
    }
}

/// What the message says where it must be equal to this expectation.
fn said(definition: &Definition, key: &str, head: Head<'_>, body: &[u8]) -> Option<String> {
    let wanted = format!("{{expect:{key}}}");
    let is_wanted = |one: &RawExpected| matches!(one, RawExpected::Template(t) if *t == wanted);
    let matches = definition.written().signature.iter().flat_map(|s| s.matches.iter().flatten());
    let mut matches = matches.filter(|(_, expected)| expected.0.iter().any(is_wanted));
    let (text, _) = matches.next()?;
    let (expect, mut lookups) = (BTreeMap::new(), Lookups::default());
    let mut context = Context { expect: &expect, pairs: None, lookups: &mut lookups };
    let source = Source::parse(text, &mut context).ok()?;
    let json = json::extract(body, &lookups.json).ok();
    let looked = Looked { json, xml: crate::verify::xml::extract(body, &lookups.xml).ok() };
    match source.read(&Message::new(head, body).with(&looked)) {
        Read::Value(value) => String::from_utf8(value.into_owned()).ok(),
        _ => None,
    }
}
