//! The signature base, for verifying and for signing.

use sfv::{InnerList, Item, ListEntry};

use super::{Component, Origin, Parameters, value::serialized};
use crate::{
    decision::{Code, Refusal},
    verify::Head,
};

/// The longest signature base, in bytes: twice what a head may have.
const MAX_BASE: usize = 64 * 1024;

/// The bytes that a signature holds over (RFC 9421, section 2.5); `input` is the list of the
/// components with the parameters.
///
/// # Errors
///
/// The request lacks a component, or the base is too long.
pub(super) fn base(
    head: Head<'_>,
    origin: &Origin,
    components: &[Component],
    input: &ListEntry,
) -> Result<Vec<u8>, Refusal> {
    let refuse = |what: String| Refusal::new(Code::SignatureMismatch, what);
    let mut base = Vec::new();
    for component in components {
        let identifier = component.item().map_err(|e| refuse(e.to_string()))?;
        let value = component
            .value(head, origin)
            .map_err(|what| refuse(format!("the signature covers {component}, which {what}")))?;
        line(&mut base, &serialized(&identifier.into()), &value);
        base.push(b'\n');
        if base.len() > MAX_BASE {
            return Err(refuse("the signature covers more than 64 KiB".to_owned()));
        }
    }
    line(&mut base, "\"@signature-params\"", serialized(input).as_bytes());
    Ok(base)
}

fn line(base: &mut Vec<u8>, identifier: &str, value: &[u8]) {
    base.extend_from_slice(identifier.as_bytes());
    base.extend_from_slice(b": ");
    base.extend_from_slice(value);
}

/// A signature that is still to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unsigned {
    label: String,
    input: String,
    /// What is to be signed.
    pub(crate) base: Vec<u8>,
}

/// Prepares a signature over a request; `label` is a key of structured fields.
///
/// # Errors
///
/// The request lacks a component, or a text cannot stand in a header.
pub(crate) fn prepare(
    head: Head<'_>,
    origin: Option<&Origin>,
    label: &str,
    components: &[Component],
    parameters: &Parameters,
) -> Result<Unsigned, Refusal> {
    let refuse = |e: sfv::Error| Refusal::new(Code::SignatureMalformed, e.to_string());
    let items: Result<Vec<Item>, _> = components.iter().map(Component::item).collect();
    let written = parameters.written().map_err(refuse)?;
    let list = InnerList::with_params(items.map_err(refuse)?, written);
    let origin = match origin {
        Some(origin) => origin.clone(),
        None => Origin::of_head(head)?,
    };
    let input = ListEntry::InnerList(list);
    let base = base(head, &origin, components, &input)?;
    Ok(Unsigned { label: label.to_owned(), input: serialized(&input), base })
}

impl Unsigned {
    /// The value of `Signature-Input`.
    pub(crate) fn input(&self) -> String {
        format!("{}={}", self.label, self.input)
    }

    /// The value of `Signature`.
    pub(crate) fn signature(&self, bytes: &[u8]) -> String {
        let bytes = ListEntry::Item(Item::new(bytes.to_vec()));
        format!("{}={}", self.label, serialized(&bytes))
    }
}
