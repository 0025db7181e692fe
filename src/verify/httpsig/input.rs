//! The signatures that a request brings.

use std::convert::Infallible;

use http::HeaderName;
use sfv::{
    BareItem, Dictionary, InnerList, Item, KeyRef, ListEntry, Parser,
    visitor::{DictionaryVisitor, EntryVisitor},
};
use smallvec::SmallVec;

use super::{Component, Origin, Parameters, Rules, build::base, value::trim};
use crate::{
    decision::{Code, Refusal},
    verify::Head,
};

/// More signatures than this on one request are refused.
const MAX_LABELS: usize = 8;

/// More components than this in one signature are refused.
const MAX_COMPONENTS: usize = 32;

/// One signature of a request, which satisfies the receiver's rules as far as its text tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Input {
    /// Its name within the request.
    pub(crate) label: Box<str>,
    /// What it covers.
    pub(crate) components: Vec<Component>,
    /// What it says of itself.
    pub(crate) parameters: Parameters,
    /// The bytes.
    pub(crate) signature: Vec<u8>,
    /// What it must hold over.
    pub(crate) base: Vec<u8>,
}

impl Input {
    /// Whether it covers a digest of the body, or a part of the header that has them.
    pub(crate) fn covers_digest(&self) -> bool {
        let digest = |component: &Component| component.is_digest();
        self.components.iter().any(digest)
    }
}

const SIGNATURE: HeaderName = HeaderName::from_static("signature");
const SIGNATURE_INPUT: HeaderName = HeaderName::from_static("signature-input");

/// Reads the signatures of a request that the rules admit; at least one.
///
/// # Errors
///
/// There is none, or a header is not of its form or has a label twice, or (of the first) why it is
/// not admitted.
pub(crate) fn read(head: Head<'_>, rules: &Rules) -> Result<SmallVec<[Input; 1]>, Refusal> {
    let inputs = members(head, &SIGNATURE_INPUT)?;
    let signatures = members(head, &SIGNATURE)?;
    let origin = match &rules.origin {
        Some(origin) => origin.clone(),
        None => Origin::of_head(head)?,
    };
    let mut admitted = SmallVec::new();
    let mut problem = None;
    for (label, input) in &inputs {
        let Some(signature) = signatures.get(label) else { continue };
        match one(head, rules, &origin, input, signature) {
            Ok((components, parameters, signature, base)) => admitted.push(Input {
                label: label.as_str().into(),
                components,
                parameters,
                signature,
                base,
            }),
            Err(refusal) => problem = problem.or(Some(refusal)),
        }
    }
    if !admitted.is_empty() {
        return Ok(admitted);
    }
    Err(problem.unwrap_or_else(|| {
        Refusal::new(Code::SignatureMissing, "no label is in both Signature-Input and Signature")
    }))
}

type Parts = (Vec<Component>, Parameters, Vec<u8>, Vec<u8>);

fn one(
    head: Head<'_>,
    rules: &Rules,
    origin: &Origin,
    input: &ListEntry,
    signature: &ListEntry,
) -> Result<Parts, Refusal> {
    let malformed = |what| Refusal::new(Code::SignatureMalformed, what);
    let ListEntry::InnerList(list) = input else {
        return Err(malformed("a label of Signature-Input is no list of components"));
    };
    let ListEntry::Item(Item { bare_item: BareItem::ByteSequence(signature), .. }) = signature
    else {
        return Err(malformed("a label of Signature is no byte sequence"));
    };
    let components = components(list)?;
    let parameters = Parameters::of(&list.params)?;
    rules.admit(&components, &parameters)?;
    let base = base(head, origin, &components, input)?;
    Ok((components, parameters, signature.clone(), base))
}

fn components(list: &InnerList) -> Result<Vec<Component>, Refusal> {
    let malformed = |what: String| Refusal::new(Code::SignatureMalformed, what);
    if list.items.len() > MAX_COMPONENTS {
        return Err(malformed("a signature of more than 32 components".to_owned()));
    }
    let mut components = Vec::with_capacity(list.items.len());
    for item in &list.items {
        let component = Component::of(item)
            .map_err(|what| malformed(format!("a component of the signature {what}")))?;
        if components.contains(&component) {
            return Err(malformed(format!("the signature covers {component} twice")));
        }
        components.push(component);
    }
    Ok(components)
}

/// The labelled members of a header that may stand on several lines (RFC 9651, section 4.2).
fn members(head: Head<'_>, name: &HeaderName) -> Result<Dictionary, Refusal> {
    let refuse = |code, what| {
        let detail = crate::decision::Detail::Header { name: name.clone(), what };
        Err(Refusal { code, detail, retry_after_secs: None })
    };
    let mut all = Unique::default();
    for line in head.headers.get_all(name) {
        // Each line is a whole of its own here: a member cut in two by a line's end is none.
        match Parser::new(trim(line.as_bytes())).parse_dictionary_with_visitor(&mut all) {
            Ok(()) => {}
            Err(_) => return refuse(Code::SignatureMalformed, "is no structured dictionary"),
        }
    }
    if all.repeated {
        return refuse(Code::AmbiguousHeader, "has a label twice");
    }
    match all.members.len() {
        0 => refuse(Code::SignatureMissing, "is not there"),
        1..=MAX_LABELS => Ok(all.members),
        _ => refuse(Code::SignatureMalformed, "has more than 8 labels"),
    }
}

/// A dictionary that notices a key that is there twice, where the standard takes the last.
#[derive(Default)]
struct Unique {
    members: Dictionary,
    repeated: bool,
}

impl<'de> DictionaryVisitor<'de> for &mut Unique {
    type Out = ();
    type Error = Infallible;

    fn entry(&mut self, key: &'de KeyRef) -> Result<impl EntryVisitor<'de>, Infallible> {
        self.repeated |= self.members.contains_key(key);
        DictionaryVisitor::entry(&mut self.members, key)
    }

    fn finish(self) -> Result<(), Infallible> {
        Ok(())
    }
}
