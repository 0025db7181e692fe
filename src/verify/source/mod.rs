//! Where a value stands in a message.

mod listed;
mod message;
mod parse;

use std::fmt;

use http::HeaderName;

pub(crate) use listed::Listed;
pub(crate) use message::{Looked, Lookups, Message};
pub(crate) use parse::{BadText, Context, nearest};

use super::{json::Pointer, pairs::Split, xml};

/// A place in a message, its names already made up for the route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The credentials of `Authorization: Basic`, still encoded.
    Basic,
    /// The token of `Authorization: Bearer`.
    Bearer,
    /// The raw body.
    Body,
    /// A member of the JWS payload, and its number among the scheme's.
    Claim(Pointer, usize),
    /// What the route expects under this key.
    Expect(Box<str>),
    /// The raw body where it is a form.
    Fields,
    /// A form field.
    Form(Box<str>),
    /// A header.
    Header(HeaderName),
    /// Every header with this prefix (lower case) and digits after it.
    Headers(Box<str>),
    /// The host as addressed.
    Host,
    /// A place inside the element that is judged, and its number among the scheme's.
    Item(Pointer, usize),
    /// A JSON pointer, and its number among the scheme's.
    Json(Pointer, usize),
    /// Headers that a header lists.
    Listed(Listed),
    /// The method.
    Method,
    /// An element of a structured header.
    Pair(HeaderName, Box<str>, Split),
    /// A parameter of the HTTP message signature.
    Param(Box<str>),
    /// The path.
    Path,
    /// The whole query.
    Query,
    /// A query parameter.
    Parameter(Box<str>),
    /// Method, path and query in one canonical form.
    Request,
    /// The URI's scheme.
    Scheme,
    /// The key itself, where it is part of what is hashed.
    Secret,
    /// Path and query.
    Target,
    /// The registered URL.
    Url,
    /// A path in the XML body, and its number among the scheme's.
    Xml(xml::Path, usize),
}

impl Source {
    /// Whether the value is known only once the body is.
    pub(crate) const fn is_in_body(&self) -> bool {
        matches!(
            self,
            Self::Body
                | Self::Fields
                | Self::Form(_)
                | Self::Item(..)
                | Self::Json(..)
                | Self::Xml(..)
        )
    }

    /// Whether the value is part of a proof that must hold before it is read.
    pub(crate) const fn is_in_proof(&self) -> bool {
        matches!(self, Self::Claim(..) | Self::Param(_))
    }

    /// Whether it stands in the document that is looked into.
    pub(crate) const fn is_in_document(&self) -> bool {
        matches!(self, Self::Json(..) | Self::Xml(..))
    }

    /// Whether it may name a value in each of several elements.
    pub(crate) fn is_many(&self) -> bool {
        match self {
            Self::Json(pointer, _) => pointer.is_many(),
            Self::Xml(..) => true,
            _ => false,
        }
    }

    /// Whether it is a header, or part of one.
    pub(crate) const fn is_header(&self) -> bool {
        matches!(
            self,
            Self::Basic
                | Self::Bearer
                | Self::Header(_)
                | Self::Headers(_)
                | Self::Listed(_)
                | Self::Pair(..)
        )
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Basic => f.write_str("basic"),
            Self::Bearer => f.write_str("bearer"),
            Self::Body => f.write_str("body"),
            Self::Claim(pointer, _) => write!(f, "claim:{pointer}"),
            Self::Expect(key) => write!(f, "expect:{key}"),
            Self::Fields => f.write_str("form"),
            Self::Form(name) => write!(f, "form:{name}"),
            Self::Header(name) => write!(f, "header:{name}"),
            Self::Headers(prefix) => write!(f, "headers:{prefix}"),
            Self::Host => f.write_str("host"),
            Self::Item(pointer, _) => write!(f, "item:{pointer}"),
            Self::Json(pointer, _) => write!(f, "json:{pointer}"),
            Self::Listed(listed) => listed.fmt(f),
            Self::Method => f.write_str("method"),
            Self::Pair(header, key, _) => write!(f, "pair:{header}/{key}"),
            Self::Param(name) => write!(f, "param:{name}"),
            Self::Path => f.write_str("path"),
            Self::Query => f.write_str("query"),
            Self::Parameter(name) => write!(f, "query:{name}"),
            Self::Request => f.write_str("request"),
            Self::Scheme => f.write_str("scheme"),
            Self::Secret => f.write_str("secret"),
            Self::Target => f.write_str("target"),
            Self::Url => f.write_str("url"),
            Self::Xml(path, _) => write!(f, "xml:{path}"),
        }
    }
}
