//! Where a value stands in a message.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use http::HeaderName;

use super::{
    form,
    head::{Head, Read},
    json::{Found, Pointer},
    pairs::Split,
};

/// A place in a message, its names already made up for the route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The credentials of `Authorization: Basic`, still encoded.
    Basic,
    /// The token of `Authorization: Bearer`.
    Bearer,
    /// The raw body.
    Body,
    /// What the route expects under this key.
    Expect(Box<str>),
    /// A form field.
    Form(Box<str>),
    /// A header.
    Header(HeaderName),
    /// Every header with this prefix (lower case) and digits after it.
    Headers(Box<str>),
    /// The host as addressed.
    Host,
    /// A JSON pointer, and its number among the scheme's.
    Json(Pointer, usize),
    /// The method.
    Method,
    /// An element of a structured header.
    Pair(HeaderName, Box<str>, Split),
    /// The path.
    Path,
    /// The whole query.
    Query,
    /// A query parameter.
    Parameter(Box<str>),
    /// The URI's scheme.
    Scheme,
    /// Path and query.
    Target,
    /// The registered URL.
    Url,
}

/// What source texts are read in.
#[derive(Debug)]
pub(crate) struct Context<'c> {
    /// The route's expectations, defaults filled in.
    pub(crate) expect: &'c BTreeMap<String, String>,
    /// The structured header that `pair:KEY` refers to.
    pub(crate) pairs: Option<(&'c HeaderName, &'c Split)>,
    /// Every JSON pointer of the scheme so far.
    pub(crate) pointers: &'c mut Vec<Pointer>,
}

/// What is wrong with a source's text, and what was probably meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadText {
    pub(crate) message: String,
    pub(crate) suggestion: Option<String>,
}

impl From<String> for BadText {
    fn from(message: String) -> Self {
        Self { message, suggestion: None }
    }
}

const NAMED: &[&str] = &["header", "headers", "pair", "query", "form", "json", "expect"];
const PLAIN: &[&str] =
    &["basic", "bearer", "method", "scheme", "host", "path", "query", "target", "url", "body"];
const LATER: &[&str] = &["secret", "item", "claim", "xml"];

impl Source {
    /// Reads a source's text.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub(crate) fn parse(text: &str, context: &mut Context<'_>) -> Result<Self, BadText> {
        let (kind, name) = match text.split_once(':') {
            Some((kind, name)) => (kind, Some(context.fill(name)?)),
            None => (text, None),
        };
        if let Some(name) = name.as_deref().filter(|n| n.is_empty() && kind != "json") {
            return Err(format!("`{kind}:{name}` names nothing").into());
        }
        Ok(match (kind, name) {
            ("header", Some(name)) => Self::Header(header_name(&name)?),
            ("headers", Some(name)) => {
                Self::Headers(header_name(&name)?.as_str().to_owned().into())
            }
            ("pair", Some(name)) => context.pair(&name)?,
            ("query", Some(name)) => Self::Parameter(name.into()),
            ("form", Some(name)) => Self::Form(name.into()),
            ("json", Some(name)) => context.pointer(&name)?,
            ("expect", Some(name)) if context.expect.contains_key(&*name) => {
                Self::Expect(name.into())
            }
            ("expect", Some(name)) => return Err(undeclared(&name)),
            ("basic", None) => Self::Basic,
            ("bearer", None) => Self::Bearer,
            ("method", None) => Self::Method,
            ("scheme", None) => Self::Scheme,
            ("host", None) => Self::Host,
            ("path", None) => Self::Path,
            ("query", None) => Self::Query,
            ("target", None) => Self::Target,
            ("url", None) if context.expect.contains_key("url") => Self::Url,
            ("url", None) => return Err(undeclared("url")),
            ("body", None) => Self::Body,
            (kind, name) => return Err(unknown(kind, name.is_some())),
        })
    }

    /// Whether the value is known only once the body is.
    pub(crate) const fn is_in_body(&self) -> bool {
        matches!(self, Self::Body | Self::Form(_) | Self::Json(..))
    }

    /// Whether it is a header, or part of one.
    pub(crate) const fn is_header(&self) -> bool {
        matches!(
            self,
            Self::Basic | Self::Bearer | Self::Header(_) | Self::Headers(_) | Self::Pair(..)
        )
    }

    /// Reads the one value; constants and several headers at once are read elsewhere.
    pub(crate) fn read<'a>(&self, message: &Message<'a>) -> Read<'a> {
        let text = |text: &'a str| Read::Value(Cow::Borrowed(text.as_bytes()));
        let head = &message.head;
        match self {
            Self::Basic => head.credentials("Basic"),
            Self::Bearer => head.credentials("Bearer"),
            Self::Body => Read::Value(Cow::Borrowed(message.body)),
            Self::Form(name) if head.has_form_type() => form::field(message.body, name).into(),
            Self::Header(name) => head.header(name),
            Self::Host => head.host(),
            Self::Json(_, number) => message.json(*number),
            Self::Method => text(head.method.as_str()),
            Self::Pair(header, key, split) => split.pair(head.header(header), key),
            Self::Path => text(head.uri.path()),
            Self::Query => text(head.query()),
            Self::Parameter(name) => head.parameter(name),
            Self::Scheme => text(head.uri.scheme_str().unwrap_or("https")),
            Self::Target => text(head.target()),
            Self::Expect(_) | Self::Form(_) | Self::Headers(_) | Self::Url => Read::Absent,
        }
    }
}

/// A message, and what its JSON body holds under the scheme's pointers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message<'a> {
    pub(crate) head: Head<'a>,
    pub(crate) body: &'a [u8],
    /// `None` where the body is not JSON, or was not looked into.
    pub(crate) json: Option<&'a [Found]>,
}

impl<'a> Message<'a> {
    /// A message whose body is not there yet, or whose JSON is of no interest.
    pub(crate) const fn new(head: Head<'a>, body: &'a [u8]) -> Self {
        Self { head, body, json: None }
    }

    /// What a pointer came to.
    pub(crate) fn found(&self, number: usize) -> Option<&'a Found> {
        self.json?.get(number)
    }

    fn json(&self, number: usize) -> Read<'a> {
        match self.found(number) {
            None => Read::Malformed("the body is not JSON"),
            Some(found) if found.duplicate => Read::Repeated,
            Some(found) => match found.values.as_slice() {
                [] => Read::Absent,
                [one] => Read::Value(Cow::Borrowed(one.as_bytes())),
                _ => Read::Repeated,
            },
        }
    }
}

impl Context<'_> {
    /// Replaces each `{expect.KEY}` by what the route expects.
    fn fill<'t>(&self, name: &'t str) -> Result<Cow<'t, str>, BadText> {
        let mut out = String::new();
        let mut rest = name;
        while let Some((before, after)) = rest.split_once("{expect.") {
            let Some((key, after)) = after.split_once('}') else {
                return Err("`{expect.` without `}`".to_owned().into());
            };
            out.push_str(before);
            out.push_str(self.expect.get(key).ok_or_else(|| undeclared(key))?);
            rest = after;
        }
        if rest.len() == name.len() {
            return Ok(Cow::Borrowed(name));
        }
        out.push_str(rest);
        Ok(Cow::Owned(out))
    }

    fn pointer(&mut self, text: &str) -> Result<Source, BadText> {
        let pointer = Pointer::parse(text).map_err(|e| BadText::from(e.to_owned()))?;
        let number = self.pointers.iter().position(|p| *p == pointer).unwrap_or_else(|| {
            self.pointers.push(pointer.clone());
            self.pointers.len() - 1
        });
        Ok(Source::Json(pointer, number))
    }

    fn pair(&self, name: &str) -> Result<Source, BadText> {
        let Some((header, split)) = self.pairs else {
            return Err(BadText {
                message: format!("`pair:{name}` needs a signature in pairs"),
                suggestion: Some("format = \"pairs\"".to_owned()),
            });
        };
        let (header, key) = match name.split_once('/') {
            Some((header, key)) => (header_name(header)?, key),
            None => (header.clone(), name),
        };
        Ok(Source::Pair(header, key.into(), split.clone()))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Basic => f.write_str("basic"),
            Self::Bearer => f.write_str("bearer"),
            Self::Body => f.write_str("body"),
            Self::Expect(key) => write!(f, "expect:{key}"),
            Self::Form(name) => write!(f, "form:{name}"),
            Self::Header(name) => write!(f, "header:{name}"),
            Self::Headers(prefix) => write!(f, "headers:{prefix}"),
            Self::Host => f.write_str("host"),
            Self::Json(pointer, _) => write!(f, "json:{pointer}"),
            Self::Method => f.write_str("method"),
            Self::Pair(header, key, _) => write!(f, "pair:{header}/{key}"),
            Self::Path => f.write_str("path"),
            Self::Query => f.write_str("query"),
            Self::Parameter(name) => write!(f, "query:{name}"),
            Self::Scheme => f.write_str("scheme"),
            Self::Target => f.write_str("target"),
            Self::Url => f.write_str("url"),
        }
    }
}

/// Reads a header's name, in any case.
///
/// # Errors
///
/// That it is none.
pub(crate) fn header_name(text: &str) -> Result<HeaderName, BadText> {
    HeaderName::try_from(text).map_err(|_| BadText::from(format!("`{text}` is no header name")))
}

fn undeclared(key: &str) -> BadText {
    BadText {
        message: format!("nothing declares what a route expects as `{key}`"),
        suggestion: Some(format!("[expect.{key}]")),
    }
}

fn unknown(kind: &str, named: bool) -> BadText {
    if LATER.contains(&kind) {
        return format!("the source `{kind}` is built by a later version").into();
    }
    if !named && kind == "form" {
        return "the whole `form` is built by a later version".to_owned().into();
    }
    if named && PLAIN.contains(&kind) {
        return format!("the source `{kind}` takes no name").into();
    }
    if !named && NAMED.contains(&kind) {
        return format!("the source `{kind}` needs a name, as in `{kind}:NAME`").into();
    }
    let known = NAMED.iter().chain(PLAIN).copied();
    BadText { message: format!("there is no source `{kind}`"), suggestion: nearest(kind, known) }
}

/// The known word that was probably meant.
pub(crate) fn nearest<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> Option<String> {
    known
        .map(|k| (strsim::damerau_levenshtein(word, k), k))
        .filter(|(distance, k)| *distance * 3 <= k.len().max(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, k)| k.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Source, BadText> {
        let expect = BTreeMap::from([("header".to_owned(), "X-Token".to_owned())]);
        let mut pointers = Vec::new();
        Source::parse(text, &mut Context { expect: &expect, pairs: None, pointers: &mut pointers })
    }

    #[test]
    fn names_are_filled_from_what_the_route_expects() {
        assert_eq!(
            parse("header:{expect.header}"),
            Ok(Source::Header(HeaderName::from_static("x-token")))
        );
        assert_eq!(parse("query:a{expect.header}b").unwrap().to_string(), "query:aX-Tokenb");
        let error = parse("header:{expect.name}").unwrap_err();
        assert_eq!(error.suggestion.as_deref(), Some("[expect.name]"));
    }

    #[test]
    fn errors_say_what_was_meant() {
        assert_eq!(parse("heder:X").unwrap_err().suggestion.as_deref(), Some("header"));
        assert!(parse("secret").unwrap_err().message.contains("later version"));
        assert!(parse("pair:t").unwrap_err().message.contains("needs a signature in pairs"));
        assert!(parse("body:x").unwrap_err().message.contains("takes no name"));
        assert!(parse("json").unwrap_err().message.contains("needs a name"));
        assert!(parse("url").unwrap_err().message.contains("`url`"));
        assert!(parse("json:a").is_err() && parse("header:a b").is_err());
    }
}
