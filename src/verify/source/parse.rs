//! Reads a source's text.

use std::{borrow::Cow, collections::BTreeMap};

use http::HeaderName;

use super::{Listed, Lookups, Source};
use crate::verify::{json::Pointer, pairs::Split, xml};

/// What source texts are read in.
#[derive(Debug)]
pub(crate) struct Context<'c> {
    /// The route's expectations, defaults filled in.
    pub(crate) expect: &'c BTreeMap<String, String>,
    /// The structured header that `pair:KEY` refers to.
    pub(crate) pairs: Option<(&'c HeaderName, &'c Split)>,
    /// Every place of the scheme so far that is looked up in a structured part.
    pub(crate) lookups: &'c mut Lookups,
}

/// What is wrong with a source's text, and what was probably meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadText {
    pub(crate) message: String,
    pub(crate) suggestion: Option<String>,
}

impl BadText {
    /// A word that is none of those that are known.
    pub(crate) fn none_of(word: &str, names: &[&str]) -> Self {
        Self {
            message: format!("`{word}` is none of {}", names.join(", ")),
            suggestion: nearest(word, names.iter().copied()),
        }
    }
}

impl From<String> for BadText {
    fn from(message: String) -> Self {
        Self { message, suggestion: None }
    }
}

const NAMED: &[&str] = &[
    "header", "headers", "listed", "pair", "query", "form", "json", "xml", "item", "claim",
    "param", "expect",
];
const PLAIN: &[&str] = &[
    "basic", "bearer", "method", "scheme", "host", "path", "query", "target", "url", "body",
    "form", "request", "secret",
];
/// Parameters of HTTP message signatures (RFC 9421, section 2.3).
const PARAMS: &[&str] = &["created", "expires", "nonce", "alg", "keyid", "tag"];

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
            ("listed", Some(names)) => Self::Listed(Listed::parse(&names)?),
            ("pair", Some(name)) => context.pair(&name)?,
            ("query", Some(name)) => Self::Parameter(name.into()),
            ("form", Some(name)) => Self::Form(name.into()),
            ("json", Some(name)) => {
                let (pointer, number) = number(&mut context.lookups.json, &name)?;
                Self::Json(pointer, number)
            }
            ("xml", Some(name)) => {
                let path = xml::Path::parse(&name).map_err(|e| BadText::from(e.to_owned()))?;
                let number = place(&mut context.lookups.xml, &path);
                Self::Xml(path, number)
            }
            ("item", Some(name)) => {
                let (pointer, number) = number(&mut context.lookups.items, &name)?;
                Self::Item(pointer, number)
            }
            ("claim", Some(name)) => {
                let path = if name.starts_with('/') { name } else { format!("/{name}").into() };
                let (pointer, number) = number(&mut context.lookups.claims, &path)?;
                Self::Claim(pointer, number)
            }
            ("param", Some(name)) if PARAMS.contains(&&*name) => Self::Param(name.into()),
            ("param", Some(name)) => {
                return Err(BadText {
                    message: format!("a message signature has no parameter `{name}`"),
                    suggestion: nearest(&name, PARAMS.iter().copied()),
                });
            }
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
            ("form", None) => Self::Fields,
            ("request", None) => Self::Request,
            ("secret", None) => Self::Secret,
            (kind, name) => return Err(unknown(kind, name.is_some())),
        })
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

    fn pair(&self, name: &str) -> Result<Source, BadText> {
        let (header, key, split) = match (name.split_once('/'), self.pairs) {
            (Some((header, key)), Some((_, split))) if !split.is_list() => {
                (header_name(header)?, key, split.clone())
            }
            (Some((header, key)), _) => (header_name(header)?, key, Split::default()),
            (None, Some((_, split))) if split.is_list() && !is_position(name) => {
                return Err(
                    format!("elements of a list are counted from 1, not named `{name}`").into()
                );
            }
            (None, Some((header, split))) => (header.clone(), name, split.clone()),
            (None, None) => {
                return Err(BadText {
                    message: format!("`pair:{name}` needs a signature in pairs"),
                    suggestion: Some("format = \"pairs\"".to_owned()),
                });
            }
        };
        Ok(Source::Pair(header, key.into(), split))
    }
}

/// Whether it counts an element: from 1, and no more than could be signatures.
fn is_position(text: &str) -> bool {
    text.parse().is_ok_and(|n: usize| (1..=16).contains(&n) && n.to_string() == text)
}

/// A pointer with its number among those that are looked up together.
fn number(known: &mut Vec<Pointer>, text: &str) -> Result<(Pointer, usize), BadText> {
    let pointer = Pointer::parse(text).map_err(|e| BadText::from(e.to_owned()))?;
    let number = place(known, &pointer);
    Ok((pointer, number))
}

/// The number of a place among those that are looked up together.
fn place<T: Clone + PartialEq>(known: &mut Vec<T>, new: &T) -> usize {
    known.iter().position(|place| place == new).unwrap_or_else(|| {
        known.push(new.clone());
        known.len() - 1
    })
}

/// Reads a header's name, in any case.
///
/// # Errors
///
/// That it is none.
pub(super) fn header_name(text: &str) -> Result<HeaderName, BadText> {
    HeaderName::try_from(text).map_err(|_| BadText::from(format!("`{text}` is no header name")))
}

fn undeclared(key: &str) -> BadText {
    BadText {
        message: format!("nothing declares what a route expects as `{key}`"),
        suggestion: Some(format!("[expect.{key}]")),
    }
}

fn unknown(kind: &str, named: bool) -> BadText {
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
        let mut lookups = Lookups::default();
        Source::parse(text, &mut Context { expect: &expect, pairs: None, lookups: &mut lookups })
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
        assert_eq!(parse("param:create").unwrap_err().suggestion.as_deref(), Some("created"));
        assert!(parse("pair:t").unwrap_err().message.contains("needs a signature in pairs"));
        assert!(parse("body:x").unwrap_err().message.contains("takes no name"));
        assert!(parse("json").unwrap_err().message.contains("needs a name"));
        assert!(parse("url").unwrap_err().message.contains("`url`"));
        assert!(parse("json:a").is_err() && parse("header:a b").is_err());
    }
}
