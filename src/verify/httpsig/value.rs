//! The value of a component in a request.

use std::borrow::Cow;

use base64::{Engine, prelude::BASE64_STANDARD};
use http::HeaderName;
use sfv::{Dictionary, FieldType, ListEntry, ListSerializer, Parser};

use super::{Component, Origin, component::Form};
use crate::verify::{Head, decode};

/// Headers known to be dictionaries, which alone can be written anew for `;sf`.
const DICTIONARIES: &[&str] =
    &["content-digest", "priority", "repr-digest", "signature", "signature-input"];

impl Component {
    /// Its value; newlines cannot be in it, for no part of a head can hold one.
    ///
    /// # Errors
    ///
    /// What is wrong with it, to be read after its name.
    pub(super) fn value<'a>(
        &self,
        head: Head<'a>,
        origin: &Origin,
    ) -> Result<Cow<'a, [u8]>, &'static str> {
        let text = |text: &'a str| Cow::Borrowed(text.as_bytes());
        Ok(match self {
            Self::Authority => origin.authority().into_bytes().into(),
            Self::Field(name, form) => form.of(head, name)?,
            Self::Method => text(head.method.as_str()),
            Self::Path => text(head.uri.path()),
            Self::Query => format!("?{}", head.query()).into_bytes().into(),
            Self::QueryParam(name) => query_param(head.query(), name)?,
            Self::RequestTarget => text(head.target()),
            Self::Scheme => origin.scheme().as_bytes().to_vec().into(),
            Self::TargetUri => origin.uri(head.target()),
        })
    }
}

impl Form {
    fn of<'a>(&self, head: Head<'a>, name: &HeaderName) -> Result<Cow<'a, [u8]>, &'static str> {
        let mut lines = head.headers.get_all(name).iter().map(|line| trim(line.as_bytes()));
        let Some(first) = lines.next() else { return Err("is not there") };
        let joined = || {
            lines.fold(Cow::Borrowed(first), |mut all, line| {
                all.to_mut().extend_from_slice(b", ");
                all.to_mut().extend_from_slice(line);
                all
            })
        };
        match self {
            Self::Raw => Ok(joined()),
            Self::Bytes => Ok(bytes_of(head, name).into_bytes().into()),
            Self::Strict if !DICTIONARIES.contains(&name.as_str()) => {
                Err("is of no type that could be written anew")
            }
            Self::Strict => {
                let text = dictionary(&joined())?.serialize().unwrap_or_default();
                Ok(text.into_bytes().into())
            }
            Self::Member(key) => {
                let members = dictionary(&joined())?;
                let member = members.get(&**key).ok_or("has no such member")?;
                Ok(serialized(member).into_bytes().into())
            }
        }
    }
}

/// The dictionary of a header's lines.
pub(super) fn dictionary(joined: &[u8]) -> Result<Dictionary, &'static str> {
    Parser::new(joined).parse().map_err(|_| "is no dictionary")
}

/// One member's value as a structured field.
pub(super) fn serialized(member: &ListEntry) -> String {
    let mut list = ListSerializer::new();
    list.members([member]);
    list.finish().unwrap_or_default()
}

/// `;bs` (RFC 9421, section 2.1.3).
fn bytes_of(head: Head<'_>, name: &HeaderName) -> String {
    let lines = head.headers.get_all(name).iter();
    let wrapped = lines.map(|line| format!(":{}:", BASE64_STANDARD.encode(trim(line.as_bytes()))));
    wrapped.collect::<Vec<_>>().join(", ")
}

/// The one parameter of this encoded name, encoded anew (RFC 9421, section 2.2.8).
fn query_param(query: &str, name: &str) -> Result<Cow<'static, [u8]>, &'static str> {
    let mut found = None;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if encode(&decode(key.as_bytes())) != *name {
            continue;
        }
        if found.replace(value).is_some() {
            return Err("is there more than once");
        }
    }
    let value = found.ok_or("is not there")?;
    Ok(encode(&decode(value.as_bytes())).into_bytes().into())
}

/// The percent-encode set of `application/x-www-form-urlencoded`, spaces included.
fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'*' | b'-' | b'.' | b'_') {
            out.push(char::from(*byte));
        } else {
            out.push('%');
            out.push_str(&hex::encode_upper([*byte]));
        }
    }
    out
}

/// Without the optional whitespace around it.
pub(super) fn trim(line: &[u8]) -> &[u8] {
    line.trim_ascii()
}
