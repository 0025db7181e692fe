//! What a signature may cover.

use std::fmt;

use http::HeaderName;
use sfv::{BareItem, Item, Parser};

/// One covered component of a request (RFC 9421, section 2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Component {
    /// `@authority`: host and port, in lower case, without the scheme's own port.
    Authority,
    /// A header.
    Field(HeaderName, Form),
    /// `@method`
    Method,
    /// `@path`
    Path,
    /// `@query`: with its question mark.
    Query,
    /// `@query-param`: one parameter, by its name as encoded.
    QueryParam(Box<str>),
    /// `@request-target`
    RequestTarget,
    /// `@scheme`
    Scheme,
    /// `@target-uri`: all of the above but the method and the headers.
    TargetUri,
}

/// In which form a header is covered (RFC 9421, section 2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// `;bs`: each line wrapped in base64.
    Bytes,
    /// `;key`: one member of a dictionary.
    Member(Box<str>),
    /// Its lines, joined.
    Raw,
    /// `;sf`: parsed and written anew.
    Strict,
}

impl Component {
    /// `content-digest`, which stands for the body.
    pub(crate) const CONTENT_DIGEST: Self =
        Self::Field(HeaderName::from_static("content-digest"), Form::Raw);

    /// Reads a component as definitions write it: `@method`, `content-digest`, `x;key="a"`.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let (name, parameters) = text.split_at(text.find(';').unwrap_or(text.len()));
        let quoted = format!("\"{name}\"{parameters}");
        let item: Item =
            Parser::new(&quoted).parse().map_err(|_| "is no component of a message")?;
        Self::of(&item)
    }

    /// Reads a component identifier.
    ///
    /// # Errors
    ///
    /// What about it is unknown, or makes no sense in a request.
    pub(super) fn of(item: &Item) -> Result<Self, &'static str> {
        let BareItem::String(name) = &item.bare_item else { return Err("is no text") };
        let mut parameters = item.params.iter().map(|(key, value)| (key.as_str(), value));
        let parameter = parameters.next();
        if parameters.next().is_some() {
            return Err("has parameters that do not go together");
        }
        if let Some(("req" | "tr", _)) = parameter {
            return Err("is of another message, or of a trailer");
        }
        match (name.as_str(), parameter) {
            ("@query-param", Some(("name", BareItem::String(name)))) => {
                Ok(Self::QueryParam(name.as_str().into()))
            }
            ("@query-param", _) => Err("names no parameter"),
            (derived, None) if derived.starts_with('@') => Self::derived(derived),
            (derived, Some(_)) if derived.starts_with('@') => Err("takes no parameter"),
            (name, parameter) => Self::header(name, parameter),
        }
    }

    fn derived(name: &str) -> Result<Self, &'static str> {
        Ok(match name {
            "@authority" => Self::Authority,
            "@method" => Self::Method,
            "@path" => Self::Path,
            "@query" => Self::Query,
            "@request-target" => Self::RequestTarget,
            "@scheme" => Self::Scheme,
            "@target-uri" => Self::TargetUri,
            "@status" => return Err("is of a response"),
            _ => return Err("is no component that is known"),
        })
    }

    fn header(name: &str, parameter: Option<(&str, &BareItem)>) -> Result<Self, &'static str> {
        // One spelling each, so that what occurs twice is seen to.
        let is_lower = !name.bytes().any(|byte| byte.is_ascii_uppercase());
        let header = HeaderName::from_bytes(name.as_bytes()).ok().filter(|_| is_lower);
        let header = header.ok_or("is no header's name in lower case")?;
        let form = match parameter {
            None => Form::Raw,
            Some(("sf", BareItem::Boolean(true))) => Form::Strict,
            Some(("bs", BareItem::Boolean(true))) => Form::Bytes,
            Some(("key", BareItem::String(key))) => Form::Member(key.as_str().into()),
            Some(_) => return Err("has a parameter that is not known"),
        };
        Ok(Self::Field(header, form))
    }

    /// Whether it is `content-digest` in any form.
    pub(super) fn is_digest(&self) -> bool {
        matches!(self, Self::Field(name, _) if name == "content-digest")
    }

    /// Whether what this holds fixes the other as well.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::TargetUri,
                Self::Authority | Self::Path | Self::Query | Self::RequestTarget | Self::Scheme,
            )
            | (Self::RequestTarget, Self::Path | Self::Query)
            | (Self::TargetUri | Self::RequestTarget | Self::Query, Self::QueryParam(_)) => true,
            (Self::Field(own, form), Self::Field(name, Form::Raw)) => {
                own == name && !matches!(form, Form::Member(_))
            }
            (own, other) => own == other,
        }
    }

    /// The identifier as a structured item.
    pub(super) fn item(&self) -> Result<Item, sfv::Error> {
        let mut item =
            Item::new(sfv::String::from_string(self.name().to_owned()).map_err(|e| e.0)?);
        let text = |text: &str| sfv::String::from_string(text.to_owned()).map_err(|e| e.0);
        let (key, value) = match self {
            Self::QueryParam(name) => ("name", BareItem::from(text(name)?)),
            Self::Field(_, Form::Member(key)) => ("key", BareItem::from(text(key)?)),
            Self::Field(_, Form::Strict) => ("sf", BareItem::from(true)),
            Self::Field(_, Form::Bytes) => ("bs", BareItem::from(true)),
            _ => return Ok(item),
        };
        item.params.insert(sfv::Key::from_string(key.to_owned()).map_err(|e| e.0)?, value);
        Ok(item)
    }

    fn name(&self) -> &str {
        match self {
            Self::Authority => "@authority",
            Self::Field(name, _) => name.as_str(),
            Self::Method => "@method",
            Self::Path => "@path",
            Self::Query => "@query",
            Self::QueryParam(_) => "@query-param",
            Self::RequestTarget => "@request-target",
            Self::Scheme => "@scheme",
            Self::TargetUri => "@target-uri",
        }
    }
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::QueryParam(name) => write!(f, ";name={name:?}"),
            Self::Field(_, Form::Member(key)) => write!(f, ";key={key:?}"),
            Self::Field(_, Form::Strict) => f.write_str(";sf"),
            Self::Field(_, Form::Bytes) => f.write_str(";bs"),
            _ => Ok(()),
        }
    }
}
