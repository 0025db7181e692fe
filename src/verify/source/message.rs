//! A message with what was found in its structured parts, and how one value of it is read.

use std::borrow::Cow;

use super::Source;
use crate::verify::{
    form,
    head::{Head, Read},
    json::{self, Found, Pointer},
    xml,
};

/// Every place of a scheme that is looked up in a structured part of a message, so that each part
/// is read once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lookups {
    /// Pointers into the payload of a JWS.
    pub(crate) claims: Vec<Pointer>,
    /// Pointers into the element that is judged.
    pub(crate) items: Vec<Pointer>,
    /// Pointers into the JSON body.
    pub(crate) json: Vec<Pointer>,
    /// Paths in the XML body.
    pub(crate) xml: Vec<xml::Path>,
}

/// What the document of a message holds in the places of its scheme.
#[derive(Clone, Debug, Default)]
pub(crate) struct Looked {
    /// `None` where it is not JSON, or nothing is looked for.
    pub(crate) json: Option<Vec<Found>>,
    /// `None` where it is not XML, or nothing is looked for.
    pub(crate) xml: Option<Vec<Found>>,
}

impl Lookups {
    /// What a document holds in these places.
    pub(crate) fn look_into(&self, document: &[u8]) -> Looked {
        let in_json = || json::extract(document, &self.json).ok();
        let in_xml = || xml::extract(document, &self.xml).ok();
        Looked {
            json: if self.json.is_empty() { None } else { in_json() },
            xml: if self.xml.is_empty() { None } else { in_xml() },
        }
    }
}

/// A message, and what its structured parts hold in the places of the scheme.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message<'a> {
    pub(crate) head: Head<'a>,
    pub(crate) body: &'a [u8],
    /// What its document holds, as far as it was looked into.
    pub(crate) looked: Option<&'a Looked>,
    /// Known once a JWS has held.
    pub(crate) claims: Option<&'a [Found]>,
    /// The element that is judged, where each is judged by itself.
    pub(crate) item: Option<&'a [Found]>,
    /// Names and texts; known once an HTTP message signature was read.
    pub(crate) params: Option<&'a [(Box<str>, Box<str>)]>,
}

impl<'a> Message<'a> {
    /// A message whose body is not there yet, or whose structure is of no interest.
    pub(crate) const fn new(head: Head<'a>, body: &'a [u8]) -> Self {
        Self { head, body, looked: None, claims: None, item: None, params: None }
    }

    /// The same message, its document looked into.
    pub(crate) const fn with(self, looked: &'a Looked) -> Self {
        Self { looked: Some(looked), ..self }
    }

    /// What a pointer or path into the document came to.
    pub(crate) fn found(&self, source: &Source) -> Option<&'a Found> {
        match source {
            Source::Json(_, number) => self.looked?.json.as_ref()?.get(*number),
            Source::Xml(_, number) => self.looked?.xml.as_ref()?.get(*number),
            _ => None,
        }
    }

    fn param(&self, name: &str) -> Read<'a> {
        let found = self.params.and_then(|all| all.iter().find(|(own, _)| **own == *name));
        found.map_or(Read::Absent, |(_, text)| Read::Value(Cow::Borrowed(text.as_bytes())))
    }
}

/// The one value that was found in a place.
fn one<'a>(found: Option<&'a Found>, absent: Read<'a>) -> Read<'a> {
    match found {
        None => absent,
        Some(found) if found.duplicate => Read::Repeated,
        Some(found) => match found.values.as_slice() {
            [] => Read::Absent,
            [one] => Read::Value(Cow::Borrowed(one.as_bytes())),
            _ => Read::Repeated,
        },
    }
}

impl Source {
    /// Reads the one value; constants and several headers at once are read elsewhere.
    pub(crate) fn read<'a>(&self, message: &Message<'a>) -> Read<'a> {
        let text = |text: &'a str| Read::Value(Cow::Borrowed(text.as_bytes()));
        let head = &message.head;
        match self {
            Self::Basic => head.credentials("Basic"),
            Self::Bearer => head.credentials("Bearer"),
            Self::Body => Read::Value(Cow::Borrowed(message.body)),
            Self::Claim(_, number) => {
                one(message.claims.and_then(|all| all.get(*number)), Read::Absent)
            }
            Self::Fields if head.has_form_type() => Read::Value(Cow::Borrowed(message.body)),
            Self::Form(name) if head.has_form_type() => form::field(message.body, name).into(),
            Self::Header(name) => head.header(name),
            Self::Host => head.host(),
            Self::Item(_, number) => {
                one(message.item.and_then(|all| all.get(*number)), Read::Absent)
            }
            Self::Json(..) => one(message.found(self), Read::Malformed("the body is not JSON")),
            Self::Listed(listed) => listed.read(*head),
            Self::Xml(..) => match message.found(self) {
                // Of several elements on the way, one has it and another has not: what is read
                // from the whole must not be one's alone.
                Some(found) if found.incomplete && !found.values.is_empty() => Read::Repeated,
                found => one(found, Read::Malformed("the body is not XML")),
            },
            Self::Method => text(head.method.as_str()),
            Self::Pair(header, key, split) => split.pair(head.header(header), key),
            Self::Param(name) => message.param(name),
            Self::Path => text(head.uri.path()),
            Self::Query => text(head.query()),
            Self::Request => {
                let (method, path) = (head.method.as_str(), head.uri.path());
                match form::canonical_request(method, path, head.query()) {
                    Some(text) => Read::Value(Cow::Owned(text)),
                    None => Read::Malformed("has too many parameters"),
                }
            }
            Self::Parameter(name) => head.parameter(name),
            Self::Scheme => text(head.uri.scheme_str().unwrap_or("https")),
            // The key stands there, which nothing but the hash may see.
            Self::Secret => text(""),
            Self::Target => text(head.target()),
            Self::Expect(_) | Self::Fields | Self::Form(_) | Self::Headers(_) | Self::Url => {
                Read::Absent
            }
        }
    }
}
